// Directories for one test, and what is in them.
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
import { objectKey } from '../programs/object-key.mjs';
import { header } from './layout.js';

const made: string[] = [];
const memory = existsSync('/dev/shm') ? '/dev/shm' : os.tmpdir();

// If mocha runs without scripts/test.mjs, HOLDFAST_DIR is set here. holdfast reads it when it first
// opens something, which is after all imports. The registry stays open until the process ends.
if (!process.env['HOLDFAST_DIR']) {
  const directory = lastingDirectory();
  process.env['HOLDFAST_DIR'] = directory;
  process.on('exit', () => rmSync(directory, { recursive: true, force: true }));
}

/**
 * A directory that is removed after the test (see hooks.ts). Its name does not begin with
 * holdfast-, because the runner would report that as left behind.
 */
export function temporaryDirectory(parent = memory): string {
  const directory = lastingDirectory(parent);
  made.push(directory);
  return directory;
}

/** A directory that stays until removeDirectories(). */
export function lastingDirectory(parent = memory): string {
  return mkdtempSync(path.join(parent, 'hf-test-'));
}

/**
 * Removes directories, and the semaphores of the objects in them. The actors were killed, and no
 * other process will sweep there. `unmount` is called in between.
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
  const name = /^\/hf-[0-9a-f-]+/.exec(
    readFileSync(objectFile).toString('latin1', header.posixName, header.nameLength),
  );
  const file = name && semaphoreFile(name[0]);
  if (file) rmSync(file, { force: true });
}

/**
 * The files of the objects in a HOLDFAST_DIR: all files except the registry and the doorbells. A
 * spare name counts where it is alone.
 */
export function objectFiles(directory: string): string[] {
  const names = readdirSync(directory);
  const isSpare = (name: string) =>
    name.startsWith('spare.') && names.includes(name.replace('spare.', 'object.'));
  return names
    .filter((name) => name !== 'registry' && !name.startsWith('bell.') && !isSpare(name))
    .toSorted();
}

/** Removes an object's file as somebody does who wants to be rid of it: both of its names. */
export function removeObjectFile(directory: string, file: string): void {
  rmSync(path.join(directory, file));
  rmSync(path.join(directory, file.replace('object.', 'spare.')));
}

/** The file of the object of that name, in the HOLDFAST_DIR of this run. */
export function objectFile(name: string): string {
  return path.join(process.env['HOLDFAST_DIR']!, `object.${objectKey(name)}`);
}

/**
 * Writes a word into the file of the object of that name. No process may be using that word at this
 * moment.
 */
export function writeWord(name: string, at: number, value: bigint): void {
  const bytes = Buffer.alloc(8);
  bytes.writeBigUInt64LE(value);
  const fd = openSync(objectFile(name), 'r+');
  writeSync(fd, bytes, 0, 8, at);
  closeSync(fd);
}

/** The file by which Linux shows a named semaphore; undefined on other systems. */
export function semaphoreFile(posixName: string): string | undefined {
  return process.platform === 'linux' ? `/dev/shm/sem.${posixName.slice(1)}` : undefined;
}

export function semaphoreExists(posixName: string): boolean | undefined {
  const file = semaphoreFile(posixName);
  return file === undefined ? undefined : existsSync(file);
}
