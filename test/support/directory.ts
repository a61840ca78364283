// Directories of a test's own, and what stands in them.
import {
  closeSync,
  existsSync,
  mkdtempSync,
  openSync,
  readFileSync,
  readdirSync,
  rmSync,
  writeSync,
} from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { header } from './layout.js';

const made: string[] = [];
const memory = existsSync('/dev/shm') ? '/dev/shm' : os.tmpdir();

/** Removed after the test (see hooks.ts). Not named holdfast-*: the runner would report it as left. */
export function temporaryDirectory(parent = memory): string {
  const directory = lastingDirectory(parent);
  made.push(directory);
  return directory;
}

/** Removed by whoever asked for it: see `remove`. */
export function lastingDirectory(parent = memory): string {
  return mkdtempSync(path.join(parent, 'hf-test-'));
}

/**
 * With the semaphores of the objects in them: actors were killed, and no newcomer will come by in
 * there to sweep up after them. `unmount` is called in between.
 */
export function removeDirectories(directories: string[], unmount = () => {}): void {
  for (const directory of directories) {
    for (const file of readdirSync(directory, { recursive: true, withFileTypes: true })) {
      if (!file.isFile() || !file.name.startsWith('object.')) continue;
      removeSemaphore(path.join(file.parentPath, file.name));
    }
  }
  unmount();
  for (const directory of directories) rmSync(directory, { recursive: true, force: true });
}

export function removeTemporaryDirectories(unmount: () => void): void {
  removeDirectories(made.splice(0), unmount);
}

function removeSemaphore(objectFile: string): void {
  const name = /^\/hf-[0-9a-f]+/.exec(
    readFileSync(objectFile).toString('latin1', header.posixName, header.nameLength),
  );
  const file = name && semaphoreFile(name[0]);
  if (file) rmSync(file, { force: true });
}

/** The files of objects in a HOLDFAST_DIR: all but the registry and the bells. */
export function objectFiles(directory: string): string[] {
  return readdirSync(directory)
    .filter((name) => name !== 'registry' && !name.startsWith('bell.'))
    .toSorted();
}

/** Writes a word into the file of the object of that name: one that nobody is using at this moment. */
export function writeWord(name: string, at: number, value: bigint): void {
  const directory = process.env['HOLDFAST_DIR']!;
  const file = objectFiles(directory).find((it) => {
    const bytes = readFileSync(path.join(directory, it));
    const length = bytes.readUInt32LE(header.nameLength);
    return bytes.toString('utf8', header.name, header.name + length) === name;
  });
  const bytes = Buffer.alloc(8);
  bytes.writeBigUInt64LE(value);
  const fd = openSync(path.join(directory, file!), 'r+');
  writeSync(fd, bytes, 0, 8, at);
  closeSync(fd);
}

/** Where Linux shows a named semaphore; undefined elsewhere. */
export function semaphoreFile(posixName: string): string | undefined {
  return process.platform === 'linux' ? `/dev/shm/sem.${posixName.slice(1)}` : undefined;
}

export function semaphoreExists(posixName: string): boolean | undefined {
  const file = semaphoreFile(posixName);
  return file === undefined ? undefined : existsSync(file);
}
