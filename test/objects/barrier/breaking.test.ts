// Barrier: a party that leaves a round before its end breaks the barrier for all.
import assert from 'node:assert/strict';
import { Barrier } from 'holdfast';
import {
  assertRejects,
  forms,
  settledOf,
  sharedActors,
  track,
  twoSlices,
  until,
  within,
} from '../../support/index.js';
import { open, arrives, broken, quiet, worksAfterReset } from './helpers.js';

describe('Barrier', () => {
  describe('action', () => {
    it('is called once a round, by the last party, before any party goes on', async () => {
      const calls: number[] = [];
      const options = { action: () => void calls.push(barrier.waiting()) };
      const { barrier } = await open(3, [], options);
      for (let round = 1; round <= 20; round++) {
        const waits = [barrier.wait(), barrier.wait(), barrier.wait()];
        assert.deepEqual(await Promise.all(waits), [0, 1, 2]);
        assert.equal(calls.length, round);
      }
    });

    it('is that of the object through which the last party arrives', async () => {
      let calls = 0;
      const { barrier, name } = await open(2, [], { action: () => calls++ });
      const without = track(new Barrier(2, { name }));
      await Promise.all([barrier.wait(), without.wait()]);
      assert.equal(calls, 0);
      await Promise.all([without.wait(), barrier.wait()]);
      assert.equal(calls, 1);
    });

    it('may be asynchronous: no party goes on before it is done', async () => {
      let finish!: () => void;
      const action = () => new Promise<void>((resolve) => (finish = resolve));
      const [there] = await sharedActors('process', 1);
      const { barrier, remotes } = await open(3, [there!], { action });
      const { passed: theirs } = await arrives(remotes[0]!, barrier, 'sync');
      const mine = [barrier.wait(), barrier.wait()];
      await twoSlices();
      assert.equal(await settledOf([theirs, ...mine]), 0);
      finish();
      const indices = await within(Promise.all([theirs, ...mine]), 'the round');
      assert.deepEqual(indices, [0, 1, 2]);
    });

    it('that throws or rejects breaks it for the others', async () => {
      const [there] = await sharedActors('process', 1);
      for (const action of [
        () => {
          throw new Error('mine');
        },
        () => Promise.reject(new Error('mine')),
      ]) {
        const { barrier, remotes } = await open(3, [there!], { action });
        const { passed: theirs } = await arrives(remotes[0]!, barrier, 'async');
        const mine = quiet(barrier.wait());
        await assert.rejects(barrier.wait(), /mine/);
        await broken(theirs);
        await broken(mine);
        assert.equal(barrier.broken(), true);
        barrier.reset();
        const again = quiet(barrier.wait());
        barrier.abort();
        await broken(again);
      }
    });

    it('in waitSync(): throws there; one that returns a promise is a TypeError, and breaks it', async () => {
      const [there] = await sharedActors('process', 1);
      const promising = await open(2, [there!], { action: async () => {} });
      const { passed: theirs } = await arrives(promising.remotes[0]!, promising.barrier, 'sync');
      assert.throws(() => promising.barrier.waitSync(), TypeError);
      await broken(theirs);

      const { barrier, name } = await open(2);
      const acts = await there!.make('Barrier', 2, { name, action: 'fail' });
      const mine = quiet(barrier.wait());
      await assert.rejects(acts.call('waitSync'), /the action failed/);
      await broken(mine);

      let calls = 0;
      const plain = await open(1, [], { action: () => calls++ });
      assert.equal(plain.barrier.waitSync(), 0);
      assert.equal(calls, 1);
    });

    it('a break or reset while it runs stays in force', async () => {
      for (const how of ['abort', 'reset'] as const) {
        let finish!: () => void;
        const action = () => new Promise<void>((resolve) => (finish = resolve));
        const { barrier } = await open(2, [], { action });
        const waits = [quiet(barrier.wait()), quiet(barrier.wait())];
        await until(() => finish !== undefined, 'the action');
        barrier[how]();
        await broken(waits[0]!);
        finish();
        await broken(waits[1]!);
        assert.equal(barrier.broken(), how === 'abort');
        assert.equal(barrier.waiting(), 0);
      }
    });

    it('a party that times out while it runs breaks the round', async () => {
      let finish!: () => void;
      const action = () => new Promise<void>((resolve) => (finish = resolve));
      const { barrier } = await open(2, [], { action });
      const hasty = quiet(barrier.wait({ timeout: 30 }));
      const acts = quiet(barrier.wait());
      await assertRejects(hasty, 'TimeoutError');
      assert.equal(barrier.broken(), true);
      finish();
      await broken(acts);
    });
  });

  it('abort(): waiting and later parties are told', async () => {
    const [there] = await sharedActors('process', 1);
    for (const form of forms) {
      const { barrier, remotes, name } = await open(3, [there!]);
      barrier.abort();
      barrier.abort();
      assert.equal(barrier.inspect().breaks, 1);
      barrier.reset();
      const { passed: theirs } = await arrives(remotes[0]!, barrier, form);
      const mine = quiet(barrier.wait());
      barrier.abort();
      await broken(theirs);
      await broken(mine, name);
      await broken(remotes[0]!.call('wait'));
      assert.equal(await remotes[0]!.call('broken'), true);
      await remotes[0]!.call('reset');
      await worksAfterReset(barrier);
    }
  });

  it('reset(): waiting parties are told, later ones are not', async () => {
    const [there] = await sharedActors('process', 1);
    const { barrier, remotes } = await open(3, [there!]);
    barrier.reset();
    assert.deepEqual(barrier.inspect(), {
      kind: 'Barrier',
      name: barrier.name,
      parties: 3,
      waiting: 0,
      broken: false,
      round: 0,
      breaks: 0,
    });
    const { passed: theirs } = await arrives(remotes[0]!, barrier, 'sync');
    const mine = quiet(barrier.wait());
    barrier.reset();
    // In the same turn, so that the waits of the old round have not heard of it yet.
    const next = [barrier.wait(), barrier.wait(), barrier.wait()];
    assert.deepEqual(await within(Promise.all(next), 'the round after'), [0, 1, 2]);
    await broken(theirs);
    await broken(mine);
    const { round, breaks } = barrier.inspect();
    assert.deepEqual({ round, breaks }, { round: 2, breaks: 1 });
  });

  it('a waiter that learns late about its round is told of that round', async () => {
    const { barrier } = await open(2);
    const slow = quiet(barrier.wait());
    // All of this happens in one turn: `slow` looks when its round has long been over.
    const others = [barrier.wait()];
    for (let round = 1; round < 60; round++) others.push(barrier.wait(), barrier.wait());
    const left = quiet(barrier.wait());
    barrier.abort();
    barrier.reset();
    await broken(left);
    assert.equal(await slow, 0);
    assert.deepEqual(
      await Promise.all(others),
      others.map((_, i) => (i + 1) % 2),
    );
  });
});
