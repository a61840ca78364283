// What is special in a Semaphore: a count, and no owner.
import assert from 'node:assert/strict';
import { Semaphore, attach } from 'holdfast';
import {
  type Hold,
  acquire,
  assertRejects,
  assertThrows,
  forms,
  freshName,
  newActor,
  platform,
  sharedActor,
  track,
  until,
  waiting,
} from '../../support/index.js';

const open = (initial?: number, name = freshName('Semaphore')) =>
  track(new Semaphore(initial, { name }));
const largest = 32767;

describe('Semaphore', () => {
  it('gives the number of permits that it has', async () => {
    const semaphore = open(3);
    assert.equal(semaphore.value(), 3);
    assert.equal(semaphore.tryAcquire(), true);
    semaphore.acquireSync();
    assert.equal(await semaphore.acquire(), undefined);
    assert.equal(semaphore.value(), 0);
    assert.equal(semaphore.tryAcquire(), false);
    assertThrows(() => semaphore.acquireSync({ timeout: 10 }), 'TimeoutError');
    semaphore.release(2);
    assert.equal(semaphore.value(), 2);
    const { kind, value, initial, acquisitions } = semaphore.inspect();
    assert.deepEqual([kind, value, initial, acquisitions], ['Semaphore', 2, 3, 3]);
  });

  it('begins with 1 permit by default, with 0 if told so, and may have more later', () => {
    assert.equal(open().value(), 1);
    const semaphore = open(0);
    assert.equal(semaphore.tryAcquire(), false);
    semaphore.release(5);
    assert.equal(semaphore.value(), 5);
  });

  it('has no owner: another thread or process gives back what this one took', async () => {
    const name = freshName();
    const semaphore = open(1, name);
    for (const place of ['worker', 'process'] as const) {
      const other = await (await sharedActor(place)).open('Semaphore', { name });
      semaphore.acquireSync();
      await other.release();
      assert.equal(semaphore.value(), 1);
      await other.acquire();
      assert.equal(semaphore.value(), 0);
      semaphore.release();
      assert.equal(await other.value(), 1);
    }
  });

  for (const form of forms) {
    it(`release(n) wakes n ${form} waiters, each a process`, async () => {
      const name = freshName();
      const semaphore = open(0, name);
      const witness = await (await sharedActor('thread')).open('Semaphore', { name });
      const processes = await Promise.all([1, 2, 3, 4].map(() => newActor('process')));
      const remotes = await Promise.all(processes.map((it) => it.open('Semaphore', { name })));
      const waits = remotes.map((remote) => acquire(remote, form));
      const woken = new Set<Promise<Hold>>();
      for (const wait of waits) void wait.then(() => woken.add(wait)).catch(() => {});
      await waiting(witness, 4);
      semaphore.release(3);
      await waiting(witness, 1);
      await until(() => woken.size === 3, 'three are woken');
      assert.equal(semaphore.value(), 0);
      semaphore.release();
      await Promise.all(waits);
      assert.equal(semaphore.inspect().acquisitions, 4);
    });
  }

  it('release(n) serves n waiters of one thread, in order', async () => {
    const semaphore = open(0);
    const order: number[] = [];
    const waits = [0, 1, 2, 3, 4].map((i) => semaphore.acquire().then(() => order.push(i)));
    semaphore.release(3);
    await Promise.all(waits.slice(0, 3));
    assert.deepEqual(order, [0, 1, 2]);
    semaphore.release(2);
    await Promise.all(waits);
    assert.deepEqual(order, [0, 1, 2, 3, 4]);
  });

  it('up to 32767 permits; a release past that is an OverReleaseError, and adds nothing', () => {
    const name = freshName();
    const semaphore = open(largest, name);
    const about = { kind: 'Semaphore', objectName: name };
    assertThrows(() => semaphore.release(), 'OverReleaseError', about);
    semaphore.acquireSync();
    semaphore.acquireSync();
    assertThrows(() => semaphore.release(3), 'OverReleaseError', about);
    assert.equal(semaphore.value(), largest - 2);
    semaphore.release(2);
    assert.equal(semaphore.value(), largest);
    const empty = open(0);
    empty.release(largest);
    assert.equal(empty.value(), largest);
  });

  it('a wrong count changes nothing', () => {
    for (const initial of [-1, 1.5, NaN, Infinity, largest + 1, 2 ** 32, 2 ** 31]) {
      assert.throws(() => new Semaphore(initial), RangeError, String(initial));
    }
    for (const initial of ['1', null, {}, 1n, true]) {
      assert.throws(() => new Semaphore(initial as never), TypeError, String(initial));
    }
    const semaphore = open(1);
    for (const n of [0, -1, 0.5, NaN, Infinity, largest + 1]) {
      assert.throws(() => semaphore.release(n), RangeError, String(n));
    }
    for (const n of ['1', null, {}, 1n]) {
      assert.throws(() => semaphore.release(n as never), TypeError, String(n));
    }
    assert.equal(semaphore.value(), 1);
  });

  it('without an initial value a new one has 1 permit, and an existing one keeps its value', () => {
    const semaphore = track(new Semaphore());
    assert.deepEqual([semaphore.value(), semaphore.inspect().initial], [1, 1]);
    const three = open(3);
    three.acquireSync();
    assert.equal(open(undefined, three.name).value(), 2);
  });

  it('the same name with another initial value is an IncompatibleError', async () => {
    const name = freshName();
    const semaphore = open(2, name);
    semaphore.acquireSync();
    const about = { kind: 'Semaphore', objectName: name };
    assertThrows(() => new Semaphore(3, { name }), 'IncompatibleError', about);
    // To give 1 is not the same as to leave it out.
    assertThrows(() => new Semaphore(1, { name }), 'IncompatibleError', about);
    const process = await sharedActor('process');
    await assertRejects(process.open('Semaphore', { name }, 5), 'IncompatibleError', about);
    assert.equal(track(new Semaphore(undefined, { name })).value(), 1);
    assert.equal(track(new Semaphore(2, { name })).value(), 1);
    assert.equal((track(attach(semaphore.toJSON())) as Semaphore).inspect().initial, 2);
  });

  it('a permit that a dead process took does not come back; one that it added stays', async () => {
    const name = freshName();
    const semaphore = open(2, name);
    const process = await newActor('process');
    const theirs = await process.open('Semaphore', { name });
    await theirs.acquire();
    await theirs.acquire();
    await theirs.release();
    await process.kill();
    assert.equal(semaphore.value(), 1);
  });

  it('posixName is a name for sem_open(3) that fits every system', async () => {
    const name = freshName();
    const semaphore = open(1, name);
    assert.match(semaphore.posixName, /^\/hf-[0-9a-f-]+$/);
    assert.ok(semaphore.posixName.length <= 30, 'PSEMNAMLEN of macOS');
    const other = await (await sharedActor('process')).open('Semaphore', { name });
    assert.equal(other.posixName, semaphore.posixName);
    assert.notEqual(open(1).posixName, semaphore.posixName);
  });

  it(`value() of a semaphore that nobody else posts to is exact (${platform})`, async () => {
    const name = freshName();
    const semaphore = open(10, name);
    const others = await Promise.all(
      [sharedActor('worker'), sharedActor('process')].map(async (it) =>
        (await it).open('Semaphore', { name }),
      ),
    );
    for (let i = 0; i < 20; i++) {
      await others[i % 2]!.acquire();
      if (i % 3 === 0) semaphore.acquireSync();
      if (i % 3 === 0) await others[1 - (i % 2)]!.release(2);
      else semaphore.release();
      assert.equal(semaphore.value(), 10);
      assert.equal(await others[0]!.value(), 10);
    }
  });
});
