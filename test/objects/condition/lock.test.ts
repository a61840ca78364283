// Condition and its lock: a wait releases the lock whole, and holds it again at its end.
import assert from 'node:assert/strict';
import { Condition, Lock, RLock, list } from 'holdfast';
import {
  assertRejects,
  assertThrows,
  forms,
  freshName,
  now,
  sharedActors,
  stateOf,
  track,
  twoSlices,
  until,
  within,
} from '../../support/index.js';
import { lockKinds, open, notified, waiters } from './helpers.js';

describe('Condition', () => {
  describe('its lock', () => {
    it('an RLock is given up whole, and afterwards is as deep as before', async () => {
      const [there] = await sharedActors('process', 1);
      const { condition, remotes, lock } = await open('RLock', [there!]);
      for (const form of forms) {
        const deep = there!.act<object>('waitDeep', { condition: remotes[0]!, depth: 5, form });
        await waiters(condition, 1);
        const guard = await within(condition.acquire(), 'a lock that was given up');
        assert.equal((lock as RLock).depth(), 1);
        condition.notify();
        guard.release();
        assert.deepEqual(await within(deep, 'the wake-up'), { after: 5, left: 0 });
      }
      assert.equal(lock.locked(), false);
    });

    it('guards from before a wait release after it', async () => {
      for (const kind of lockKinds) {
        const { condition, lock } = await open(kind);
        const guards = [condition.acquireSync()];
        if (kind === 'RLock') guards.push(lock.acquireSync(), await condition.acquire());
        for (let round = 0; round < 3; round++) {
          const wait = condition.wait();
          // The same thread acquires and releases once in between.
          await lock.runExclusive(() => assert.equal(condition.notify(), 1));
          await within(wait, 'the wake-up');
        }
        for (const guard of guards.reverse()) {
          assert.equal(lock.locked(), true);
          guard.release();
          guard.release(); // a second release does nothing
        }
        assert.equal(lock.locked(), false);
      }
    });

    it('a guard from during the wait does not end the hold after it', async () => {
      const { condition, lock } = await open('Lock');
      const outer = condition.acquireSync();
      const wait = condition.wait();
      const inner = await lock.acquire();
      condition.notify();
      lock.release();
      await within(wait, 'the wake-up');
      assertThrows(() => inner.release(), 'NotLockedError');
      assert.equal(lock.locked(), true);
      outer.release();
    });

    it('two tasks of one thread do not share an RLock through it', async () => {
      const { condition, lock } = await open('RLock');
      const first = condition.acquireSync();
      const wait = condition.wait();
      const second = condition.acquireSync();
      condition.notify();
      await twoSlices();
      assert.equal(await stateOf(wait), 'pending', 'the other task of the thread has the lock');
      assert.equal((lock as RLock).depth(), 1);
      second.release();
      await within(wait, 'the wake-up');
      assert.equal((lock as RLock).depth(), 1);
      first.release();
    });

    it('a task that enters the RLock before the wait goes on keeps its hold', async () => {
      const [other] = await sharedActors('process', 1);
      const { condition, lock, remotes } = await open('RLock', [other!]);
      const first = condition.acquireSync();
      const wait = condition.wait();
      const theirs = await remotes[0]!.keep('acquire');
      const abort = new AbortController();
      const ahead = lock.acquire({ signal: abort.signal }).catch(String);
      await remotes[0]!.call('notify');
      await until(() => lock.inspect().waiters === 2, 'two that wait for the lock');
      const released = theirs.remote.call('release');
      const deadline = now() + 10_000;
      // This thread must not serve a wait of its own meanwhile. So its event loop does not turn.
      while (lock.locked() && now() < deadline);
      // From here on the next waiter has the lock. It hears of that when this function returns.
      abort.abort('aborted');
      const second = lock.tryAcquire();
      await within(wait, 'the wake-up');
      assert.equal((lock as RLock).depth(), 2);
      first.release();
      assert.equal(lock.locked(), true);
      second!.release();
      assert.equal(lock.locked(), false);
      assert.equal(await ahead, 'aborted');
      await released;
    });

    it('wait() and notify() without the lock are refused', async () => {
      const [there] = await sharedActors('process', 1);
      for (const kind of lockKinds) {
        const { condition, remotes, name } = await open(kind, [there!]);
        const about = { kind: 'Condition', objectName: name };
        const refused = async () => {
          await assertRejects(condition.wait(), 'NotOwnerError', about);
          await assertRejects(
            condition.waitFor(() => assert.fail('called without the lock')),
            'NotOwnerError',
            about,
          );
          assertThrows(() => condition.waitSync(), 'NotOwnerError', about);
          assertThrows(() => condition.waitForSync(() => 1), 'NotOwnerError', about);
          assertThrows(() => condition.notify(), 'NotOwnerError', about);
          assertThrows(() => condition.notifyAll(), 'NotOwnerError', about);
        };
        await refused();
        const theirs = await remotes[0]!.keep();
        await refused();
        await theirs.remote.call('release');
        assert.equal(condition.inspect().waiters, 0);
      }
    });

    it('is held again after a close, and can be released', async () => {
      for (const kind of lockKinds) {
        for (const form of ['guard', 'lock'] as const) {
          const { condition, lock } = await open(kind);
          const guard = condition.acquireSync();
          const wait = condition.wait();
          condition.close();
          await assertRejects(wait, 'ClosedError');
          assert.equal(lock.inspect().owner?.pid, process.pid);
          if (kind === 'RLock') assert.equal((lock as RLock).depth(), 1);
          (form === 'guard' ? guard : lock).release();
          assert.equal(lock.locked(), false);
          lock.close();
          await until(
            () => !list().some(({ name }) => name === lock.name || name === condition.name),
            'the lock to go with its last user',
          );
        }
      }
    });

    it('may be closed by the caller during a wait', async () => {
      for (const kind of lockKinds) {
        const { condition, lock, lockName, name } = await open(kind);
        const guard = await lock.acquire();
        const wait = condition.wait();
        lock.close();
        const other = track(
          new Condition(
            track(
              kind === 'Lock'
                ? new Lock({ name: lockName })
                : new RLock({ name: lockName, scope: 'thread' }),
            ),
            { name },
          ),
        );
        assert.equal(await notified(other, 1), 1);
        await within(wait, 'the wake-up');
        assert.equal(other.locked(), true);
        if (kind === 'Lock') {
          assertThrows(() => guard.release(), 'ClosedError');
          condition.release();
        } else {
          guard.release(); // through the object that the hold came back through
        }
        assert.equal(other.locked(), false);
      }
    });

    it('the condition’s own lock may be closed, too', async () => {
      const condition = track(new Condition(undefined, { name: freshName('condition') }));
      const guard = condition.acquireSync();
      const wait = condition.wait();
      condition.lock.close();
      await notified(condition);
      await within(wait, 'the wake-up');
      assert.equal(condition.locked(), true);
      guard.release();
      assert.equal(condition.locked(), false);
      assert.equal(condition.inspect().waiters, 0);
    });
  });
});
