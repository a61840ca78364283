// Barrier: all parties of a round go on together, or none does (INV-18, INV-19).
import assert from 'node:assert/strict';
import { Barrier, SharedMemory } from 'holdfast';
import {
  remotePlaces,
  assertTimesOut,
  assertRejects,
  assertThrows,
  forms,
  freshName,
  newActor,
  now,
  random,
  scaled,
  settledOf,
  sharedActor,
  sharedActors,
  stateOf,
  track,
  twoSlices,
  until,
  within,
} from '../../support/index.js';
import { rounds, open, arrives, broken, quiet, worksAfterReset } from './helpers.js';

describe('Barrier', () => {
  describe('cells', () => {
    it('across processes', async function () {
      this.timeout(120_000);
      const five = await sharedActors('process', 5);
      const memory = track(new SharedMemory(64, { name: freshName('memory') }));
      const { barrier, remotes } = await open(5, five);
      const words = await Promise.all(
        five.map((actor) => actor.make('SharedMemory', 64, { name: memory.name })),
      );
      const began = now();
      const all = await Promise.all(
        five.map((actor, i) => {
          const [of, shared] = [remotes[i]!, words[i]!];
          const form = forms[i % 2];
          const args = { barrier: of, memory: shared, rounds, form, parties: 5 };
          return actor.act<number[]>('passRounds', args, 100_000);
        }),
      );
      console.log(`      ${rounds} rounds of 5 in ${((now() - began) / 1000).toFixed(1)} s`);
      for (let round = 0; round < rounds; round++) {
        const indices = all.map((indices) => indices[round]!).toSorted((a, b) => a - b);
        assert.deepEqual(indices, [0, 1, 2, 3, 4], `round ${round}`);
      }
      const { round, breaks, waiting } = barrier.inspect();
      assert.deepEqual({ round, breaks, waiting }, { round: rounds, breaks: 0, waiting: 0 });
    });

    it('in workers', async () => {
      const two = await sharedActors('worker', 2);
      const memory = track(new SharedMemory(64, { name: freshName('memory') }));
      const here = await sharedActor('thread');
      const { remotes } = await open(3, [...two, here]);
      const all = await Promise.all(
        remotes.map(async (object, i) => {
          const { actor } = object;
          const shared = await actor.make('SharedMemory', 64, { name: memory.name });
          const form = actor === here ? 'async' : forms[i % 2];
          const args = { barrier: object, memory: shared, rounds: 200, form, parties: 3 };
          return actor.act<number[]>('passRounds', args);
        }),
      );
      for (let round = 0; round < 200; round++) {
        assert.deepEqual(all.map((of) => of[round]).toSorted(), [0, 1, 2], `round ${round}`);
      }
    });

    it('sync', async () => {
      const [there] = await sharedActors('process', 1);
      const { barrier, remotes } = await open(2, [there!]);
      for (let round = 0; round < 20; round++) {
        const theirs = remotes[0]!.start<number>('waitSync');
        if (round % 2 === 0) await until(() => barrier.waiting() === 1, 'their arrival');
        const mine = barrier.waitSync();
        assert.equal(mine + (await within(theirs, 'their wait')), 1);
        if (round % 2 === 0) assert.equal(mine, 1, 'the order of arrival');
      }
    });

    it('async', async () => {
      const { barrier } = await open(4);
      for (let round = 0; round < 50; round++) {
        const waits = [barrier.wait(), barrier.wait(), barrier.wait()];
        assert.equal(barrier.waiting(), 3);
        if (round === 0) {
          await twoSlices();
          assert.equal(await settledOf(waits), 0);
        }
        waits.push(barrier.wait());
        assert.deepEqual(await within(Promise.all(waits), 'a round'), [0, 1, 2, 3]);
        assert.equal(barrier.waiting(), 0);
      }
    });

    it('timeout', async () => {
      const [there] = await sharedActors('process', 1);
      for (const form of forms) {
        const { barrier, remotes, name } = await open(3, [there!]);
        const { passed: theirs } = await arrives(remotes[0]!, barrier, form);
        const about = { kind: 'Barrier', objectName: name };
        const wait = (options: object) =>
          form === 'sync' ? barrier.waitSync(options) : barrier.wait(options);
        await assertTimesOut(wait, 50, about);
        await broken(theirs);
        assert.equal(barrier.broken(), true);
        await broken(barrier.wait(), name);
        assertThrows(() => barrier.waitSync(), 'BrokenBarrierError');
        await worksAfterReset(barrier);
        // A timeout of 0 does not wait. It breaks the barrier, unless its party is the last to
        // arrive.
        await assertRejects(barrier.wait({ timeout: 0 }), 'TimeoutError');
        assert.equal(barrier.broken(), true);
        barrier.reset();
        const two = [barrier.wait(), barrier.wait()];
        assert.equal(await barrier.wait({ timeout: 0 }), 2);
        await Promise.all(two);
      }
    });

    it('abort', async () => {
      const [there] = await sharedActors('process', 1);
      const { barrier, remotes, name } = await open(3, [there!]);
      const reason = new Error('enough');
      await assert.rejects(barrier.wait({ signal: AbortSignal.abort(reason) }), reason);
      assert.equal(barrier.broken(), false, 'it has not arrived');
      const { passed: theirs } = await arrives(remotes[0]!, barrier, 'sync');
      const controller = new AbortController();
      const mine = quiet(barrier.wait({ signal: controller.signal }));
      controller.abort(reason);
      await assert.rejects(mine, reason);
      await broken(theirs, name);
      await worksAfterReset(barrier);

      const remote = remotes[0]!.startAbortable('wait');
      await until(() => barrier.waiting() === 1, 'their arrival');
      const here = quiet(barrier.wait());
      await remote.abort('enough');
      await assert.rejects(remote, /enough/);
      await broken(here);
      await worksAfterReset(barrier);
    });

    // A party that has arrived only waits. So the one that runs the action is the only holder.
    it('killed while holding', async () => {
      const [there] = await sharedActors('process', 1);
      for (const place of remotePlaces) {
        for (const action of ['hang', 'block']) {
          const victim = await newActor(place);
          const { barrier, remotes, name } = await open(3, [there!]);
          const acts = await victim.make('Barrier', 3, { name, action });
          const { passed: theirs } = await arrives(remotes[0]!, barrier, 'sync');
          const mine = quiet(barrier.wait());
          void acts.start(action === 'hang' ? 'wait' : 'waitSync');
          // All parties have arrived, and the action runs.
          await until(() => barrier.waiting() === 0, 'the action');
          const late = quiet(barrier.wait());
          await twoSlices();
          assert.equal(await settledOf([theirs, mine, late]), 0);
          await victim.kill();
          await broken(theirs);
          await broken(mine);
          await broken(late);
          assert.equal(barrier.inspect().breaks, 1);
          await worksAfterReset(barrier);
        }
      }
    });

    it('killed while waiting', async () => {
      const [there] = await sharedActors('process', 1);
      for (const place of remotePlaces) {
        for (const form of forms) {
          const victim = await newActor(place);
          const { barrier, remotes, name } = await open(4, [victim, there!]);
          await arrives(remotes[0]!, barrier, form);
          const { passed: theirs } = await arrives(remotes[1]!, barrier, form);
          const mine = quiet(barrier.wait());
          await victim.kill();
          await broken(theirs);
          await broken(mine, name);
          assert.equal(barrier.broken(), true);
          assert.equal(barrier.inspect().breaks, 1, 'it broke once');
          await worksAfterReset(barrier);
        }
      }
    });

    it('killed while it waits alone: the last party to arrive finds the barrier broken', async () => {
      for (const place of remotePlaces) {
        for (const form of forms) {
          const victim = await newActor(place);
          const { barrier, remotes, name } = await open(2, [victim]);
          await arrives(remotes[0]!, barrier, form);
          await victim.kill();
          assert.equal(barrier.broken(), true);
          await broken(quiet(barrier.wait()), name);
          await worksAfterReset(barrier);
        }
      }
    });

    // A Barrier has no notification. The last party to arrive ends the round by one store, and dies
    // before or after it. The test kills it at random instants.
    it('killed at any instant of a round', async function () {
      this.timeout(60_000);
      const chance = random('killed in a round');
      const [there] = await sharedActors('process', 1);
      let passed = 0;
      const kills = scaled(8);
      const memory = track(new SharedMemory(64, { name: freshName('memory') }));
      const start = (kill: number) => newActor(remotePlaces[kill % 2]!);
      let next = start(0);
      for (let kill = 0; kill < kills; kill++) {
        const victim = await next;
        next = start(kill + 1);
        const { barrier, remotes } = await open(3, [victim, there!]);
        const theirs = await victim.make('SharedMemory', 64, { name: memory.name });
        const form = chance.pick(forms);
        const args = { barrier: remotes[0]!, memory: theirs, rounds: 1e9, form };
        // Until its end.
        victim.act('passRounds', args, 60_000).catch(() => {});
        let end: unknown;
        const others = (async () => {
          for (;;) {
            await Promise.all([barrier.wait(), remotes[1]!.start('wait')]);
            passed++;
          }
        })().catch((error: unknown) => (end = error));
        await new Promise((resolve) => setTimeout(resolve, 5 + chance.next() * 20));
        const at = now() + chance.next();
        while (now() < at);
        await victim.kill();
        // The others do not notice a party that is killed before it arrives, so another one has to
        // break the barrier.
        await twoSlices();
        if (end === undefined) barrier.abort();
        await within(others, 'the others');
        assert.equal((end as { code: string }).code, 'ERR_HOLDFAST_BROKEN_BARRIER');
        await until(() => barrier.broken(), 'broken');
        await worksAfterReset(barrier);
      }
      await (await next).kill();
      console.log(`      ${kills} kills, ${passed} rounds passed`);
    });
  });

  it('more parties than the number: the rest belong to the next round', async () => {
    const { barrier } = await open(3);
    const seven = Array.from({ length: 7 }, () => barrier.wait());
    assert.equal(barrier.waiting(), 1);
    assert.deepEqual(await Promise.all(seven.slice(0, 6)), [0, 1, 2, 0, 1, 2]);
    assert.equal(await stateOf(seven[6]!), 'pending');
    await Promise.all([barrier.wait(), barrier.wait(), seven[6]]);

    // While the action runs nobody can arrive, and a wait that gives up breaks nothing.
    let finish!: () => void;
    const action = () => new Promise<void>((resolve) => (finish = resolve));
    const acting = (await open(2, [], { action })).barrier;
    const first = [acting.wait(), acting.wait()];
    await until(() => finish !== undefined, 'the action');
    await assertRejects(acting.wait({ timeout: 20 }), 'TimeoutError');
    assertThrows(() => acting.waitSync({ timeout: 20 }), 'TimeoutError');
    const second = [acting.wait(), acting.wait()];
    assert.equal(acting.broken(), false);
    const finishFirst = finish;
    finishFirst();
    assert.deepEqual(await within(Promise.all(first), 'the first round'), [0, 1]);
    await until(() => finish !== finishFirst, 'the second action');
    finish();
    assert.deepEqual(await within(Promise.all(second), 'the second round'), [0, 1]);
  });

  it('a TimeoutError names the timeout that was given, not what was left of it', async () => {
    const after = (ms: number) => ({
      name: 'TimeoutError',
      message: new RegExp(`: the wait ended after ${ms} ms$`),
    });
    const alone = () => track(new Barrier(2, { timeout: 33 }));
    await assert.rejects(alone().wait({ timeout: 31 }), after(31));
    assert.throws(() => alone().waitSync({ timeout: 32 }), after(32));
    await assert.rejects(alone().wait({ timeout: undefined }), after(33));
    assert.throws(() => alone().waitSync(), after(33));
    await assert.rejects(alone().wait({ timeout: 0 }), after(0));
  });

  it('an object may have a timeout of its own', async () => {
    const { barrier, name } = await open(2);
    const hasty = track(new Barrier(2, { name, timeout: 40 }));
    const began = now();
    await assertRejects(hasty.wait(), 'TimeoutError');
    assert.ok(now() - began >= 40);
    barrier.reset();
    assertThrows(() => hasty.waitSync(), 'TimeoutError');
    barrier.reset();
    // The timeout of the object is only the default.
    const patient = hasty.wait({ timeout: 20_000 });
    await new Promise((resolve) => setTimeout(resolve, 80));
    assert.equal(await stateOf(patient), 'pending');
    assert.equal(await barrier.wait(), 1);
    assert.equal(await patient, 0);
  });

  it('a barrier of one party', async () => {
    const { barrier } = await open(1);
    assert.equal(await barrier.wait(), 0);
    assert.equal(barrier.waitSync({ timeout: 0 }), 0);
    barrier.abort();
    await broken(barrier.wait());
    barrier.reset();
    assert.equal(await barrier.wait(), 0);
  });

  it('a barrier of 4096 parties', async () => {
    const { barrier } = await open(4096);
    const waits = Array.from({ length: 4095 }, () => barrier.wait());
    assert.equal(barrier.waiting(), 4095);
    assert.equal(await stateOf(waits[0]!), 'pending');
    assert.equal(await barrier.wait(), 4095);
    const indices = await within(Promise.all(waits), 'the round');
    assert.deepEqual(indices, [...waits.keys()]);
  });
});
