import { Barrier, BrokenBarrierError, Condition, Event, TimeoutError } from 'holdfast';
import { eachActor, eachHolder, places } from '../actors.mjs';
import { deepEqual, equal, freshName, ok, rejects, throws } from '../expect.mjs';
import { until } from '../until.mjs';

export const conditions = {
  'Condition: notify() wakes a wait of this thread': async () => {
    const condition = new Condition();
    let ready = false;
    const waits = [1, 2].map((number) =>
      condition.runExclusive(async () => {
        await condition.waitFor(() => ready);
        return number;
      }),
    );
    await until(() => condition.inspect().waiters === 2);
    await condition.runExclusive(() => {
      ready = true;
      equal(condition.notifyAll(), 2);
    });
    deepEqual(await Promise.all(waits), [1, 2]);
    condition.close();
  },

  'Condition: others wait': async () => {
    const name = freshName();
    const condition = new Condition(undefined, { name });
    for await (const waiter of eachActor('waits', 'waitForNotification', name)) {
      // Its lock is free only once it waits.
      await condition.runExclusive(() => equal(condition.notify(), 1));
      equal(await waiter.says(), 'notified');
    }
    condition.close();
  },

  'Condition: the code behind an awaited acquire() holds its lock': async () => {
    const condition = new Condition();
    const guard = await condition.acquire();
    equal(condition.notify(), 0);
    guard.release();
    condition.close();
  },

  'Condition: a wait times out, and has its lock again': async () => {
    const condition = new Condition();
    const guard = condition.acquireSync();
    await rejects(TimeoutError, condition.wait({ timeout: 10 }));
    throws(TimeoutError, () => condition.waitSync({ timeout: 10 }));
    ok(condition.locked());
    guard.release();
    condition.close();
  },

  'Condition: its holder is killed': async () => {
    const name = freshName();
    const condition = new Condition(undefined, { name });
    for await (const holder of eachHolder('Condition', name)) {
      const wait = condition.acquire();
      await holder.kill();
      const guard = await wait;
      ok(guard.abandoned);
      guard.release();
    }
    condition.close();
  },

  'Event: others set it': async () => {
    const name = freshName();
    const event = new Event({ name });
    for await (const actor of eachActor('ready', 'setEvent', name)) {
      const wait = event.wait();
      actor.tell('set');
      await wait;
      event.waitSync();
      event.clear();
      ok(!event.isSet());
    }
    throws(TimeoutError, () => event.waitSync({ timeout: 5 }));
    event.close();
  },

  'Event: others wait for it': async () => {
    const name = freshName();
    const event = new Event({ name });
    for (const start of places) {
      const waiters = ['sync', 'async'].map((how) => start('waitForEvent', name, how));
      for (const waiter of waiters) equal(await waiter.says(), 'waits');
      await until(() => event.inspect().waiters === 2);
      event.set();
      for (const waiter of waiters) {
        equal(await waiter.says(), 'set');
        await waiter.ended;
      }
      event.clear();
    }
    event.close();
  },

  'Barrier: all parties go on together, round after round': async () => {
    const name = freshName();
    const barrier = new Barrier(3, { name });
    for (let round = 1; round <= 3; round++) {
      const others = places.map((start) => start('reachBarrier', name));
      for (const other of others) equal(await other.says(), 'comes');
      await barrier.wait();
      for (const other of others) {
        equal(await other.says(), 'passed');
        await other.ended;
      }
    }
    barrier.close();
  },

  'Barrier breaks when a waiter dies': async () => {
    const name = freshName();
    const barrier = new Barrier(3, { name });
    for await (const other of eachActor('comes', 'reachBarrier', name)) {
      await until(() => barrier.waiting() === 1);
      const broken = rejects(BrokenBarrierError, barrier.wait());
      await other.kill();
      await broken;
      barrier.reset();
    }
    barrier.close();
  },
};
