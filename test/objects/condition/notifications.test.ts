// Condition: a notification reaches a wait that is still there (INV-17), and dead waiters free
// their places.
import assert from 'node:assert/strict';
import { setTimeout as sleep } from 'node:timers/promises';
import { SharedMemory } from 'holdfast';
import {
  remotePlaces,
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
  sharedActors,
  stateOf,
  track,
  twoSlices,
  until,
  within,
} from '../../support/index.js';
import { open, openIn, waits, notified, waiters } from './helpers.js';

describe('Condition', () => {
  describe('a notification is not lost by', () => {
    it('a wait that gives up at the same instant', async function () {
      this.timeout(60_000);
      const chance = random('giving up');
      const [a, b] = await sharedActors('process', 2);
      const here = await sharedActor('thread');
      const { condition, remotes } = await open('Lock', [a!, b!, here]);
      const seen = { woken: 0, sink: 0 };
      // Each round has one notification and one wake-up. One of three short waits gets it. If all
      // three have given up before it, or were aborted after it, the wait that began after them
      // gets it.
      for (let round = 0; round < scaled(150); round++) {
        const short: Promise<string>[] = [];
        for (const [i, actor] of [a!, b!, here].entries()) {
          const form = actor !== here && chance.next() < 0.5 ? 'sync' : 'async';
          const how = form === 'sync' ? 'timeout' : chance.pick(['timeout', 'abort']);
          const ms = 0.5 + chance.next() * 5;
          short.push(actor.act('shortWait', { condition: remotes[i]!, how, ms, form }));
        }
        const sink = here.act<string>('shortWait', {
          condition: remotes[2]!,
          how: 'never',
          form: 'async',
        });
        await sleep(chance.next() * 5);
        // Under the lock no wait begins or ends, so this tells whether there is a wait to notify.
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
      const [second, third] = await sharedActors('process', 2);
      for (const place of remotePlaces) {
        for (const form of forms) {
          const victim = await newActor(place);
          const { condition, remotes } = await open('RLock', [victim, second!, third!]);
          await waits(remotes[0]!, condition, form);
          const wait = await waits(remotes[1]!, condition, form);
          const last = await waits(remotes[2]!, condition, form);
          const guard = condition.acquireSync();
          assert.equal(condition.notify(1), 1);
          await victim.kill();
          guard.release();
          // No other thread acquires the lock, so the waits themselves find the death.
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
      const [second] = await sharedActors('process', 1);
      let before = 0;
      const kills = scaled(12);
      const start = async (kill: number) => (kill % 2 === 0 ? newProcess() : newWorker());
      let next = start(0);
      for (let kill = 0; kill < kills; kill++) {
        const victim = await next;
        next = start(kill + 1);
        const { condition, remotes } = await open('Lock', [victim, second!]);
        await waits(remotes[0]!, condition, chance.pick(forms));
        const wait = await waits(remotes[1]!, condition, chance.pick(forms));
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
        // Either the next waiter wakes, or the victim had woken and died with the lock.
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

    it('a notifier that is killed at any instant', async function () {
      this.timeout(60_000);
      const chance = random('killed while it notifies');
      const two = await sharedActors('process', 2);
      const memory = track(new SharedMemory(64, { name: freshName('memory') }));
      const words = new Int32Array(memory.buffer);
      const { condition, remotes, lockName, name } = await open('Lock', two);
      for (const [i, actor] of two.entries()) {
        const theirs = await actor.make('SharedMemory', 64, { name: memory.name });
        await actor.act('keepWaiting', { condition: remotes[i]!, memory: theirs, tasks: 3 });
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
        const enough = condition.inspect().notifications + chance.whole(10, 50);
        await victim.act('keepNotifying', { condition: theirs });
        await until(() => condition.inspect().notifications >= enough, 'it notifies');
        const at = now() + chance.next();
        while (now() < at);
        await victim.kill();
        // In the end none of the six waits is lost, and none hangs with the lock.
        await until(() => condition.inspect().waiters === 6 && !condition.locked(), 'all six wait');
      }
      await (await next).victim.kill();
      // A notifier that died between the two words of a notification has woken a wait that it did
      // not count.
      const { notifications } = condition.inspect();
      const wakeups = Atomics.load(words, 0);
      console.log(`      ${kills} kills, ${notifications} notifications, ${wakeups} wake-ups`);
      assert.ok(Math.abs(wakeups - notifications) <= kills, `${wakeups} of ${notifications}`);
      assert.equal(await notified(condition), 6);
      await until(() => condition.inspect().waiters === 6, 'all six again');
      assert.equal(Atomics.load(words, 0), wakeups + 6);
    });
  });

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
    // Now one place is free.
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
    const { condition, remotes } = await open('Lock', [victim]);
    for (let i = 0; i < 20; i++) {
      void remotes[0]!.start('acquire').then(() => remotes[0]!.start('wait'));
    }
    await waiters(condition, 20);
    await victim.kill();
    assert.equal(condition.inspect().waiters, 0);
    const all = Array.from({ length: 1024 }, () => condition.runExclusive(() => condition.wait()));
    await waiters(condition, 1024);
    assert.equal(await notified(condition), 1024);
    await within(Promise.all(all), 'all of them');
  });
});
