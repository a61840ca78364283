// Condition: its name, its file, its lock's name; close(), inspect() and wrong arguments.
import assert from 'node:assert/strict';
import { Condition, Lock, Process, RLock, SharedMemory, attach, list, unlink } from 'holdfast';
import {
  assertRejects,
  assertThrows,
  freshName,
  sharedActors,
  stateOf,
  track,
  until,
  within,
} from '../../support/index.js';
import { lockKinds, open, waits, notified, waiters } from './helpers.js';

describe('Condition', () => {
  describe('names', () => {
    it('without a lock it has an RLock of its own, found again by its name and by attach()', async () => {
      const [there] = await sharedActors('process', 1);
      for (const name of [freshName('condition'), undefined]) {
        const condition = track(new Condition(undefined, name === undefined ? {} : { name }));
        assert.ok(condition.lock instanceof RLock);
        assert.deepEqual(condition.toJSON(), { holdfast: 'Condition', name: condition.name });
        const handle = JSON.parse(JSON.stringify(condition));
        const again = track(attach(handle) as Condition);
        // In the actor it holds by thread, because each command to an actor runs in a task of its
        // own.
        const scope = 'thread';
        const theirs = [await there!.attach({ ...handle, scope })];
        if (name) theirs.push(await there!.make('Condition', undefined, { name, scope }));
        for (const remote of theirs) {
          const wait = await waits(remote, condition, 'sync');
          const guard = again.acquireSync();
          assert.equal(condition.locked(), true);
          assert.equal(again.notify(), 1);
          guard.release();
          await within(wait.wakeup, 'the wake-up');
          await wait.release();
        }
        assert.equal(condition.lock.name, again.lock.name);
      }
    });

    it('attach() and an open without a lock find the lock that was given', async () => {
      for (const kind of lockKinds) {
        const { condition, lock, name } = await open(kind);
        const options = kind === 'Lock' ? { name } : { name, scope: 'thread' as const };
        for (const again of [attach(condition.toJSON()), new Condition(undefined, options)]) {
          track(again);
          assert.equal(again.lock.name, lock.name);
          assert.ok(again.lock instanceof (kind === 'Lock' ? Lock : RLock));
          again.acquireSync();
          assert.equal(lock.locked(), true);
          again.release();
        }
      }
    });

    it('another lock is refused', async () => {
      const { condition, lockName, name } = await open('Lock');
      const other = track(new Lock({ name: freshName('other') }));
      const rlock = track(new RLock({ name: freshName('other') }));
      for (const wrong of [other, rlock]) {
        assertThrows(() => new Condition(wrong, { name }), 'IncompatibleError', {
          kind: 'Condition',
          objectName: name,
        });
      }
      const own = track(new Condition(undefined, { name: freshName('own') }));
      assertThrows(() => new Condition(other, { name: own.name }), 'IncompatibleError');
      assertThrows(() => new Lock({ name }), 'IncompatibleError');
      assertThrows(() => new Condition(undefined, { name: lockName }), 'IncompatibleError');
      // Meanwhile another lock has taken the name of its lock.
      condition.lock.unlink();
      const impostor = track(new Lock({ name: lockName }));
      assertThrows(() => new Condition(impostor, { name }), 'IncompatibleError');
      assert.deepEqual(
        list()
          .filter((entry) => entry.name === name)
          .map(({ kind }) => kind),
        ['Condition'],
      );
    });

    it('exclusive, mustExist, persistent, unlink, list', async () => {
      const name = freshName('condition');
      assertThrows(() => new Condition(undefined, { name, mustExist: true }), 'NotFoundError');
      const ownLocks = () => list().filter((entry) => entry.name.startsWith('lock of Condition'));
      const before = ownLocks().length;
      const condition = new Condition(undefined, { name, exclusive: true, persistent: true });
      assertThrows(() => new Condition(undefined, { name, exclusive: true }), 'ExistsError');
      condition.close();
      condition.close();
      const entry = () => list().find((found) => found.name === name);
      assert.deepEqual(entry(), { kind: 'Condition', name, persistent: true, inUse: false });
      const again = new Condition(undefined, { name, mustExist: true });
      again.unlink();
      assertThrows(() => again.unlink(), 'NotFoundError');
      assert.equal(entry(), undefined);
      const guard = again.acquireSync();
      assert.equal(again.notifyAll(), 0, 'those who have it keep it');
      guard.release();
      again.close();
      assert.equal(ownLocks().length, before, 'its own lock went with it');

      new Condition(undefined, { name, persistent: true }).close();
      unlink('Condition', name);
      assertThrows(() => unlink('Condition', name), 'NotFoundError');
      assert.equal(ownLocks().length, before, 'its own lock went with it');
    });

    it('an object that is not persistent goes with its last user, and so does its own lock', async () => {
      const before = list().length;
      const condition = new Condition(undefined, { name: freshName('condition') });
      assert.equal(list().length, before + 2);
      condition.runExclusive(() => {});
      await until(() => !condition.locked(), 'released');
      condition.close();
      assert.equal(list().length, before);
    });

    it('travels to a Process as an argument', async () => {
      const { condition } = await open('Lock');
      const module = new URL('../../programs/object-targets.mjs', import.meta.url);
      const wait = condition.runExclusive(() => condition.wait());
      await waiters(condition, 1);
      const child = new Process({ module, export: 'notify' }, { args: [condition] }).start();
      await within(wait, 'the wake-up');
      assert.equal(await child.join({ timeout: 20_000 }), true);
      assert.equal(child.exitCode, 0);
    });
  });

  it('close(): waits end, everything after throws ClosedError; not while its own lock is held', async () => {
    const condition = track(new Condition(undefined, { name: freshName('condition') }));
    const guard = condition.acquireSync();
    assertThrows(() => condition.close(), 'HeldError');
    assert.equal(condition.notify(), 0, 'still open');
    const waits = [condition.wait()];
    for (let i = 0; i < 2; i++) {
      await condition.acquire();
      waits.push(condition.wait());
    }
    condition.close();
    for (const wait of waits) {
      await assertRejects(wait, 'ClosedError', { kind: 'Condition', objectName: condition.name });
      if (wait === waits[0]) guard.release();
      else condition.release();
    }
    await assertRejects(condition.wait(), 'ClosedError');
    assertThrows(() => condition.notify(), 'ClosedError');
    assertThrows(() => condition.waitSync(), 'ClosedError');
    assertThrows(() => condition.inspect(), 'ClosedError');
    condition.close();
    await until(() => !list().some(({ name }) => name === condition.name), 'all of it to go');
    await until(
      () => !list().some(({ name }) => name.startsWith('lock of Cond')),
      'its lock to go',
    );
  });

  it('close() of one object does not end waits through others', async () => {
    const { condition, lock, name } = await open('Lock');
    const other = new Condition(lock, { name });
    const wait = condition.runExclusive(() => condition.wait());
    await waiters(condition, 1);
    other.close();
    assert.equal(await stateOf(wait), 'pending');
    await notified(condition);
    await within(wait, 'the wake-up');
  });

  it('inspect()', async () => {
    const { condition, name } = await open('Lock');
    assert.deepEqual(condition.inspect(), {
      kind: 'Condition',
      name,
      waiters: 0,
      notifications: 0,
    });
    const wait = condition.runExclusive(() => condition.wait());
    await waiters(condition, 1);
    const guard = condition.acquireSync();
    condition.notify();
    assert.deepEqual(condition.inspect(), {
      kind: 'Condition',
      name,
      waiters: 0,
      notifications: 1,
    });
    guard.release();
    await wait;
  });

  it('bad input', async () => {
    const lock = track(new Lock());
    const anything = (value: unknown) => value as never;
    for (const wrong of [null, {}, 'name', 1, track(new SharedMemory(8))]) {
      assert.throws(() => new Condition(anything(wrong)), TypeError);
    }
    assert.throws(() => new Condition(lock, anything(1)), TypeError);
    assert.throws(() => new Condition(lock, { name: '' }), RangeError);
    assert.throws(() => new Condition(lock, { name: anything(1) }), TypeError);
    assert.throws(() => new Condition(lock, { persistent: true }), TypeError);
    const gone = new Lock();
    gone.close();
    assertThrows(() => new Condition(gone), 'ClosedError');

    const condition = track(new Condition(lock));
    const guard = condition.acquireSync();
    for (const n of [0, -1, 1.5, NaN, Infinity, 1025]) {
      assert.throws(() => condition.notify(n), RangeError, String(n));
    }
    for (const n of ['1', null, {}]) assert.throws(() => condition.notify(anything(n)), TypeError);
    for (const timeout of [-1, NaN, Infinity, 2 ** 31]) {
      await assert.rejects(condition.wait({ timeout }), RangeError);
      assert.throws(() => condition.waitSync({ timeout }), RangeError);
    }
    await assert.rejects(condition.wait(anything(5)), TypeError);
    await assert.rejects(condition.wait({ signal: anything({}) }), TypeError);
    assert.throws(
      () => condition.waitSync(anything({ signal: new AbortController().signal })),
      TypeError,
    );
    for (const predicate of [undefined, 1, 'x']) {
      await assert.rejects(condition.waitFor(anything(predicate)), TypeError);
      assert.throws(() => condition.waitForSync(anything(predicate)), TypeError);
    }
    assert.equal(lock.locked(), true, 'a refused call does not give the lock up');
    assert.equal(condition.inspect().waiters, 0);
    guard.release();
  });
});
