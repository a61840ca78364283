import { createHash } from 'node:crypto';
import { statSync } from 'node:fs';

/** mark_place() in native/core/store/directory_mark.cc. */
function markPlace(text) {
  let hash = 0xcbf29ce484222325n;
  for (const byte of Buffer.from(text)) {
    hash = BigInt.asUintN(64, (hash ^ BigInt(byte)) * 0x100000001b3n);
  }
  return (hash ^ (hash >> 40n)) % (1n << 40n);
}

/** On macOS nobody can list semaphores. So none is swept, and no name has this mark. */
const sweptMark = /\/build\/darwin\b/.test(process.env.HOLDFAST_NATIVE ?? '') ? '' : '-';

/** What the names of the semaphores of a directory begin with. */
export function semaphorePrefix(directory) {
  const { dev, ino } = statSync(directory, { bigint: true });
  return `hf-${markPlace(`${dev}:${ino}`).toString(16).padStart(10, '0')}${sweptMark}`;
}

/** The name under which the C library has the semaphore of an object: see src/objects/shared.ts. */
export function semaphoreName(directory, name) {
  const digest = createHash('sha256').update(name).digest('hex');
  return semaphorePrefix(directory) + digest.slice(0, 16 - sweptMark.length);
}
