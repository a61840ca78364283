// Must show: semaphores of a directory that was removed do not stay for good, and none of a
// directory that may still be used is taken away.
import assert from 'node:assert/strict';
import { mkdirSync, renameSync, rmSync } from 'node:fs';
import path from 'node:path';
import {
  newProcess,
  platform,
  privateMounts,
  semaphoreExists,
  semaphoreFile,
  temporaryDirectory,
} from '../support/index.js';

const enter = (directory: string, wrapper: string[] = []) =>
  newProcess({ env: { HOLDFAST_DIR: directory }, wrapper });

/** Somebody enters another directory. */
async function sweep(): Promise<void> {
  const passer = await enter(temporaryDirectory());
  await passer.open('RLock', { name: 'it' });
  await passer.leave();
}

describe('semaphores of a removed directory', () => {
  before(function () {
    if (platform === 'darwin') this.skip(); // nobody can list them there
  });

  it('are removed by the next that enters another one, once nobody uses them', async () => {
    const directory = path.join(temporaryDirectory(), 'objects');
    const user = await enter(directory);
    const lock = await user.open('Lock', { name: 'lock' });
    const semaphore = await user.open('Semaphore', { name: 'semaphore' }, 1);
    rmSync(directory, { recursive: true });
    await sweep();
    assert.equal(semaphoreExists(lock.posixName), true, 'it is used');
    assert.equal(semaphoreExists(semaphore.posixName), true, 'it is used');
    await user.kill();
    await sweep();
    assert.equal(semaphoreExists(lock.posixName), false);
    assert.equal(semaphoreExists(semaphore.posixName), false);
  });

  it('those of a directory that is out of sight stay while it is used', async function () {
    const mounts = privateMounts();
    if (mounts === undefined) this.skip(); // needs a mount namespace
    const directory = temporaryDirectory();
    const user = await enter(directory, mounts(`mount -t tmpfs -o mode=700 tmpfs "${directory}"`));
    const lock = await user.open('Lock', { name: 'lock' });
    await sweep();
    assert.equal(semaphoreExists(lock.posixName), true);
    await (await lock.acquire()).release();
    await user.leave();
  });

  it('persistent permits outlast everybody, wherever their directory is', async () => {
    const directory = path.join(temporaryDirectory(), 'objects');
    const user = await enter(directory);
    const options = { name: 'permits', persistent: true };
    const semaphore = await user.open('Semaphore', options, 3);
    await semaphore.acquire();
    // Another one becomes persistent later.
    await user.open('Semaphore', { name: 'later' }, 3);
    const later = await user.open('Semaphore', { name: 'later', persistent: true }, 3);
    await later.acquire();
    await user.kill();
    renameSync(directory, `${directory}.away`);
    mkdirSync(directory, { mode: 0o700 });
    await sweep();
    rmSync(directory, { recursive: true });
    renameSync(`${directory}.away`, directory);
    const next = await enter(directory);
    assert.equal(await (await next.open('Semaphore', options, 3)).value(), 2);
    assert.equal(await (await next.open('Semaphore', { name: 'later' }, 3)).value(), 2);
    for (const { posixName } of [semaphore, later]) rmSync(semaphoreFile(posixName)!);
  });

  it('a Lock that lost its semaphore to a sweep is made whole by the next who opens it', async () => {
    const directory = path.join(temporaryDirectory(), 'objects');
    const user = await enter(directory);
    const lock = await user.open('Lock', { name: 'lock' });
    await lock.acquire();
    await user.kill();
    await sweep();
    assert.equal(semaphoreExists(lock.posixName), false);
    const next = await (await enter(directory)).open('Lock', { name: 'lock' });
    assert.equal((await next.acquire()).abandoned, true);
  });
});
