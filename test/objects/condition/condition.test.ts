// Condition: a wait releases the lock. At its end it holds the lock again, as deep as before,
// however it ends. A notification wakes exactly one wait (INV-17), even if processes die or waits
// give up around it.
import assert from 'node:assert/strict';
import { setTimeout as sleep } from 'node:timers/promises';
import {
  remotePlaces,
  assertTimesOut,
  type Place,
  assertRejects,
  forms,
  newActor,
  settledOf,
  sharedActor,
  sharedActors,
  stateOf,
  twoSlices,
  within,
} from '../../support/index.js';
import { lockKinds, open, type Waiting, waits, notified, waiters } from './helpers.js';

describe('Condition', () => {
  describe('cells', () => {
    it('across processes', async () => {
      const [first, second] = await sharedActors('process', 2);
      for (const kind of lockKinds) {
        const { condition, remotes } = await open(kind, [first!, second!]);
        const wait = await waits(remotes[0]!, condition);
        const guard = await remotes[1]!.keep();
        assert.equal(await remotes[1]!.call('notify'), 1);
        await twoSlices();
        assert.equal(await stateOf(wait.wakeup), 'pending', 'not before it has the lock');
        await guard.remote.call('release');
        assert.deepEqual(await within(wait.wakeup, 'the wake-up'), { abandoned: false });
        assert.equal(condition.locked(), true, 'and it has the lock');
        await wait.release();
        assert.equal(condition.locked(), false);
      }
    });

    it('in workers', async () => {
      const workers = await sharedActors('worker', 2);
      for (const kind of lockKinds) {
        for (const form of forms) {
          const { condition, remotes } = await open(kind, workers);
          const wait = await waits(remotes[0]!, condition, form);
          const guard = await remotes[1]!.keep();
          assert.equal(await remotes[1]!.call('notifyAll'), 1);
          await guard.remote.call('release');
          await within(wait.wakeup, 'the wake-up');
          await wait.release();
          // From the thread that started the workers, and back to it.
          const back = await waits(remotes[1]!, condition, form);
          assert.equal(await notified(condition, 1), 1);
          await within(back.wakeup, 'the wake-up');
          await back.release();
        }
      }
    });

    it('sync', async () => {
      const [actor] = await sharedActors('process', 1);
      for (const kind of lockKinds) {
        const { condition, remotes } = await open(kind, [actor!]);
        // The other process waits, blocked. Then this thread waits, and is notified by the other
        // process.
        const wait = await waits(remotes[0]!, condition, 'sync');
        assert.equal(await notified(condition, 3), 1);
        assert.deepEqual(await within(wait.wakeup, 'the wake-up'), { abandoned: false });
        await wait.release();

        const guard = condition.acquireSync();
        const notifies = actor!.act<number>('notifyOnce', { condition: remotes[0]! });
        // The other process can acquire the lock only while this thread waits.
        assert.deepEqual(condition.waitSync(), { abandoned: false });
        guard.release();
        assert.equal(await notifies, 1);
      }
    });

    it('async', async () => {
      for (const kind of lockKinds) {
        const { condition, lock } = await open(kind);
        // All tasks share one thread, whose event loop goes on.
        const order: string[] = [];
        const task = async (title: string) => {
          const guard = await condition.acquire();
          order.push(`${title} waits`);
          await condition.wait();
          order.push(`${title} woke`);
          guard.release();
        };
        const first = task('first');
        await waiters(condition, 1);
        const second = task('second');
        await waiters(condition, 2);
        await condition.runExclusive(() => {
          assert.equal(condition.notify(), 1);
          order.push('notified');
        });
        await within(first, 'the first');
        assert.equal(await notified(condition), 1);
        await within(second, 'the second');
        assert.deepEqual(order, [
          'first waits',
          'second waits',
          'notified',
          'first woke',
          'second woke',
        ]);
        assert.equal(lock.locked(), false);
      }
    });

    it('timeout', async () => {
      const [actor] = await sharedActors('process', 1);
      for (const kind of lockKinds) {
        const { condition, remotes, lock, name } = await open(kind, [actor!]);
        for (const form of forms) {
          const guard = condition.acquireSync();
          const about = { kind: 'Condition', objectName: name };
          const wait = (options: object) =>
            form === 'sync' ? condition.waitSync(options) : condition.wait(options);
          await assertTimesOut(wait, 60, about);
          assert.equal(lock.inspect().owner?.pid, process.pid, 'held again');
          assert.equal(condition.inspect().waiters, 0);
          // A timeout of 0 gives up at once, and the lock is held all the same.
          await assertTimesOut(wait, 0, about);
          guard.release();
          assert.equal(lock.locked(), false);

          // The timeout is for the notification only. The wait for the lock may take any time.
          const theirs = await waits(remotes[0]!, condition, form, { timeout: 30 });
          const held = condition.acquireSync();
          await sleep(100);
          assert.equal(await stateOf(theirs.wakeup), 'pending');
          held.release();
          await assertRejects(theirs.wakeup, 'TimeoutError');
          await theirs.release();
        }
      }
    });

    it('abort', async () => {
      const [actor] = await sharedActors('process', 1);
      for (const kind of lockKinds) {
        const { condition, remotes, lock } = await open(kind, [actor!]);
        const reason = new Error('enough');
        const guard = condition.acquireSync();
        const before = condition.wait({ signal: AbortSignal.abort(reason) });
        await assert.rejects(before, reason);
        assert.equal(lock.locked(), true, 'never given up');

        const controller = new AbortController();
        const during = condition.wait({ signal: controller.signal });
        assert.equal(lock.locked(), false);
        controller.abort(reason);
        await assert.rejects(during, reason);
        assert.equal(lock.inspect().owner?.pid, process.pid, 'held again');
        assert.equal(condition.inspect().waiters, 0);
        guard.release();

        const theirs = await remotes[0]!.keep();
        const wait = remotes[0]!.startAbortable('wait');
        await waiters(condition, 1);
        await wait.abort('enough');
        await assert.rejects(wait, /enough/);
        assert.equal(lock.inspect().owner?.pid, actor!.pid);
        await theirs.remote.call('release');
      }
    });

    it('killed while holding', async () => {
      for (const place of remotePlaces) {
        for (const kind of lockKinds) {
          const victim = await newActor(place);
          const [waiter] = await sharedActors('process', 1);
          const { condition, remotes } = await open(kind, [waiter!, victim]);
          const wait = await waits(remotes[0]!, condition, kind === 'Lock' ? 'async' : 'sync');
          await remotes[1]!.keep();
          await victim.kill();
          // The waiter was not notified, so it waits on. The next to acquire the lock is told of
          // the death.
          const next = await within(condition.acquire(), 'the lock of the dead');
          assert.equal(next.abandoned, true);
          assert.equal(await stateOf(wait.wakeup), 'pending');
          assert.equal(condition.notify(), 1);
          next.release();
          assert.deepEqual(await within(wait.wakeup, 'the wake-up'), { abandoned: false });
          await wait.release();
        }
      }
    });

    it('killed while waiting', async () => {
      const [second] = await sharedActors('process', 1);
      for (const place of remotePlaces) {
        for (const form of forms) {
          const victim = await newActor(place);
          const { condition, remotes } = await open('Lock', [victim, second!]);
          await waits(remotes[0]!, condition, form);
          const wait = await waits(remotes[1]!, condition, form);
          await victim.kill();
          assert.equal(condition.inspect().waiters, 1);
          assert.equal(await notified(condition, 1), 1);
          await within(wait.wakeup, 'the wake-up of the next in line');
          await wait.release();
          assert.equal(await notified(condition, 1), 0);
        }
      }
    });

    it('killed while notifying', async () => {
      const [first, second] = await sharedActors('process', 2);
      for (const place of remotePlaces) {
        for (const kind of lockKinds) {
          const victim = await newActor(place);
          const { condition, remotes } = await open(kind, [first!, second!, victim]);
          const one = await waits(remotes[0]!, condition, 'sync');
          const two = await waits(remotes[1]!, condition, 'async');
          const of = { condition: remotes[2]!, count: 1 };
          assert.equal(await victim.act('notifyAndHold', of), 1);
          await victim.kill();
          // The wait that it had notified ends, and is told that the lock was abandoned.
          assert.deepEqual(await within(one.wakeup, 'the wake-up'), { abandoned: true });
          await one.release();
          assert.equal(await stateOf(two.wakeup), 'pending');
          assert.equal(await notified(condition), 1);
          assert.deepEqual(await within(two.wakeup, 'the wake-up'), { abandoned: false });
          await two.release();
        }
      }
    });
  });

  describe('notify(n) wakes exactly n of 6, those that began first', () => {
    const mixes: { title: string; of: Place[] }[] = [
      { title: 'in 6 processes', of: Array.from({ length: 6 }, () => 'process') },
      { title: 'in one thread', of: Array.from({ length: 6 }, () => 'thread') },
      { title: 'mixed', of: ['process', 'thread', 'worker', 'thread', 'process', 'worker'] },
    ];
    for (const { title, of } of mixes) {
      it(title, async () => {
        const count = { thread: 0, worker: 0, process: 0 };
        const six = await Promise.all(of.map((place) => sharedActor(place, ++count[place])));
        const { condition, remotes } = await open('Lock', six);
        const blocks = (i: number) => of[i] !== 'thread' && i % 2 === 0;
        for (let n = 0; n <= 6; n++) {
          const six: Waiting[] = [];
          for (const [i, one] of remotes.entries()) {
            six.push(await waits(one, condition, blocks(i) ? 'sync' : 'async'));
          }
          const wakeups = six.map(({ wakeup }) => wakeup);
          if (n === 0) await assert.rejects(notified(condition, 0), RangeError);
          else assert.equal(await notified(condition, n), n);
          const woken = async (some: Waiting[]) => {
            // Waits end in the order in which they get the lock. That is not the order of the
            // notifications.
            const one = ({ wakeup, release }: Waiting) => wakeup.then(release);
            await within(Promise.all(some.map(one)), `${some.length} wake-ups after ${n}`);
          };
          await woken(six.slice(0, n));
          await twoSlices();
          assert.equal(await settledOf(wakeups), n);
          assert.equal(condition.inspect().waiters, 6 - n);
          assert.equal(await notified(condition), 6 - n);
          await woken(six.slice(n));
        }
      });
    }

    it('of more waits than there are', async () => {
      const { condition } = await open('RLock');
      assert.equal(await notified(condition, 1024), 0);
      assert.equal(await notified(condition), 0);
      const wait = condition.runExclusive(() => condition.wait());
      await waiters(condition, 1);
      assert.equal(await notified(condition, 1024), 1);
      await within(wait, 'the wake-up');
      // A notification that came before the wait does not count for it.
      const late = condition.runExclusive(() => condition.wait());
      await twoSlices();
      assert.equal(await stateOf(late), 'pending');
      assert.equal(await notified(condition), 1);
      await within(late, 'the late one');
      assert.equal(condition.inspect().notifications, 2);
    });

    it('one after the other, in the order in which they came', async () => {
      const [a, b] = await sharedActors('process', 2);
      const [worker] = await sharedActors('worker', 1);
      const here = await sharedActor('thread');
      const { condition, remotes } = await open('Lock', [a!, here, worker!, b!]);
      const line = [];
      for (const one of remotes) line.push(await waits(one, condition));
      for (const [i, { wakeup, release }] of line.entries()) {
        assert.equal(await notified(condition, 1), 1);
        await within(wakeup, `wake-up ${i}`);
        await release();
        assert.equal(condition.inspect().waiters, line.length - 1 - i);
      }
    });
  });
});
