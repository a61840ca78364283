// Root hooks of mocha, registered when the first suite imports ./index.js. Every test starts with
// actors that hold nothing, and leaves nothing for the next one.
import { HeldError, list, unlink } from 'holdfast';
import { endActors, resetActors } from './actors.js';
import { removeTemporaryDirectories } from './directory.js';
import { unmount } from './mounts.js';
import { endPrograms } from './program.js';

let used: string[] = [];

/** Returns a name that no other test uses. */
export function freshName(label = 'test'): string {
  const name = `${label} ${process.pid} ${++counter}`;
  used.push(name);
  return name;
}
let counter = 0;

interface Tracked {
  close(): void;
  release?(): void;
}

/**
 * Closes the object after the test, even if the test fails. The object that was opened last is
 * closed first.
 */
export function track<T extends Tracked>(object: T): T {
  tracked.push(object);
  return object;
}
const tracked: Tracked[] = [];

function letGo(object: Tracked): void {
  for (;;) {
    try {
      return object.close();
    } catch (error) {
      if (!(error instanceof HeldError)) throw error;
      // Only a test that failed leaves a hold that cannot be released here. That hold stays until
      // the run ends.
      if (object.release === undefined) return;
      object.release();
    }
  }
}

afterEach(async () => {
  for (const object of tracked.splice(0).reverse()) letGo(object);
  await endPrograms();
  await resetActors();
  // An object that a test abandoned keeps the unreported death for a next holder, which never
  // comes. The same is true of a Condition's own lock whose holder was killed.
  const names = new Set(used);
  used = [];
  for (const { kind, name, inUse } of list()) {
    if (!inUse && (names.has(name) || name.startsWith('lock of Condition '))) unlink(kind, name);
  }
  removeTemporaryDirectories(unmount);
});

after(async () => {
  await endActors();
  removeTemporaryDirectories(unmount); // what the last hook of a file has made
});
