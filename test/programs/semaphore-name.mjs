import { createHash } from 'node:crypto';
import { statSync } from 'node:fs';

/** fnv1a() in native/core/hash.h. */
function fnv1a(text) {
  let hash = 0xcbf29ce484222325n;
  for (const byte of Buffer.from(text)) {
    hash = BigInt.asUintN(64, (hash ^ BigInt(byte)) * 0x100000001b3n);
  }
  return hash;
}

/** mark_place() in native/core/store/directory_mark.cc. */
function markPlace(text) {
  const hash = fnv1a(text);
  return (hash ^ (hash >> 40n)) % (1n << 40n);
}

const isDarwin = /\/build\/darwin\b/.test(process.env.HOLDFAST_NATIVE ?? '');

/** On macOS nobody can list semaphores. So none is swept, and no name has this mark. */
const sweptMark = isDarwin ? '' : '-';

const identityOf = (directory) => {
  const { dev, ino } = statSync(directory, { bigint: true });
  return `${dev}:${ino}`;
};

/** What the names of the semaphores of a directory begin with. */
export function semaphorePrefix(directory) {
  return `hf-${markPlace(identityOf(directory)).toString(16).padStart(10, '0')}${sweptMark}`;
}

/** The C library's name of a semaphore: SemaphoreHome::key() in native/core/store. */
export function semaphoreName(directory, name) {
  const space = fnv1a(isDarwin ? '' : identityOf('/dev/shm'));
  const digits = createHash('sha256')
    .update(name)
    .digest('hex')
    .slice(0, 16 - sweptMark.length);
  const mixed = Array.from(digits, (digit, i) => {
    return (BigInt(`0x${digit}`) ^ ((space >> BigInt(4 * i)) & 15n)).toString(16);
  });
  return semaphorePrefix(directory) + mixed.join('');
}
