// Must show: those who use what somebody removes by hand learn it within a slice, whatever they do:
// they wait, they hold, or they acquire again and again.
import assert from 'node:assert/strict';
import { rmSync } from 'node:fs';
import path from 'node:path';
import {
  type ProcessActor,
  type RemoteObject,
  assertRejects,
  newProcess,
  objectFiles,
  platform,
  removeObjectFile,
  semaphoreFile,
  temporaryDirectory,
  until,
  run,
} from '../support/index.js';
import { semaphoreName } from '../programs/semaphore-name.mjs';

const excluding = ['Lock', 'RLock', 'BoundedSemaphore', 'ReadWriteLock'] as const;
const more = (kind: string) => (kind.endsWith('Semaphore') ? [1] : []);
const method = (kind: string, name: 'acquire' | 'tryAcquire') =>
  kind === 'ReadWriteLock' ? `${name}Exclusive` : name;

const leftSemaphores: string[] = [];

class Couple {
  readonly directory = path.join(temporaryDirectory(), 'objects');
  one!: ProcessActor;
  two!: ProcessActor;

  async begin(): Promise<this> {
    [this.one, this.two] = await Promise.all([this.enter(), this.enter()]);
    await this.one.act('collectWarnings', {});
    return this;
  }

  enter(): Promise<ProcessActor> {
    return newProcess({ env: { HOLDFAST_DIR: this.directory } });
  }

  async openBoth(kind: string, name = 'it'): Promise<[RemoteObject, RemoteObject]> {
    const open = (actor: ProcessActor) => actor.make(kind, ...more(kind), { name });
    return [await open(this.one), await open(this.two)];
  }

  /** The files of objects, or all. */
  removeObjects(): void {
    for (const file of objectFiles(this.directory)) removeObjectFile(this.directory, file);
  }
  removeAll(): void {
    // The program sweeps them, but not on macOS, where nobody can list semaphores.
    if (platform === 'darwin') {
      leftSemaphores.push(`/dev/shm/sem.${semaphoreName(this.directory, 'it')}`);
    }
    rmSync(this.directory, { recursive: true });
  }
}

const isCompromised = (actor: ProcessActor, guard: RemoteObject) =>
  actor.act<boolean>('compromised', { guard });

describe('what is removed while it is used', () => {
  // Somebody enters another directory, and takes away the semaphores of those that were removed.
  after(async () => {
    for (const file of leftSemaphores) rmSync(file, { force: true });
    const last = await newProcess({ env: { HOLDFAST_DIR: temporaryDirectory() } });
    await last.open('RLock', { name: 'it' });
    await last.leave();
  });

  for (const removed of ['removeAll', 'removeObjects'] as const) {
    for (const kind of excluding) {
      it(`${removed}: ${kind}: holders and waiters learn it, and can begin anew`, async () => {
        const couple = await new Couple().begin();
        const { one, two } = couple;
        const [ours, theirs] = await couple.openBoth(kind);
        const guard = (await ours.keep(method(kind, 'acquire'))).remote;
        assert.equal(await isCompromised(one, guard), false);
        const wait = theirs.begin(method(kind, 'acquire'));
        await wait.started;
        couple[removed]();
        await assertRejects(wait, 'RemovedError');
        assert.equal(await isCompromised(one, guard), true);
        const warned = () => one.act<string[]>('warned', {});
        await until(async () => (await warned()).length > 0, 'the warning');
        const about = { kind, objectName: 'it' };
        await assertRejects(one.open(kind, { name: 'it' }, 1), 'RemovedError', about);
        // The holder of an RLock goes one deeper, as it may: that lets nobody in.
        if (kind !== 'RLock') {
          await assertRejects(ours.call(method(kind, 'tryAcquire')), 'RemovedError', about);
        }
        assert.deepEqual(await warned(), ['ERR_HOLDFAST_REMOVED'], 'once');
        await guard.call('release');
        assert.equal(await isCompromised(one, guard), false, 'it holds nothing any more');
        await ours.close();
        await theirs.close();
        if (removed === 'removeAll') await two.kill();
        const anew = await one.open(kind, { name: 'it' }, 1);
        await (await anew.keep(method(kind, 'tryAcquire'))).remote.call('release');
      });
    }
  }

  it('a holder that does nothing is warned', async () => {
    const couple = await new Couple().begin();
    const [ours] = await couple.openBoth('RLock');
    await ours.acquire();
    couple.removeAll();
    const warned = () => couple.one.act<string[]>('warned', {});
    await until(async () => (await warned()).length > 0, 'the warning');
  });

  it('a thread that never waits learns it', async () => {
    const couple = await new Couple().begin();
    const [ours] = await couple.openBoth('RLock');
    const refused = couple.one.act<string>('acquireUntilRefused', { object: ours });
    couple.removeAll();
    assert.equal(await refused, 'RemovedError');
  });

  it('a blocked thread learns it', async () => {
    const couple = await new Couple().begin();
    const [ours, theirs] = await couple.openBoth('Lock');
    await ours.acquire();
    const wait = theirs.acquireSync();
    await wait.started;
    couple.removeAll();
    await assertRejects(wait, 'RemovedError');
  });

  it('nothing is put into a removed queue, and nobody waits for it', async () => {
    const couple = await new Couple().begin();
    const [ours, theirs] = await couple.openBoth('Queue');
    const wait = theirs.start('get');
    await wait.started;
    couple.removeObjects();
    await assertRejects(wait, 'RemovedError', { kind: 'Queue', objectName: 'it' });
    await assertRejects(ours.call('put', 1), 'RemovedError');
    await assertRejects(ours.call('putSync', 1), 'RemovedError');
  });

  it('a thread with a hundred holds learns it, although it looks at them by turns', async () => {
    const { code, said, stderr } = await run('many-removed.mjs');
    assert.equal(code, 0, stderr);
    const [warnings, looks, posixName] = said[0] as [number, number, string];
    const semaphore = semaphoreFile(posixName);
    if (semaphore !== undefined) rmSync(semaphore, { force: true });
    assert.equal(warnings, 1, `after ${looks} looks`);
  });

  it('unlink() is no removal: those who have the object keep it', async () => {
    const couple = await new Couple().begin();
    const [ours, theirs] = await couple.openBoth('RLock');
    const guard = (await ours.keep()).remote;
    await theirs.unlink();
    await couple.two.open('RLock', { name: 'it' });
    assert.equal(await isCompromised(couple.one, guard), false);
    await assertRejects(theirs.acquire({ timeout: 120 }), 'TimeoutError');
    await guard.call('release');
    await theirs.acquire();
  });
});

describe('semaphores that are removed while their objects are used', () => {
  before(function () {
    if (platform === 'darwin') this.skip(); // they are no files there
  });

  it('Lock: newcomers and old users exclude each other', async () => {
    const couple = await new Couple().begin();
    const [ours, theirs] = await couple.openBoth('Lock');
    const hold = await ours.acquire();
    rmSync(semaphoreFile(ours.posixName)!);
    const newcomer = await (await couple.enter()).open('Lock', { name: 'it' });
    assert.equal(await newcomer.tryAcquire(), null);
    await assertRejects(newcomer.acquire({ timeout: 120 }), 'TimeoutError');
    const locks = [newcomer, theirs, ours, newcomer];
    let holder = hold;
    for (const lock of locks) {
      const wait = lock.acquire();
      await wait.started;
      await holder.release();
      holder = await wait;
      assert.equal(holder.abandoned, false);
      for (const other of locks) if (other !== lock) assert.equal(await other.tryAcquire(), null);
    }
  });

  it('Semaphore: a newcomer is told, until the old users have closed it', async () => {
    const couple = await new Couple().begin();
    const [ours, theirs] = await couple.openBoth('Semaphore');
    rmSync(semaphoreFile(ours.posixName)!);
    const newcomer = await couple.enter();
    const about = { kind: 'Semaphore', objectName: 'it', errno: 'ENOENT', syscall: 'sem_open' };
    await assertRejects(newcomer.open('Semaphore', { name: 'it' }, 1), 'RemovedError', about);
    // What they share, they share still.
    await ours.acquire();
    assert.equal(await theirs.tryAcquire(), null);
    await ours.close();
    await theirs.close();
    await (await newcomer.open('Semaphore', { name: 'it' }, 1)).acquire();
  });
});
