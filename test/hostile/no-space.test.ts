// Storage, inodes, descriptors and agents run out. Then there is a NoSpaceError, nothing is left
// behind, and everything works again when there is space.
import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import {
  closeSync,
  openSync,
  readFileSync,
  readdirSync,
  rmSync,
  statSync,
  writeSync,
} from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import {
  type RemoteObject,
  allKinds,
  assertError,
  assertRejects,
  mountSmall,
  newProcess,
  objectFiles,
  platform,
  reserveCall,
  run,
  privateMounts,
  registry,
  semaphoreExists,
  temporaryDirectory,
} from '../support/index.js';

function fill(file: string): void {
  const fd = openSync(file, 'w');
  const block = Buffer.alloc(4096);
  try {
    for (;;) writeSync(fd, block);
  } catch (error) {
    assert.equal((error as NodeJS.ErrnoException).code, 'ENOSPC');
  } finally {
    closeSync(fd);
  }
}

describe('no space', () => {
  for (const kind of allKinds) {
    it(`storage is full: ${kind}`, async function () {
      const mount = mountSmall('size=1m');
      if (mount === undefined) this.skip(); // needs the right to mount
      const directory = path.join(mount, 'objects');
      const actor = await newProcess({ env: { HOLDFAST_DIR: directory } });
      const old = await actor.open('Lock', { name: 'old' });
      const once = await actor.open(kind, { name: 'new' });
      await once.close();
      const filler = path.join(mount, 'filler');
      fill(filler);

      const files = readdirSync(directory);
      const about = { kind, objectName: 'new', errno: 'ENOSPC', syscall: reserveCall };
      for (let attempt = 0; attempt < 3; attempt++) {
        await assertRejects(actor.open(kind, { name: 'new' }), 'NoSpaceError', about);
      }
      assert.deepEqual(readdirSync(directory), files);
      if (once.posixName) assert.equal(semaphoreExists(once.posixName), false);
      // An object that is open has its space, so no store into it can fail later.
      await (await old.acquire()).release();
      await old.inspect();

      rmSync(filler);
      const fresh = await actor.open(kind, { name: 'new' });
      await (await fresh.acquire()).release();
    });
  }

  it('storage is full: a queue has to grow', async function () {
    const mount = mountSmall('size=1m');
    if (mount === undefined) this.skip(); // needs the right to mount
    const env = { HOLDFAST_DIR: path.join(mount, 'objects') };
    const args = [path.join(mount, 'filler')];
    const { stdout } = await run('full-storage.mjs', { args, env });
    const waited = 'ERR_HOLDFAST_TIMEOUT ERR_HOLDFAST_NO_SPACE';
    assert.deepEqual(stdout.trim().split('\n'), [
      `put ${waited}`,
      `putSync ${waited}`,
      `putMany ${waited}`,
      `putManySync ${waited}`,
      `put at once ${waited}`,
      `send ${waited}`,
      `sendSync ${waited}`,
      'tryPut false',
      'too large for the ring ERR_HOLDFAST_NO_SPACE no cause',
      'get ERR_HOLDFAST_TIMEOUT no cause',
      '2',
    ]);
  });

  it('there is no space for the registry', async function () {
    const mount = mountSmall('size=128k');
    if (mount === undefined) this.skip(); // needs the right to mount
    const directory = path.join(mount, 'objects');
    const actor = await newProcess({ env: { HOLDFAST_DIR: directory } });
    const about = { kind: 'Lock', objectName: 'it', errno: 'ENOSPC', syscall: reserveCall };
    for (let attempt = 0; attempt < 3; attempt++) {
      await assertRejects(actor.open('Lock', { name: 'it' }), 'NoSpaceError', about);
      assert.deepEqual(readdirSync(directory), []);
    }
    execFileSync('mount', ['-o', 'remount,size=1m', mount]);
    await (await (await actor.open('Lock', { name: 'it' })).acquire()).release();
  });

  it('inodes have run out', async function () {
    // Inodes for the root of the file system, our directory, the registry, one doorbell, one
    // object.
    const mount = mountSmall('nr_inodes=5');
    if (mount === undefined) this.skip(); // needs the right to mount
    const directory = path.join(mount, 'objects');
    const env = { HOLDFAST_DIR: directory };
    const actor = await newProcess({ env });
    const old = await actor.open('Lock', { name: 'old' });
    const files = readdirSync(directory).toSorted();
    assert.equal(files.length, 3);
    await assertRejects(actor.open('RLock', { name: 'new' }), 'NoSpaceError', {
      errno: 'ENOSPC',
      syscall: 'open',
    });
    const second = await newProcess({ env });
    await assertRejects(second.open('Lock', { name: 'old' }), 'NoSpaceError', {
      errno: 'ENOSPC',
      syscall: 'mkfifo',
    });
    assert.deepEqual(readdirSync(directory).toSorted(), files);
    execFileSync('mount', ['-o', 'remount,nr_inodes=50', mount]);
    await (await (await actor.open('RLock', { name: 'new' })).acquire()).release();
    const theirs = await second.open('Lock', { name: 'old' });
    const hold = await old.acquire();
    assert.equal(await theirs.tryAcquire(), null);
    await hold.release();
  });

  it('there is no space for a semaphore', async function () {
    const mounts = privateMounts();
    if (mounts === undefined) this.skip(); // needs a mount namespace
    // Semaphores live in /dev/shm, the objects elsewhere.
    const actor = await newProcess({
      env: { HOLDFAST_DIR: path.join(temporaryDirectory(os.tmpdir()), 'objects') },
      wrapper: mounts('mount -t tmpfs -o size=4k tmpfs /dev/shm'),
    });
    // The first semaphore takes the only page.
    let error: unknown;
    const made: RemoteObject[] = [];
    while (error === undefined && made.length < 10) {
      await actor
        .open('Semaphore', { name: `s${made.length}` })
        .then((it) => made.push(it))
        .catch((caught: unknown) => (error = caught));
    }
    assertError(error, 'NoSpaceError', { kind: 'Semaphore', errno: 'ENOSPC' });
    const words = platform === 'darwin' ? /\(sysctl kern\.posix\.sem\.max\)/ : /\/dev\/shm is full/;
    assert.match((error as Error).message, words);
    assert.equal((await actor.list()).length, made.length);
    await made.pop()!.close();
    await (await (await actor.open('Lock', { name: 'again' })).acquire()).release();
  });

  for (const limit of [48, 64, 100]) {
    it(`descriptors have run out (ulimit -n ${limit})`, async () => {
      const directory = temporaryDirectory();
      const wrapper = ['sh', '-c', `ulimit -n ${limit}; exec "$@"`, 'sh'];
      const actor = await newProcess({ env: { HOLDFAST_DIR: directory }, wrapper });
      const opened: RemoteObject[] = [];
      const kinds: string[] = [];
      let error: unknown;
      while (error === undefined) {
        assert.ok(opened.length <= limit, 'it has to run out');
        const kind = allKinds[opened.length % 3]!;
        await actor
          .open(kind, { name: `n${opened.length}` })
          .then((it) => opened.push(it) && kinds.push(kind))
          .catch((caught: unknown) => (error = caught));
      }
      const objectName = `n${opened.length}`;
      assertError(error, 'NoSpaceError', { objectName, errno: 'EMFILE', syscall: 'open' });
      const words = platform === 'darwin' ? /\(ulimit -n; launchctl limit/ : /\(ulimit -n\)/;
      assert.match((error as Error).message, /: close some, or raise the limit/);
      assert.match((error as Error).message, words);
      assert.ok(opened.length > 3, `${opened.length} were opened before`);
      assert.equal(objectFiles(directory).length, opened.length, 'nothing is left of the last one');

      // Everything that is open works without another descriptor, with every way to wait.
      for (const [i, object] of opened.entries()) {
        const hold = await (i % 2 ? object.acquire() : object.acquireSync());
        if (kinds[i] !== 'RLock') {
          assert.equal(await object.tryAcquire(), null);
          const wait = object.acquire();
          await assertRejects(object.acquireSync({ timeout: 1 }), 'TimeoutError');
          await object.release();
          await wait;
          await object.release();
        } else await hold.release();
      }
      // An agent that cannot open the doorbell of an owner does not learn of its death.
      const other = await newProcess({ env: { HOLDFAST_DIR: directory } });
      const lock = opened[kinds.indexOf('Lock')]!;
      const theirs = await other.open('Lock', { name: lock.name });
      const held = await theirs.acquire();
      assert.equal(await lock.tryAcquire(), null);
      await assertRejects(lock.acquire({ timeout: 150 }), 'TimeoutError');
      assert.equal(await lock.locked(), true);
      // It has no descriptor to wake a waiter with, so the waiter notices the release at its next
      // slice.
      await held.release();
      const mine = await lock.acquire();
      const wait = theirs.acquire();
      await wait.started;
      await mine.release();
      await (await wait).release();

      for (const object of opened.splice(-3)) await object.close();
      for (const kind of allKinds) {
        const again = await actor.open(kind, { name: `again ${kind}` });
        await (await again.acquire()).release();
        await again.close();
      }
      await actor.reset();
      await other.reset();
      assert.deepEqual(objectFiles(directory), []);
      for (const { posixName } of opened) {
        if (posixName) assert.notEqual(semaphoreExists(posixName), true);
      }
    });
  }

  // 4,096 agents would cost 4,096 threads, so they are forged: slots with an id and without a
  // doorbell. Such an agent counts as alive if its process lives, and here that is the process of
  // the test.
  it('all 4096 agents are taken', async function () {
    if (platform === 'linux' && process.platform !== 'linux') this.skip();
    const directory = temporaryDirectory();
    const env = { HOLDFAST_DIR: directory };
    const first = await newProcess({ env });
    const lock = await first.open('Lock', { name: 'it' });
    const file = path.join(directory, 'registry');
    const forged = Buffer.from(readFileSync(file));
    const whole = Buffer.from(forged);
    const namespace = platform === 'linux' ? statSync('/proc/self/ns/pid').ino : 0;
    for (let slot = 0; slot < registry.slotCount; slot++) {
      const at = registry.slots + slot * registry.slotLength;
      if (forged.readBigUInt64LE(at + registry.id) !== 0n) continue; // the first one's own
      forged.writeUInt32LE(namespace, at + registry.pidNamespace);
      forged.writeUInt32LE(process.pid, at + registry.pid);
      forged.writeBigUInt64LE((77n << 12n) | BigInt(slot), at + registry.id);
    }
    writeInto(file, forged);
    const other = await newProcess({ env });
    const about = { kind: 'Lock', objectName: 'it' };
    await assertRejects(other.open('Lock', { name: 'it' }), 'NoSpaceError', about);
    await assertRejects(other.list(), 'NoSpaceError');
    // Agents that have a slot go on.
    await (await lock.acquire()).release();
    await (await first.open('RLock', { name: 'more' })).acquire();
    // One of the forged agents dies, and the new process gets its slot.
    const last = registry.slots + (registry.slotCount - 1) * registry.slotLength;
    forged.writeUInt32LE(await pidOfTheDead(), last + registry.pid);
    writeInto(file, forged);
    const theirs = await other.open('Lock', { name: 'it' });
    await (await theirs.acquire()).release();
    assert.equal(readdirSync(directory).filter((file) => file.startsWith('bell.')).length, 2);
    await other.leave();
    writeInto(file, whole); // or the forged ones would live as long as this process
  });
});

/** Writes into the file that others have mapped. */
function writeInto(file: string, bytes: Buffer): void {
  const fd = openSync(file, 'r+');
  writeSync(fd, bytes, registry.slots, bytes.length - registry.slots, registry.slots);
  closeSync(fd);
}

async function pidOfTheDead(): Promise<number> {
  const dead = await newProcess();
  await dead.kill();
  return dead.pid;
}
