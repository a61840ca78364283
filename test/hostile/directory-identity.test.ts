// The POSIX semaphores of a machine share one space of names. Processes share a semaphore if they
// have the same directory, by any path, and not otherwise.
import assert from 'node:assert/strict';
import { cpSync, mkdirSync, readdirSync, rmSync, symlinkSync } from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import {
  type Actor,
  assertRejects,
  mountSmall,
  newProcess,
  objectFiles,
  platform,
  privateMounts,
  semaphoreExists,
  temporaryDirectory,
} from '../support/index.js';

const kinds = ['Lock', 'Semaphore'] as const;
type WithSemaphore = (typeof kinds)[number];

const enter = (directory: string, wrapper: string[] = []) =>
  newProcess({ env: { HOLDFAST_DIR: directory }, wrapper });

/** An object that excludes, in each of two processes. */
async function openBoth(kind: WithSemaphore, [one, two]: Actor[], persistent = false) {
  const options = { name: 'it', persistent };
  return [await one!.open(kind, options, 1), await two!.open(kind, options, 1)] as const;
}

describe('the identity of a directory', () => {
  it('two containers with one /dev/shm and a directory of their own each share nothing', async function () {
    const mounts = privateMounts();
    if (mounts === undefined) this.skip(); // needs a mount namespace
    const directory = temporaryDirectory();
    const mount = mounts(`mount -t tmpfs -o mode=700 tmpfs "${directory}"`);
    const containers = await Promise.all([enter(directory, mount), enter(directory, mount)]);
    for (const kind of kinds) {
      const [ours, theirs] = await openBoth(kind, containers);
      assert.notEqual(ours.posixName, theirs.posixName);
      const hold = await ours.acquire();
      const other = await theirs.acquire({ timeout: 5000 });
      await other.release();
      await theirs.close();
      assert.notEqual(semaphoreExists(ours.posixName), false, 'its end is not the end of ours');
      // Another user of ours finds it held.
      const again = await containers[0]!.open(kind, { name: 'it' }, 1);
      assert.equal(await again.tryAcquire(), null);
      await hold.release();
      await again.close();
      await ours.close();
      assert.notEqual(semaphoreExists(ours.posixName), true);
    }
    assert.deepEqual(objectFiles(directory), [], 'out here it was never used');
  });

  it('two containers with one directory and a /dev/shm of their own never both have a permit', async function () {
    this.timeout(60_000);
    const mounts = privateMounts();
    const [one, two] = [mountSmall('size=16m'), mountSmall('size=16m')];
    if (platform === 'darwin') this.skip(); // the whole machine has one space of semaphores
    if (mounts === undefined || one === undefined || two === undefined) this.skip();
    const directory = temporaryDirectory(os.tmpdir());
    const container = (shm: string) => enter(directory, mounts(`mount --bind "${shm}" /dev/shm`));
    const refused = (actor: Actor, persistent: boolean) =>
      assertRejects(actor.open('Semaphore', { name: 'it', persistent }, 1), 'IncompatibleError', {
        kind: 'Semaphore',
        objectName: 'it',
        errno: 'ENOENT',
        syscall: 'sem_open',
      });
    for (const persistent of [false, true]) {
      const options = { name: 'it', persistent };
      // The first process leaves a semaphore behind, with a permit in it.
      const first = await container(one);
      await first.open('Semaphore', options, 1);
      const other = await container(two);
      await refused(other, persistent);
      await first.kill();
      // Nobody uses it now, so it is made anew, in the other /dev/shm.
      const semaphore = await other.open('Semaphore', options, 1);
      await semaphore.acquire();
      const again = await container(one);
      await refused(again, persistent);
      await semaphore.unlink();
      await other.leave();
      await (await again.open('Semaphore', options, 1)).acquire({ timeout: 5000 });
      await again.leave();
    }
  });

  const otherPaths: [title: string, make: (directory: string) => [string, string[]] | undefined][] =
    [
      [
        'mounted under another path',
        (directory) => {
          const other = temporaryDirectory();
          const wrapper = privateMounts()?.(`mount --bind "${directory}" "${other}"`);
          return wrapper && [other, wrapper];
        },
      ],
      [
        'reached through a symbolic link above it',
        (directory) => {
          const link = path.join(temporaryDirectory(), 'link');
          symlinkSync(path.dirname(directory), link);
          return [path.join(link, path.basename(directory)), []];
        },
      ],
    ];
  for (const [title, make] of otherPaths) {
    it(`one directory ${title} has one identity`, async function () {
      const directory = temporaryDirectory();
      const other = make(directory);
      if (other === undefined) this.skip(); // needs a mount namespace
      // The first process gives the semaphore its name.
      for (const order of ['first', 'second']) {
        const pair = await Promise.all([enter(directory), enter(...other)]);
        if (order === 'second') pair.reverse();
        for (const kind of kinds) {
          const [one, two] = await openBoth(kind, pair);
          assert.equal(one.posixName, two.posixName);
          const hold = await one.acquire();
          assert.equal(await two.tryAcquire(), null);
          const wait = two.acquire({ timeout: 10_000 });
          await wait.started;
          await hold.release();
          await (await wait).release();
          await one.close();
          await two.close();
          assert.notEqual(semaphoreExists(one.posixName), true);
        }
        for (const actor of pair) await actor.leave();
      }
    });
  }

  it('a copy of a directory has semaphores of its own, and its sweep leaves the others', async () => {
    const directory = temporaryDirectory();
    const copy = path.join(temporaryDirectory(), 'copy');
    const one = await enter(directory);
    const persistent = await one.open('Semaphore', { name: 'kept', persistent: true }, 1);
    const lock = await one.open('Lock', { name: 'lock' });
    const hold = await lock.acquire();
    await persistent.acquire();
    mkdirSync(copy, { mode: 0o700 });
    for (const file of objectFiles(directory)) {
      cpSync(path.join(directory, file), path.join(copy, file));
    }
    const two = await enter(copy);
    const kept = await two.open('Semaphore', { name: 'kept', mustExist: true }, 1);
    assert.notEqual(kept.posixName, persistent.posixName);
    await (await kept.acquire({ timeout: 5000 })).release();
    assert.equal(await persistent.tryAcquire(), null, 'nobody has posted ours');
    // No user of the copy holds the lock.
    const theirs = await two.open('Lock', { name: 'lock' });
    assert.equal((await theirs.acquire({ timeout: 5000 })).abandoned, true);
    await theirs.release();
    await theirs.close();
    await kept.unlink();
    await kept.close();
    await two.leave();
    assert.deepEqual(readdirSync(copy), []);
    for (const { posixName } of [persistent, lock]) {
      assert.notEqual(semaphoreExists(posixName), false);
    }
    const third = await enter(directory);
    assert.equal(await (await third.open('Lock', { name: 'lock' })).tryAcquire(), null);
    await hold.release();
    await persistent.unlink();
  });

  it('a directory that is emptied: the next object of the name takes the old semaphore away', async () => {
    const directory = temporaryDirectory();
    const one = await enter(directory);
    const old = await one.open('Lock', { name: 'it' });
    await old.acquire();
    for (const file of readdirSync(directory)) rmSync(path.join(directory, file));
    await one.kill();
    const two = await enter(directory);
    const anew = await two.open('Lock', { name: 'it' });
    assert.equal(anew.posixName, old.posixName);
    await (await anew.acquire({ timeout: 5000 })).release();
    await anew.close();
    assert.notEqual(semaphoreExists(old.posixName), true);
  });
});
