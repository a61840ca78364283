// The name by which shm_open(3) opens the bytes of a SharedMemory.
//
// On Linux shm_open() opens a file of /dev/shm. The file of an object may be in a folder there, and
// shm_open() takes no names with a slash. So the file gets a second name in /dev/shm itself. It
// goes with the object: see Store::destroy in native/core/store/destroy.cc.
import { linkSync, statSync } from 'node:fs';
import path from 'node:path';
import { kinds } from '../native/enums.js';
import { addon } from '../native/load.js';
import { enterDirectory, fileKey } from './shared.js';

/** kShortNameMax in native/core/layout.h. */
const longestShort = 255;

/**
 * Gives the file of a SharedMemory its name, if it has none yet. undefined where it can have none:
 * if the objects are not in the file system of /dev/shm, if its own name was taken away, or if that
 * is so long that the file has it in front of the bytes.
 */
export function posixNameOf(name: string): string | undefined {
  const home = addon.shmDirectory;
  if (home === undefined || Buffer.byteLength(name) > longestShort) return undefined;
  const file = path.join(enterDirectory(), `object.${fileKey(name)}`);
  const prefix = addon.enter(kinds.SharedMemory, name);
  const posixName = `/hf-${prefix}m${fileKey(name)}`;
  const another = path.join(home, posixName);
  try {
    linkSync(file, another);
  } catch {
    if (!isSameFile(file, another)) return undefined;
  }
  return posixName;
}

function isSameFile(one: string, another: string): boolean {
  try {
    const [a, b] = [one, another].map((file) => statSync(file, { bigint: true }));
    return a!.ino === b!.ino && a!.dev === b!.dev;
  } catch {
    return false;
  }
}
