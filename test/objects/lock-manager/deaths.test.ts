// LockManager: holders and requesters that die, at a chosen instant or at any.
import assert from 'node:assert/strict';
import {
  newActor,
  newProcess,
  newWorker,
  remotePlaces,
  stateOf,
  until,
} from '../../support/index.js';
import { Holding, assertFree, counts, hold, open, openIn, untilCounts } from './helpers.js';

const shared = { mode: 'shared' } as const;

describe('LockManager, deaths', () => {
  for (const place of remotePlaces) {
    it(`${place}: the holder dies: the next is granted, and told once`, async () => {
      const manager = open();
      for (const isWaiting of [true, false]) {
        const victim = await newActor(place);
        await (await openIn(victim, manager)).keep('acquire', 'it');
        const next = isWaiting ? new Holding(manager, 'it') : undefined;
        await victim.kill();
        const holding = next ?? new Holding(manager, 'it');
        await holding.granted;
        assert.equal(holding.lock!.abandoned, true);
        await holding.release();
        assert.equal(await manager.request('it', (lock) => lock!.abandoned), false);
      }
      assert.equal(manager.inspect().abandonments, 2);
      await assertFree(manager, 'it');
    });

    it(`${place}: a requester dies while it waits: those behind it are granted`, async () => {
      const manager = open();
      const reader = await hold(manager, 'it', shared);
      const victim = await newActor(place);
      const theirs = await openIn(victim, manager);
      void theirs.start('acquire', 'it');
      await untilCounts(manager, 'it', 1, 1);
      const behind = new Holding(manager, 'it', shared);
      assert.equal(await stateOf(behind.granted), 'pending');
      await victim.kill();
      await behind.granted;
      assert.equal(behind.lock!.abandoned, false);
      await Promise.all([reader.release(), behind.release()]);
      await assertFree(manager, 'it');
    });

    it(`${place}: it holds many locks and waits for many; all of them go on`, async () => {
      const manager = open();
      const victim = await newActor(place);
      const theirs = await openIn(victim, manager);
      const names = Array.from({ length: 20 }, (_, i) => `name ${i}`);
      const mine = await Promise.all(names.slice(10).map((name) => hold(manager, name)));
      for (const name of names.slice(0, 10)) await theirs.keep('acquire', name);
      for (const name of names.slice(10)) void theirs.start('acquire', name);
      await untilCounts(manager, 'name 19', 1, 1);
      const waits = names.map((name) => new Holding(manager, name));
      await victim.kill();
      await Promise.all(mine.map((one) => one.release()));
      for (const [i, wait] of waits.entries()) {
        await wait.granted;
        assert.equal(wait.lock!.abandoned, i < 10, names[i]);
        await wait.release();
      }
      assert.deepEqual(await manager.query(), { held: [], pending: [] });
    });
  }

  it('process.exit() and an exception end a holder as a kill does', async () => {
    const manager = open();
    for (const end of ['exit', 'crash'] as const) {
      const victim = await newProcess();
      await (await openIn(victim, manager)).keep('acquire', 'it');
      await victim[end]();
      const next = await hold(manager, 'it');
      assert.equal(next.lock!.abandoned, true);
      await next.release();
    }
  });

  it('shared requests are told of the death until an exclusive one was', async () => {
    const manager = open();
    const victim = await newProcess();
    await (await openIn(victim, manager)).keep('acquire', 'it');
    await victim.kill();
    const told = (options: object) => manager.request('it', options, (lock) => lock!.abandoned);
    assert.deepEqual([await told(shared), await told(shared)], [true, true]);
    assert.deepEqual([await told({}), await told({}), await told(shared)], [true, false, false]);
  });

  it('a holder that shared dies: there is no news; query() has forgotten it', async () => {
    const manager = open();
    const victim = await newProcess();
    await (await openIn(victim, manager)).keep('acquire', 'it', shared);
    await victim.kill();
    await until(async () => (await counts(manager, 'it'))[0] === 0, 'it is gone');
    assert.equal(await manager.request('it', (lock) => lock!.abandoned), false);
    assert.equal(manager.inspect().abandonments, 0);
  });

  it('the lock of a dead thief is abandoned; its victim frees nothing', async () => {
    const manager = open();
    const robbed = await hold(manager, 'it');
    robbed.result.catch(() => {});
    const thief = await newProcess();
    await (await openIn(thief, manager)).keep('acquire', 'it', { steal: true });
    await thief.kill();
    const next = await hold(manager, 'it');
    assert.equal(next.lock!.abandoned, true);
    await robbed.release().catch(() => {});
    assert.deepEqual(await counts(manager, 'it'), [1, 0]);
    await next.release();
    await assertFree(manager, 'it');
  });

  it('requestSync() that waits here is granted when the holder there dies', async () => {
    const manager = open();
    const victim = await newProcess();
    const theirs = await openIn(victim, manager);
    await theirs.keep('acquire', 'it');
    const worker = await newWorker();
    const object = await openIn(worker, manager);
    const waiting = worker.startAct('requestSyncOnce', { object, name: 'it' });
    await untilCounts(manager, 'it', 1, 1);
    await victim.kill();
    assert.equal(await waiting, true);
    await assertFree(manager, 'it');
  });
});
