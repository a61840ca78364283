// Writes random bytes into the files of objects and into the registry.
import {
  closeSync,
  fstatSync,
  openSync,
  readFileSync,
  readSync,
  readdirSync,
  writeSync,
} from 'node:fs';
import path from 'node:path';
import { objectKey } from '../programs/object-key.mjs';

export const kinds = [
  'Lock',
  'RLock',
  'Semaphore',
  'BoundedSemaphore',
  'ReadWriteLock',
  'Condition',
  'Event',
  'Barrier',
  'Queue',
  'JoinableQueue',
  'SharedMemory',
  'LockManager',
];

export const names = Object.fromEntries(kinds.map((kind) => [kind, `the ${kind}`]));

/** By the name of its file. */
export const kindOf = new Map(kinds.map((kind) => [`object.${objectKey(names[kind])}`, kind]));
const headerLength = 512;
const mutexLength = 40; // sizeof(pthread_mutex_t), glibc on x64
/** Where native/core/layout.h has a mutex on the linux platform: see native/test/layout_test.cc. */
const mutexAt = { RLock: 560, Queue: 704, JoinableQueue: 704, Barrier: 576, LockManager: 640 };

/** Where the cells of a LockManager begin: behind its page and a word for each agent. */
const lockCells = 4096 + 4 * 4096;

/**
 * The posix platform has no such mutex. There it is a word of this package, which the fuzzer writes
 * to as well.
 */
export function mutexesAreKnown(platform) {
  if (platform !== 'linux') return true;
  return process.arch === 'x64' && Boolean(process.report.getReport().header.glibcVersionRuntime);
}

const words = [
  0n,
  1n,
  2n,
  7n,
  8n,
  0xffn,
  0x8000n,
  0xffffn,
  0x10000n,
  0x20000n,
  0x40000n,
  0x7fffffffn,
  0x80000000n,
  0xffffffffn,
  0x100000000n,
  (1n << 40n) - 1n,
  1n << 40n,
  1n << 53n,
  1n << 62n,
  1n << 63n,
  (1n << 64n) - 1n,
  (1n << 64n) - 2n,
];

export class Mutator {
  writes = 0;
  constructor(directory, platform, below) {
    this.directory = directory;
    this.hasMutexes = platform === 'linux';
    this.below = below;
  }

  /** One write into one file, within its length and outside of what is excluded. */
  mutate() {
    const { below } = this;
    const files = readdirSync(this.directory).filter((name) => kindOf.has(name));
    // Every process uses the registry. Once it is damaged, nothing else is tested any more.
    const name = files.length === 0 || below(25) === 0 ? 'registry' : files[below(files.length)];
    let fd;
    try {
      fd = openSync(path.join(this.directory, name), 'r+');
    } catch {
      return; // it was removed after we had listed it
    }
    try {
      this.#write(fd, name, fstatSync(fd).size);
    } finally {
      closeSync(fd);
    }
  }

  #write(fd, name, length) {
    const { below } = this;
    if (length < headerLength + 64) return; // half-made
    const bytes = Buffer.alloc(8);
    const how = below(10);
    const at = this.#place(name, length) & (how < 3 ? ~0 : ~7);
    let size = 8;
    readSync(fd, bytes, 0, 8, at);
    if (how < 2) {
      size = 1;
      bytes[0] ^= 1 << below(8);
    } else if (how < 3) {
      size = 1;
      bytes[0] = below(256);
    } else if (how < 4) {
      size = 4;
      bytes.writeUInt32LE(below(2 ** 32));
    } else if (how < 5) {
      for (let i = 0; i < 8; i++) bytes[i] = below(256);
    } else if (how < 7) {
      bytes.writeBigUInt64LE(words[below(words.length)]);
    } else if (how < 8) {
      // A little more or less than the present value.
      bytes.writeBigUInt64LE(BigInt.asUintN(64, bytes.readBigUInt64LE() + BigInt(below(17) - 8)));
    } else if (how < 9) {
      readSync(fd, bytes, 0, 8, this.#place(name, length) & ~7); // another word of the same file
    } else {
      this.#livingAgent(bytes);
    }
    const mutex = this.hasMutexes ? mutexAt[kindOf.get(name)] : undefined;
    if (mutex !== undefined && at + size > mutex && at < mutex + mutexLength) return;
    if (at + size > length) return;
    writeSync(fd, bytes, 0, size, at);
    this.writes++;
  }

  #place(name, length) {
    const { below } = this;
    const choice = below(10);
    if (name === 'registry') {
      return choice === 0
        ? below(headerLength + 64)
        : headerLength + 64 + below(64 * (choice < 8 ? 8 : 4096));
    }
    if (choice === 0) return below(headerLength);
    if (choice < 4) return headerLength + below(320); // the words of the body
    if (choice < 7) return headerLength + below(4096 - headerLength);
    // The table of a Barrier or a Condition, the ring of a Queue, the lists of a LockManager.
    if (choice < 9 && length > 4096) return 4096 + below(Math.min(length - 4096, 4096));
    if (kindOf.get(name) === 'LockManager') {
      // Behind the lists of its agents: the cells that are in use.
      return lockCells + below(Math.min(length - lockCells, 128 * 16));
    }
    return below(length);
  }

  #livingAgent(bytes) {
    try {
      const registry = readFileSync(path.join(this.directory, 'registry'));
      registry.copy(bytes, 0, headerLength + 64 + 64 * this.below(4));
    } catch {
      // There is none.
    }
  }
}
