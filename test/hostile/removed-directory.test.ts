// Must show: a user who removes the directory, or what is in it, under its users, never makes two
// holders. Nobody makes anything anew under the old names while those users live.
import assert from 'node:assert/strict';
import { mkdirSync, mkdtempSync, readdirSync, renameSync, rmSync } from 'node:fs';
import path from 'node:path';
import {
  type Actor,
  type ProcessActor,
  assertError,
  newProcess,
  privateMounts,
  temporaryDirectory,
  until,
} from '../support/index.js';

const emptied = (directory: string) => {
  for (const name of readdirSync(directory)) rmSync(path.join(directory, name));
};
const gone = (directory: string) => rmSync(directory, { recursive: true });

const removals: [title: string, remove: (directory: string) => void][] = [
  ['removed', gone],
  ['emptied', emptied],
  ['emptied but for the objects', (directory) => rmSync(path.join(directory, 'registry'))],
  [
    'replaced',
    (directory) => {
      gone(directory);
      mkdirSync(directory, { mode: 0o700 });
    },
  ],
  ['moved away', (directory) => renameSync(directory, `${directory}.old`)],
  [
    'removed with its parent',
    (directory) => {
      gone(path.dirname(directory));
      mkdirSync(path.dirname(directory));
    },
  ],
  [
    'moved away with its parent',
    (directory) => {
      renameSync(path.dirname(directory), `${path.dirname(directory)}.old`);
      mkdirSync(directory, { recursive: true, mode: 0o700 });
    },
  ],
];

/** A directory with a parent of its own. */
function madeDirectory(): string {
  const directory = path.join(temporaryDirectory(), 'parent', 'objects');
  mkdirSync(directory, { recursive: true, mode: 0o700 });
  return directory;
}

const enter = (directory: string, wrapper: string[] = []) =>
  newProcess({ env: { HOLDFAST_DIR: directory }, wrapper });

/** The newcomer is refused, and told who is in the way. */
async function assertRefused(newcomer: Actor, users: ProcessActor[]): Promise<void> {
  let error: unknown;
  await newcomer.open('RLock', { name: 'it' }).catch((caught: unknown) => (error = caught));
  assertError(error, 'RemovedError', { kind: 'RLock', objectName: 'it' });
  const { message } = error as Error;
  const named = /while process(?:es)? ([\d, ]+) used it/
    .exec(message)?.[1]
    ?.split(', ')
    .map(Number);
  const pids = users.map(({ pid }) => pid).toSorted((a, b) => a - b);
  assert.deepEqual(named, pids, message);
}

describe('a directory that is removed while it is in use', () => {
  for (const [title, remove] of removals) {
    it(`${title}: nobody makes it anew until its users have ended`, async () => {
      const directory = madeDirectory();
      const users = await Promise.all([enter(directory), enter(directory)]);
      const lock = await users[0].open('RLock', { name: 'it' });
      await users[1].open('RLock', { name: 'it' });
      await lock.acquire();
      remove(directory);
      const newcomer = await enter(directory);
      await assertRefused(newcomer, users);
      await users[1].kill();
      await assertRefused(newcomer, [users[0]]);
      await users[0].kill();
      const anew = await newcomer.open('RLock', { name: 'it' });
      await (await anew.acquire()).release();
      // From here on the directory is as good as any.
      const next = await enter(directory);
      const same = await next.open('RLock', { name: 'it' });
      const hold = await anew.acquire();
      assert.equal(await same.tryAcquire(), null);
      await hold.release();
    });
  }

  it('a user that is about to leave is waited for', async () => {
    const directory = madeDirectory();
    const user = await enter(directory);
    await user.open('RLock', { name: 'it' });
    gone(directory);
    const newcomer = await enter(directory);
    const left = user.leave();
    await until(async () => {
      try {
        return Boolean(await newcomer.open('RLock', { name: 'it' }));
      } catch (error) {
        assertError(error, 'RemovedError');
        return false;
      }
    }, 'the newcomer');
    await left;
  });

  it('a directory of the same path in another container is no matter', async function () {
    const mounts = privateMounts();
    if (mounts === undefined) this.skip(); // needs a mount namespace
    const parent = temporaryDirectory();
    const directory = path.join(parent, 'objects');
    const user = await enter(directory);
    await user.open('RLock', { name: 'it' });
    // A root of its own as well: that of a container is not this one.
    const other = await enter(directory, mounts(`mount -t tmpfs tmpfs "${parent}"`));
    await assert.doesNotReject(other.open('RLock', { name: 'it' }));
  });

  it('seen under another path, it is the same', async function () {
    const mounts = privateMounts();
    if (mounts === undefined) this.skip(); // needs a mount namespace
    const directory = madeDirectory();
    const other = mkdtempSync(path.join(temporaryDirectory(), 'other-'));
    const user = await enter(directory);
    await user.open('RLock', { name: 'it' });
    gone(directory);
    const mount = mounts(`mount --bind "${path.dirname(directory)}" "${other}"`);
    const newcomer = await enter(path.join(other, 'objects'), mount);
    await assertRefused(newcomer, [user]);
  });
});
