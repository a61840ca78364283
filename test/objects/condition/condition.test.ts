// Condition: whoever waits gives the lock up and has it back, as deep as before, however the wait ends; a
// notification wakes exactly one wait (INV-17), whoever dies or gives up around it.
import assert from 'node:assert/strict';
import { setTimeout as sleep } from 'node:timers/promises';
import {
  Condition,
  Lock,
  Process,
  RLock,
  SharedMemory,
  type Wakeup,
  attach,
  list,
  unlink,
} from 'holdfast';
import {
  type Call,
  type Far,
  actors,
  attachIn,
  make,
  opens,
  settledOf,
  stateOf,
  useFar,
} from '../../support/remote.js';
import {
  type Actor,
  type Place,
  assertRejects,
  assertThrows,
  forms,
  freshName,
  newActor,
  newProcess,
  newWorker,
  now,
  random,
  scaled,
  sharedActor,
  twoSlices,
  until,
  within,
} from '../../support/index.js';

const lockKinds = ['Lock', 'RLock'] as const;
type LockKind = (typeof lockKinds)[number];
const elsewhere = ['process', 'worker'] as const;

/** A condition over a lock of that kind, in this thread and in each actor. */
async function open(kind: LockKind, others: readonly Actor[] = []) {
  const name = freshName('condition');
  const lockName = freshName(kind);
  const lock = opens(
    kind === 'Lock' ? new Lock({ name: lockName }) : new RLock({ name: lockName }),
  );
  const condition = opens(new Condition(lock, { name }));
  const far = await Promise.all(others.map((actor) => openIn(actor, kind, lockName, name)));
  return { condition, lock, lockName, name, far };
}

async function openIn(actor: Actor, kind: LockKind, lockName: string, name: string) {
  const lock = await make(actor, kind, { name: lockName });
  return make(actor, 'Condition', lock, { name });
}

interface Waiting {
  wakeup: Call<Wakeup>;
  release(): Promise<void>;
}

/** Has it acquire and wait; resolves when it waits, by the condition's own count. */
async function waits(
  far: Far,
  witness: Condition,
  form: 'async' | 'sync' = 'async',
  options: object = {},
): Promise<Waiting> {
  const before = witness.inspect().waiters;
  const guard = await far.keep('acquire');
  const method = form === 'sync' ? 'waitSync' : 'wait';
  const wakeup = far.start<Wakeup>(method, options);
  await until(() => witness.inspect().waiters === before + 1, `a ${form} wait`);
  return { wakeup, release: () => guard.far.call('release') };
}

/** notify() under the lock; resolves to what it returned. */
function notified(condition: Condition, n?: number): Promise<number> {
  return condition.runExclusive(() =>
    n === undefined ? condition.notifyAll() : condition.notify(n),
  );
}

const waiters = (condition: Condition, count: number) =>
  until(() => condition.inspect().waiters === count, `${count} waiters`);

describe('Condition', () => {
  useFar();

  describe('cells', () => {
    it('across processes', async () => {
      const [first, second] = await actors('process', 2);
      for (const kind of lockKinds) {
        const { condition, far } = await open(kind, [first!, second!]);
        const wait = await waits(far[0]!, condition);
        const guard = await far[1]!.keep();
        assert.equal(await far[1]!.call('notify'), 1);
        await twoSlices();
        assert.equal(await stateOf(wait.wakeup), 'pending', 'not before it has the lock');
        await guard.far.call('release');
        assert.deepEqual(await within(wait.wakeup, 'the wake-up'), { abandoned: false });
        assert.equal(condition.locked(), true, 'and it has the lock');
        await wait.release();
        assert.equal(condition.locked(), false);
      }
    });

    it('in workers', async () => {
      const workers = await actors('worker', 2);
      for (const kind of lockKinds) {
        for (const form of forms) {
          const { condition, far } = await open(kind, workers);
          const wait = await waits(far[0]!, condition, form);
          const guard = await far[1]!.keep();
          assert.equal(await far[1]!.call('notifyAll'), 1);
          await guard.far.call('release');
          await within(wait.wakeup, 'the wake-up');
          await wait.release();
          // From and to the thread that started them.
          const back = await waits(far[1]!, condition, form);
          assert.equal(await notified(condition, 1), 1);
          await within(back.wakeup, 'the wake-up');
          await back.release();
        }
      }
    });

    it('sync', async () => {
      const [actor] = await actors('process', 1);
      for (const kind of lockKinds) {
        const { condition, far } = await open(kind, [actor!]);
        // It waits there, blocked; and here, notified from there.
        const wait = await waits(far[0]!, condition, 'sync');
        assert.equal(await notified(condition, 3), 1);
        assert.deepEqual(await within(wait.wakeup, 'the wake-up'), { abandoned: false });
        await wait.release();

        const guard = condition.acquireSync();
        const notifies = actor!.act<number>('notifyOnce', { condition: far[0]!.id });
        // It cannot have the lock before this thread waits.
        assert.deepEqual(condition.waitSync(), { abandoned: false });
        guard.release();
        assert.equal(await notifies, 1);
      }
    });

    it('async', async () => {
      for (const kind of lockKinds) {
        const { condition, lock } = await open(kind);
        // All in one thread: its event loop goes on.
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
      const [actor] = await actors('process', 1);
      for (const kind of lockKinds) {
        const { condition, far, lock, name } = await open(kind, [actor!]);
        for (const form of forms) {
          const guard = condition.acquireSync();
          const began = now();
          const wait = async () =>
            form === 'sync' ? condition.waitSync({ timeout: 60 }) : condition.wait({ timeout: 60 });
          await assertRejects(wait(), 'TimeoutError', { kind: 'Condition', objectName: name });
          assert.ok(now() - began >= 60);
          assert.equal(lock.inspect().owner?.pid, process.pid, 'held again');
          assert.equal(condition.inspect().waiters, 0);
          // 0 gives up at once, and the lock is held all the same.
          const none = async () =>
            form === 'sync' ? condition.waitSync({ timeout: 0 }) : condition.wait({ timeout: 0 });
          await assertRejects(none(), 'TimeoutError');
          guard.release();
          assert.equal(lock.locked(), false);

          // It counts to the notification only: the lock is waited for however long it takes.
          const theirs = await waits(far[0]!, condition, form, { timeout: 30 });
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
      const [actor] = await actors('process', 1);
      for (const kind of lockKinds) {
        const { condition, far, lock } = await open(kind, [actor!]);
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

        const theirs = await far[0]!.keep();
        const wait = far[0]!.startAbortable('wait');
        await waiters(condition, 1);
        await wait.abort('enough');
        await assert.rejects(wait, /enough/);
        assert.equal(lock.inspect().owner?.pid, actor!.pid);
        await theirs.far.call('release');
      }
    });

    it('killed while holding', async () => {
      for (const place of elsewhere) {
        for (const kind of lockKinds) {
          const victim = await newActor(place);
          const [waiter] = await actors('process', 1);
          const { condition, far } = await open(kind, [waiter!, victim]);
          const wait = await waits(far[0]!, condition, kind === 'Lock' ? 'async' : 'sync');
          await far[1]!.keep();
          await victim.kill();
          // It was not notified, so it goes on waiting; the lock is there for the next, who is told.
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
      const [second] = await actors('process', 1);
      for (const place of elsewhere) {
        for (const form of forms) {
          const victim = await newActor(place);
          const { condition, far } = await open('Lock', [victim, second!]);
          await waits(far[0]!, condition, form);
          const wait = await waits(far[1]!, condition, form);
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
      const [first, second] = await actors('process', 2);
      for (const place of elsewhere) {
        for (const kind of lockKinds) {
          const victim = await newActor(place);
          const { condition, far } = await open(kind, [first!, second!, victim]);
          const one = await waits(far[0]!, condition, 'sync');
          const two = await waits(far[1]!, condition, 'async');
          const of = { condition: far[2]!.id, count: 1 };
          assert.equal(await victim.act('notifyAndHold', of), 1);
          await victim.kill();
          // What it had notified is notified, and told whose lock that was.
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

  // -------------------------------------------------------------- notify

  describe('notify(n) wakes exactly n of 6, the first to come', () => {
    const mixes: { title: string; of: Place[] }[] = [
      { title: 'in 6 processes', of: Array.from({ length: 6 }, () => 'process') },
      { title: 'in one thread', of: Array.from({ length: 6 }, () => 'thread') },
      { title: 'mixed', of: ['process', 'thread', 'worker', 'thread', 'process', 'worker'] },
    ];
    for (const { title, of } of mixes) {
      it(title, async () => {
        const count = { thread: 0, worker: 0, process: 0 };
        const six = await Promise.all(of.map((place) => sharedActor(place, ++count[place])));
        const { condition, far } = await open('Lock', six);
        const blocks = (i: number) => of[i] !== 'thread' && i % 2 === 0;
        for (let n = 0; n <= 6; n++) {
          const six: Waiting[] = [];
          for (const [i, one] of far.entries()) {
            six.push(await waits(one, condition, blocks(i) ? 'sync' : 'async'));
          }
          const wakeups = six.map(({ wakeup }) => wakeup);
          if (n === 0) await assert.rejects(notified(condition, 0), RangeError);
          else assert.equal(await notified(condition, n), n);
          const woken = async (some: Waiting[]) => {
            // In the order in which they come to the lock, which is not that of the notification.
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

    it('more than there are', async () => {
      const { condition } = await open('RLock');
      assert.equal(await notified(condition, 1024), 0);
      assert.equal(await notified(condition), 0);
      const wait = condition.runExclusive(() => condition.wait());
      await waiters(condition, 1);
      assert.equal(await notified(condition, 1024), 1);
      await within(wait, 'the wake-up');
      // What was notified before it waited is not for it.
      const late = condition.runExclusive(() => condition.wait());
      await twoSlices();
      assert.equal(await stateOf(late), 'pending');
      assert.equal(await notified(condition), 1);
      await within(late, 'the late one');
      assert.equal(condition.inspect().notifications, 2);
    });

    it('one after the other, in the order in which they came', async () => {
      const [a, b] = await actors('process', 2);
      const [worker] = await actors('worker', 1);
      const here = await sharedActor('thread');
      const { condition, far } = await open('Lock', [a!, here, worker!, b!]);
      const line = [];
      for (const one of far) line.push(await waits(one, condition));
      for (const [i, { wakeup, release }] of line.entries()) {
        assert.equal(await notified(condition, 1), 1);
        await within(wakeup, `wake-up ${i}`);
        await release();
        assert.equal(condition.inspect().waiters, line.length - 1 - i);
      }
    });
  });

  // -------------------------------------------------------------- the lock

  describe('its lock', () => {
    it('an RLock is given up whole, and as deep again after', async () => {
      const [there] = await actors('process', 1);
      const { condition, far, lock } = await open('RLock', [there!]);
      for (const form of forms) {
        const deep = there!.act<object>('waitDeep', { condition: far[0]!.id, depth: 5, form });
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
          // Another hold comes in between, of the same thread.
          await lock.runExclusive(() => assert.equal(condition.notify(), 1));
          await within(wait, 'the wake-up');
        }
        for (const guard of guards.reverse()) {
          assert.equal(lock.locked(), true);
          guard.release();
          guard.release(); // a second time is nothing
        }
        assert.equal(lock.locked(), false);
      }
    });

    it('a guard of the time between does not end the hold after', async () => {
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
      const [other] = await actors('process', 1);
      const { condition, lock, far } = await open('RLock', [other!]);
      const first = condition.acquireSync();
      const wait = condition.wait();
      const theirs = await far[0]!.keep('acquire');
      const abort = new AbortController();
      const ahead = lock.acquire({ signal: abort.signal }).catch(String);
      await far[0]!.call('notify');
      await until(() => lock.inspect().waiters === 2, 'two that wait for the lock');
      const released = theirs.far.call('release');
      const deadline = now() + 10_000;
      while (lock.locked() && now() < deadline); // the event loop is to serve nobody meanwhile
      abort.abort('aborted'); // the next in line has the lock, and is not told before we return
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

    it('without it nobody waits or notifies', async () => {
      const [there] = await actors('process', 1);
      for (const kind of lockKinds) {
        const { condition, far, name } = await open(kind, [there!]);
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
        const theirs = await far[0]!.keep();
        await refused();
        await theirs.far.call('release');
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
        const other = opens(
          new Condition(
            opens(kind === 'Lock' ? new Lock({ name: lockName }) : new RLock({ name: lockName })),
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
          guard.release(); // through the handle by which the hold was regained
        }
        assert.equal(other.locked(), false);
      }
    });

    it('its own may be, too', async () => {
      const condition = opens(new Condition(undefined, { name: freshName('condition') }));
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

  // -------------------------------------------------------------- nothing is lost

  describe('a notification is never spent on', () => {
    it('a wait that gives up at the same instant', async function () {
      this.timeout(60_000);
      const chance = random('giving up');
      const [a, b] = await actors('process', 2);
      const here = await sharedActor('thread');
      const { condition, far } = await open('Lock', [a!, b!, here]);
      const seen = { woken: 0, sink: 0 };
      // Each round has one notification and one wake-up: of one of three short waits, or, if all of these
      // have given up before it or because they were aborted after it, of the one that came after them.
      for (let round = 0; round < scaled(150); round++) {
        const short: Promise<string>[] = [];
        for (const [i, actor] of [a!, b!, here].entries()) {
          const form = actor !== here && chance.next() < 0.5 ? 'sync' : 'async';
          const how = form === 'sync' ? 'timeout' : chance.pick(['timeout', 'abort']);
          const ms = 0.5 + chance.next() * 5;
          short.push(actor.act('shortWait', { condition: far[i]!.id, how, ms, form }));
        }
        const sink = here.act<string>('shortWait', {
          condition: far[2]!.id,
          how: 'never',
          form: 'async',
        });
        await sleep(chance.next() * 5);
        // Under the lock nobody begins or ends: is anybody there to be notified?
        const guard = await condition.acquire();
        const spent = condition.notify(1);
        guard.release();
        const ends = await within(Promise.all(short), 'the short waits');
        const woken = ends.filter((end) => end === 'woken').length;
        seen.woken += woken;
        if (woken === 0 && spent === 1) {
          assert.equal(await within(sink, `round ${round}: passed on`), 'woken');
          seen.sink++;
          continue;
        }
        assert.equal(woken, spent, `round ${round}: ${ends}`);
        await waiters(condition, 1);
        assert.equal(await stateOf(sink), 'pending', `round ${round}: one too many`);
        await notified(condition);
        await within(sink, 'the sink');
      }
      console.log(`      woken ${seen.woken}, passed on ${seen.sink}`);
      assert.ok(seen.woken + seen.sink > 0, JSON.stringify(seen));
    });

    it('a waiter that was killed after it, before it had the lock', async () => {
      const [second, third] = await actors('process', 2);
      for (const place of elsewhere) {
        for (const form of forms) {
          const victim = await newActor(place);
          const { condition, far } = await open('RLock', [victim, second!, third!]);
          await waits(far[0]!, condition, form);
          const wait = await waits(far[1]!, condition, form);
          const last = await waits(far[2]!, condition, form);
          const guard = condition.acquireSync();
          assert.equal(condition.notify(1), 1);
          await victim.kill();
          guard.release();
          // Nobody else comes to the lock: those who wait find it out themselves.
          await within(wait.wakeup, `${place}, ${form}: the next in line`);
          await wait.release();
          assert.equal(await stateOf(last.wakeup), 'pending');
          assert.equal(await notified(condition), 1);
          await within(last.wakeup, 'the last');
          await last.release();
        }
      }
    });

    it('a waiter that is killed at any instant around it', async function () {
      this.timeout(60_000);
      const chance = random('killed around the notification');
      const [second] = await actors('process', 1);
      let before = 0;
      const kills = scaled(12);
      const start = async (kill: number) => (kill % 2 === 0 ? newProcess() : newWorker());
      let next = start(0);
      for (let kill = 0; kill < kills; kill++) {
        const victim = await next;
        next = start(kill + 1);
        const { condition, far } = await open('Lock', [victim, second!]);
        await waits(far[0]!, condition, chance.pick(forms));
        const wait = await waits(far[1]!, condition, chance.pick(forms));
        const spin = (ms: number) => {
          const until = now() + chance.next() * ms;
          while (now() < until);
        };
        let gone = chance.next() < 0.5 ? victim.kill() : undefined;
        spin(3);
        assert.equal(await notified(condition, 1), 1);
        spin(0.5);
        gone ??= victim.kill();
        await gone;
        // Either the next in line wakes, or the victim had woken and taken the lock, which it left abandoned.
        const lock = condition.acquire();
        const passedOn = wait.wakeup.then(() => undefined);
        const guard = await within(Promise.race([passedOn, lock]), `kill ${kill}`);
        guard?.release();
        await twoSlices();
        if (guard?.abandoned && (await stateOf(wait.wakeup)) === 'pending') {
          before++;
          assert.equal(await notified(condition), 1);
        }
        await within(wait.wakeup, `kill ${kill}`);
        await wait.release();
        if (!guard) (await within(lock, 'the lock')).release();
        assert.equal(condition.inspect().waiters, 0);
      }
      await (await next).kill();
      console.log(`      ${kills} kills, ${before} of them after the wake-up`);
    });

    it('anybody when the notifier is killed at any instant', async function () {
      this.timeout(60_000);
      const chance = random('killed while it notifies');
      const two = await actors('process', 2);
      const memory = opens(new SharedMemory(64, { name: freshName('memory') }));
      const words = new Int32Array(memory.buffer);
      const { condition, far, lockName, name } = await open('Lock', two);
      for (const [i, actor] of two.entries()) {
        const theirs = await make(actor, 'SharedMemory', 64, { name: memory.name });
        await actor.act('keepWaiting', { condition: far[i]!.id, memory: theirs.id, tasks: 3 });
      }
      const startVictim = async () => {
        const victim = await newProcess();
        return { victim, theirs: await openIn(victim, 'Lock', lockName, name) };
      };
      const kills = scaled(8);
      let next = startVictim();
      for (let kill = 0; kill < kills; kill++) {
        const { victim, theirs } = await next;
        next = startVictim();
        await victim.act('keepNotifying', { condition: theirs.id });
        await sleep(10 + chance.next() * 20);
        const at = now() + chance.next();
        while (now() < at);
        await victim.kill();
        // All come to rest: none of the six is lost, and none hangs with the lock.
        await until(() => condition.inspect().waiters === 6 && !condition.locked(), 'all six wait');
      }
      await (await next).victim.kill();
      // One that died between the two words of a notification has woken somebody it did not count.
      const { notifications } = condition.inspect();
      const wakeups = Atomics.load(words, 0);
      console.log(`      ${kills} kills, ${notifications} notifications, ${wakeups} wake-ups`);
      assert.ok(Math.abs(wakeups - notifications) <= kills, `${wakeups} of ${notifications}`);
      assert.ok(notifications > 10 * kills);
      assert.equal(await notified(condition), 6);
      await until(() => condition.inspect().waiters === 6, 'all six again');
      assert.equal(Atomics.load(words, 0), wakeups + 6);
    });
  });

  // -------------------------------------------------------------- waitFor

  describe('waitFor', () => {
    it('waits until the predicate is true, and resolves to what it returned', async () => {
      const [there] = await actors('process', 1);
      const memory = opens(new SharedMemory(64, { name: freshName('memory') }));
      const words = new Int32Array(memory.buffer);
      const { condition, far } = await open('Lock', [there!]);
      const theirs = await make(there!, 'SharedMemory', 64, { name: memory.name });
      for (const form of forms) {
        words[0] = 0;
        const done = there!.act<{ result: unknown; calls: number }>('waitForWord', {
          condition: far[0]!.id,
          memory: theirs.id,
          target: 3,
          form,
        });
        for (let value = 1; value <= 3; value++) {
          await waiters(condition, 1);
          await condition.runExclusive(() => {
            Atomics.store(words, 0, value);
            condition.notify();
          });
        }
        assert.deepEqual(await within(done, 'waitFor'), { result: 'reached 3', calls: 4 });
      }
    });

    it('does not wait when it is true at once', async () => {
      const { condition } = await open('RLock');
      const guard = condition.acquireSync();
      assert.equal(await condition.waitFor(() => 'so'), 'so');
      assert.equal(await condition.waitFor(async () => 'so'), 'so');
      assert.equal(
        condition.waitForSync(() => 'so'),
        'so',
      );
      assert.equal(condition.inspect().waiters, 0);
      guard.release();
    });

    it('tells the predicate of the wake-up, and takes one that is asynchronous', async () => {
      const victim = await newProcess();
      const { condition, far } = await open('Lock', [victim]);
      const told: (Wakeup | undefined)[] = [];
      const wait = condition.runExclusive(() =>
        condition.waitFor(async (wakeup) => {
          told.push(wakeup);
          await sleep(1);
          assert.equal(condition.locked(), true);
          return told.length === 3;
        }),
      );
      await waiters(condition, 1);
      await notified(condition);
      await waiters(condition, 1);
      await victim.act('notifyAndHold', { condition: far[0]!.id, count: 1 });
      await victim.kill();
      assert.equal(await within(wait, 'waitFor'), true);
      assert.deepEqual(told, [undefined, { abandoned: false }, { abandoned: true }]);
    });

    it('one timeout for all of its waits; what the predicate throws passes', async () => {
      const { condition } = await open('Lock');
      const began = now();
      let calls = 0;
      const never = () => {
        calls++;
        return false;
      };
      const wait = condition.runExclusive(() => condition.waitFor(never, { timeout: 100 }));
      for (let i = 0; i < 3; i++) {
        await waiters(condition, 1);
        await notified(condition);
      }
      await assertRejects(wait, 'TimeoutError');
      assert.ok(now() - began >= 100);
      assert.equal(calls, 4);

      const guard = condition.acquireSync();
      assertThrows(() => condition.waitForSync(never, { timeout: 20 }), 'TimeoutError');
      assert.throws(
        () =>
          condition.waitForSync(() => {
            throw new Error('mine');
          }),
        /mine/,
      );
      await assert.rejects(
        condition.waitFor(() => Promise.reject(new Error('mine'))),
        /mine/,
      );
      assert.equal(condition.locked(), true);
      guard.release();
    });

    it('an abort ends it', async () => {
      const { condition } = await open('Lock');
      const controller = new AbortController();
      const guard = condition.acquireSync();
      const wait = condition.waitFor(() => false, { signal: controller.signal });
      await waiters(condition, 1);
      controller.abort(new Error('enough'));
      await assert.rejects(wait, /enough/);
      guard.release();
    });
  });

  // -------------------------------------------------------------- limits

  it('1024 waits at one time, and not one more', async () => {
    const { condition, lock } = await open('Lock');
    const order: number[] = [];
    const all = Array.from({ length: 1024 }, async (_, i) => {
      const guard = await condition.acquire();
      await condition.wait();
      order.push(i);
      guard.release();
    });
    await waiters(condition, 1024);
    const guard = condition.acquireSync();
    await assertRejects(condition.wait(), 'NoSpaceError', { kind: 'Condition' });
    assertThrows(() => condition.waitSync(), 'NoSpaceError');
    assert.equal(lock.locked(), true);
    assert.equal(condition.notify(1), 1);
    guard.release();
    await within(all[0]!, 'the first');
    assert.equal(condition.inspect().waiters, 1023);
    // There is a place again.
    const again = condition.runExclusive(() => condition.wait());
    await waiters(condition, 1024);
    assert.equal(await notified(condition), 1024);
    await within(Promise.all([...all, again]), 'all of them');
    assert.deepEqual(
      order,
      Array.from({ length: 1024 }, (_, i) => i),
    );
  });

  it('the places of the dead are free again', async () => {
    const victim = await newProcess();
    const { condition, far } = await open('Lock', [victim]);
    for (let i = 0; i < 20; i++) {
      void far[0]!.start('acquire').then(() => far[0]!.start('wait'));
    }
    await waiters(condition, 20);
    await victim.kill();
    assert.equal(condition.inspect().waiters, 0);
    const all = Array.from({ length: 1024 }, () => condition.runExclusive(() => condition.wait()));
    await waiters(condition, 1024);
    assert.equal(await notified(condition), 1024);
    await within(Promise.all(all), 'all of them');
  });

  // -------------------------------------------------------------- names

  describe('names', () => {
    it('without a lock it has an RLock of its own, found again by its name and by attach()', async () => {
      const [there] = await actors('process', 1);
      for (const name of [freshName('condition'), undefined]) {
        const condition = opens(new Condition(undefined, name === undefined ? {} : { name }));
        assert.ok(condition.lock instanceof RLock);
        assert.deepEqual(condition.toJSON(), { holdfast: 'Condition', name: condition.name });
        const handle = JSON.parse(JSON.stringify(condition));
        const again = opens(attach(handle) as Condition);
        const theirs = [await attachIn(there!, handle)];
        if (name) theirs.push(await make(there!, 'Condition', undefined, { name }));
        for (const far of theirs) {
          const wait = await waits(far, condition, 'sync');
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
        for (const again of [attach(condition.toJSON()), new Condition(undefined, { name })]) {
          opens(again);
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
      const other = opens(new Lock({ name: freshName('other') }));
      const rlock = opens(new RLock({ name: freshName('other') }));
      for (const wrong of [other, rlock]) {
        assertThrows(() => new Condition(wrong, { name }), 'IncompatibleError', {
          kind: 'Condition',
          objectName: name,
        });
      }
      const own = opens(new Condition(undefined, { name: freshName('own') }));
      assertThrows(() => new Condition(other, { name: own.name }), 'IncompatibleError');
      assertThrows(() => new Lock({ name }), 'IncompatibleError');
      assertThrows(() => new Condition(undefined, { name: lockName }), 'IncompatibleError');
      // Its lock's name was given to another one since.
      condition.lock.unlink();
      const impostor = opens(new Lock({ name: lockName }));
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
      const module = new URL('../../programs/far-process.mjs', import.meta.url);
      const wait = condition.runExclusive(() => condition.wait());
      await waiters(condition, 1);
      const child = new Process({ module, export: 'notify' }, { args: [condition] }).start();
      await within(wait, 'the wake-up');
      assert.equal(await child.join({ timeout: 20_000 }), true);
      assert.equal(child.exitCode, 0);
    });
  });

  // -------------------------------------------------------------- close, inspect

  it('close(): waits end, everything after throws ClosedError; not while its own lock is held', async () => {
    const condition = opens(new Condition(undefined, { name: freshName('condition') }));
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

  it('close() of one handle leaves the waits of others alone', async () => {
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
    const lock = opens(new Lock());
    const anything = (value: unknown) => value as never;
    for (const wrong of [null, {}, 'name', 1, opens(new SharedMemory(8))]) {
      assert.throws(() => new Condition(anything(wrong)), TypeError);
    }
    assert.throws(() => new Condition(lock, anything(1)), TypeError);
    assert.throws(() => new Condition(lock, { name: '' }), RangeError);
    assert.throws(() => new Condition(lock, { name: anything(1) }), TypeError);
    assert.throws(() => new Condition(lock, { persistent: true }), TypeError);
    const gone = new Lock();
    gone.close();
    assertThrows(() => new Condition(gone), 'ClosedError');

    const condition = opens(new Condition(lock));
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
