// Barrier: all of a round go on together or none does (INV-18, INV-19), and who leaves it otherwise breaks
// it for the others.
import assert from 'node:assert/strict';
import {
  Barrier,
  type BarrierOptions,
  type Handle,
  Lock,
  Process,
  SharedMemory,
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
  assertRejects,
  assertThrows,
  forms,
  freshName,
  newActor,
  now,
  random,
  scaled,
  sharedActor,
  twoSlices,
  until,
  within,
} from '../../support/index.js';

const elsewhere = ['process', 'worker'] as const;
// What a busy machine gets done in the time that a suite may take; a run of its own insists on more.
const rounds = Number(process.env['HOLDFAST_ROUNDS'] || 1000);

async function open(parties: number, others: readonly Actor[] = [], options: BarrierOptions = {}) {
  const name = freshName('barrier');
  const barrier = opens(new Barrier(parties, { ...options, name }));
  const far = await Promise.all(others.map((actor) => make(actor, 'Barrier', parties, { name })));
  return { barrier, far, name };
}

/** Has it arrive; resolves when that counts. */
async function arrives(
  far: Far,
  witness: Barrier,
  form: 'async' | 'sync' = 'async',
  options: object = {},
): Promise<{ passed: Call<number> }> {
  const before = witness.waiting();
  const wait = far.start<number>(form === 'sync' ? 'waitSync' : 'wait', options);
  await until(() => witness.waiting() === before + 1, `a ${form} arrival`);
  return { passed: wait };
}

const broken = (promise: Promise<unknown>, name?: string) =>
  assertRejects(
    within(promise, 'a broken barrier'),
    'BrokenBarrierError',
    name === undefined ? {} : { kind: 'Barrier', objectName: name },
  );

/** It rejects before anybody looks at it. */
function quiet<T>(promise: Promise<T>): Promise<T> {
  promise.catch(() => {});
  return promise;
}

/** It works as if nothing had been. */
async function worksAfterReset(barrier: Barrier): Promise<void> {
  barrier.reset();
  assert.equal(barrier.broken(), false);
  assert.equal(barrier.waiting(), 0);
  const waits = Array.from({ length: barrier.parties }, () => barrier.wait());
  const indices = await within(Promise.all(waits), 'a round after reset()');
  assert.deepEqual(indices.toSorted(), [...waits.keys()]);
}

describe('Barrier', () => {
  useFar();

  describe('cells', () => {
    it('across processes', async function () {
      this.timeout(120_000);
      const five = await actors('process', 5);
      const memory = opens(new SharedMemory(64, { name: freshName('memory') }));
      const { barrier, far } = await open(5, five);
      const words = await Promise.all(
        five.map((actor) => make(actor, 'SharedMemory', 64, { name: memory.name })),
      );
      const began = now();
      const all = await Promise.all(
        five.map((actor, i) => {
          const [of, shared] = [far[i]!.id, words[i]!.id];
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
      const two = await actors('worker', 2);
      const memory = opens(new SharedMemory(64, { name: freshName('memory') }));
      const here = await sharedActor('thread');
      const { far } = await open(3, [...two, here]);
      const all = await Promise.all(
        far.map(async ({ actor, id }, i) => {
          const shared = await make(actor, 'SharedMemory', 64, { name: memory.name });
          const form = actor === here ? 'async' : forms[i % 2];
          const args = { barrier: id, memory: shared.id, rounds: 200, form, parties: 3 };
          return actor.act<number[]>('passRounds', args);
        }),
      );
      for (let round = 0; round < 200; round++) {
        assert.deepEqual(all.map((of) => of[round]).toSorted(), [0, 1, 2], `round ${round}`);
      }
    });

    it('sync', async () => {
      const [there] = await actors('process', 1);
      const { barrier, far } = await open(2, [there!]);
      for (let round = 0; round < 20; round++) {
        const theirs = far[0]!.start<number>('waitSync');
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
      const [there] = await actors('process', 1);
      for (const form of forms) {
        const { barrier, far, name } = await open(3, [there!]);
        const { passed: theirs } = await arrives(far[0]!, barrier, form);
        const began = now();
        const wait = async () =>
          form === 'sync' ? barrier.waitSync({ timeout: 50 }) : barrier.wait({ timeout: 50 });
        await assertRejects(wait(), 'TimeoutError', { kind: 'Barrier', objectName: name });
        assert.ok(now() - began >= 50);
        await broken(theirs);
        assert.equal(barrier.broken(), true);
        await broken(barrier.wait(), name);
        assertThrows(() => barrier.waitSync(), 'BrokenBarrierError');
        await worksAfterReset(barrier);
        // 0 does not wait: it breaks it, unless it is the last to come.
        await assertRejects(barrier.wait({ timeout: 0 }), 'TimeoutError');
        assert.equal(barrier.broken(), true);
        barrier.reset();
        const two = [barrier.wait(), barrier.wait()];
        assert.equal(await barrier.wait({ timeout: 0 }), 2);
        await Promise.all(two);
      }
    });

    it('abort', async () => {
      const [there] = await actors('process', 1);
      const { barrier, far, name } = await open(3, [there!]);
      const reason = new Error('enough');
      await assert.rejects(barrier.wait({ signal: AbortSignal.abort(reason) }), reason);
      assert.equal(barrier.broken(), false, 'it has not arrived');
      const { passed: theirs } = await arrives(far[0]!, barrier, 'sync');
      const controller = new AbortController();
      const mine = quiet(barrier.wait({ signal: controller.signal }));
      controller.abort(reason);
      await assert.rejects(mine, reason);
      await broken(theirs, name);
      await worksAfterReset(barrier);

      const remote = far[0]!.startAbortable('wait');
      await until(() => barrier.waiting() === 1, 'their arrival');
      const here = quiet(barrier.wait());
      await remote.abort('enough');
      await assert.rejects(remote, /enough/);
      await broken(here);
      await worksAfterReset(barrier);
    });

    // Who has arrived waits, so the only one that holds anything is the one that runs the action.
    it('killed while holding', async () => {
      const [there] = await actors('process', 1);
      for (const place of elsewhere) {
        for (const action of ['hang', 'block']) {
          const victim = await newActor(place);
          const { barrier, far, name } = await open(3, [there!]);
          const acts = await make(victim, 'Barrier', 3, { name, action });
          const { passed: theirs } = await arrives(far[0]!, barrier, 'sync');
          const mine = quiet(barrier.wait());
          void acts.start(action === 'hang' ? 'wait' : 'waitSync');
          // All have arrived, and the action runs.
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
      const [there] = await actors('process', 1);
      for (const place of elsewhere) {
        for (const form of forms) {
          const victim = await newActor(place);
          const { barrier, far, name } = await open(4, [victim, there!]);
          await arrives(far[0]!, barrier, form);
          const { passed: theirs } = await arrives(far[1]!, barrier, form);
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

    it('killed while waiting, alone: whoever comes last does not open the round for it', async () => {
      for (const place of elsewhere) {
        for (const form of forms) {
          const victim = await newActor(place);
          const { barrier, far, name } = await open(2, [victim]);
          await arrives(far[0]!, barrier, form);
          await victim.kill();
          assert.equal(barrier.broken(), true);
          await broken(quiet(barrier.wait()), name);
          await worksAfterReset(barrier);
        }
      }
    });

    // Nobody notifies: the last to arrive lets the others go by one store, before or after which it dies.
    // That is tried at random instants.
    it('killed at any instant of a round', async function () {
      this.timeout(60_000);
      const chance = random('killed in a round');
      const [there] = await actors('process', 1);
      let passed = 0;
      const kills = scaled(8);
      const memory = opens(new SharedMemory(64, { name: freshName('memory') }));
      const start = (kill: number) => newActor(elsewhere[kill % 2]!);
      let next = start(0);
      for (let kill = 0; kill < kills; kill++) {
        const victim = await next;
        next = start(kill + 1);
        const { barrier, far } = await open(3, [victim, there!]);
        const theirs = await make(victim, 'SharedMemory', 64, { name: memory.name });
        const form = chance.pick(forms);
        const args = { barrier: far[0]!.id, memory: theirs.id, rounds: 1e9, form };
        // Until its end.
        victim.act('passRounds', args, 60_000).catch(() => {});
        let end: unknown;
        const others = (async () => {
          for (;;) {
            await Promise.all([barrier.wait(), far[1]!.start('wait')]);
            passed++;
          }
        })().catch((error: unknown) => (end = error));
        await new Promise((resolve) => setTimeout(resolve, 5 + chance.next() * 20));
        const at = now() + chance.next();
        while (now() < at);
        await victim.kill();
        // One that is killed before it arrives is not missed: then somebody has to say so.
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

  // -------------------------------------------------------------- the action

  describe('action', () => {
    it('is called once a round, by the last to arrive, before anybody goes on', async () => {
      const calls: number[] = [];
      const options = { action: () => void calls.push(barrier.waiting()) };
      const { barrier } = await open(3, [], options);
      for (let round = 1; round <= 20; round++) {
        const waits = [barrier.wait(), barrier.wait(), barrier.wait()];
        assert.deepEqual(await Promise.all(waits), [0, 1, 2]);
        assert.equal(calls.length, round);
      }
    });

    it('is that of the handle by which the last arrives; without one there is none', async () => {
      let calls = 0;
      const { barrier, name } = await open(2, [], { action: () => calls++ });
      const without = opens(new Barrier(2, { name }));
      await Promise.all([barrier.wait(), without.wait()]);
      assert.equal(calls, 0);
      await Promise.all([without.wait(), barrier.wait()]);
      assert.equal(calls, 1);
    });

    it('may be asynchronous: nobody goes on before it is done', async () => {
      let finish!: () => void;
      const action = () => new Promise<void>((resolve) => (finish = resolve));
      const [there] = await actors('process', 1);
      const { barrier, far } = await open(3, [there!], { action });
      const { passed: theirs } = await arrives(far[0]!, barrier, 'sync');
      const mine = [barrier.wait(), barrier.wait()];
      await twoSlices();
      assert.equal(await settledOf([theirs, ...mine]), 0);
      finish();
      const indices = await within(Promise.all([theirs, ...mine]), 'the round');
      assert.deepEqual(indices, [0, 1, 2]);
    });

    it('that throws or rejects breaks it for the others', async () => {
      const [there] = await actors('process', 1);
      for (const action of [
        () => {
          throw new Error('mine');
        },
        () => Promise.reject(new Error('mine')),
      ]) {
        const { barrier, far } = await open(3, [there!], { action });
        const { passed: theirs } = await arrives(far[0]!, barrier, 'async');
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
      const [there] = await actors('process', 1);
      const promising = await open(2, [there!], { action: async () => {} });
      const { passed: theirs } = await arrives(promising.far[0]!, promising.barrier, 'sync');
      assert.throws(() => promising.barrier.waitSync(), TypeError);
      await broken(theirs);

      const { barrier, name } = await open(2);
      const acts = await make(there!, 'Barrier', 2, { name, action: 'fail' });
      const mine = quiet(barrier.wait());
      await assert.rejects(acts.call('waitSync'), /the action failed/);
      await broken(mine);

      let calls = 0;
      const plain = await open(1, [], { action: () => calls++ });
      assert.equal(plain.barrier.waitSync(), 0);
      assert.equal(calls, 1);
    });

    it('what is broken or reset while it runs stays so', async () => {
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

  // -------------------------------------------------------------- breaking and mending

  it('abort(): those who wait and those who come', async () => {
    const [there] = await actors('process', 1);
    for (const form of forms) {
      const { barrier, far, name } = await open(3, [there!]);
      barrier.abort();
      barrier.abort();
      assert.equal(barrier.inspect().breaks, 1);
      barrier.reset();
      const { passed: theirs } = await arrives(far[0]!, barrier, form);
      const mine = quiet(barrier.wait());
      barrier.abort();
      await broken(theirs);
      await broken(mine, name);
      await broken(far[0]!.call('wait'));
      assert.equal(await far[0]!.call('broken'), true);
      await far[0]!.call('reset');
      await worksAfterReset(barrier);
    }
  });

  it('reset(): those who wait are told, those who come are not', async () => {
    const [there] = await actors('process', 1);
    const { barrier, far } = await open(3, [there!]);
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
    const { passed: theirs } = await arrives(far[0]!, barrier, 'sync');
    const mine = quiet(barrier.wait());
    barrier.reset();
    // In the same turn, so that those of the old round have not been told yet.
    const next = [barrier.wait(), barrier.wait(), barrier.wait()];
    assert.deepEqual(await within(Promise.all(next), 'the round after'), [0, 1, 2]);
    await broken(theirs);
    await broken(mine);
    const { round, breaks } = barrier.inspect();
    assert.deepEqual({ round, breaks }, { round: 2, breaks: 1 });
  });

  it('a waiter that hears of its round late is told of that one', async () => {
    const { barrier } = await open(2);
    const slow = quiet(barrier.wait());
    // All in one turn: `slow` looks when its round is long over.
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

  it('more parties than it takes: the surplus is the next round', async () => {
    const { barrier } = await open(3);
    const seven = Array.from({ length: 7 }, () => barrier.wait());
    assert.equal(barrier.waiting(), 1);
    assert.deepEqual(await Promise.all(seven.slice(0, 6)), [0, 1, 2, 0, 1, 2]);
    assert.equal(await stateOf(seven[6]!), 'pending');
    await Promise.all([barrier.wait(), barrier.wait(), seven[6]]);

    // While the action runs nobody arrives, and a wait that gives up there breaks nothing.
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

  it('a handle may have a timeout of its own', async () => {
    const { barrier, name } = await open(2);
    const hasty = opens(new Barrier(2, { name, timeout: 40 }));
    const began = now();
    await assertRejects(hasty.wait(), 'TimeoutError');
    assert.ok(now() - began >= 40);
    barrier.reset();
    assertThrows(() => hasty.waitSync(), 'TimeoutError');
    barrier.reset();
    // It is the default only.
    const patient = hasty.wait({ timeout: 20_000 });
    await new Promise((resolve) => setTimeout(resolve, 80));
    assert.equal(await stateOf(patient), 'pending');
    assert.equal(await barrier.wait(), 1);
    assert.equal(await patient, 0);
  });

  it('of one party', async () => {
    const { barrier } = await open(1);
    assert.equal(await barrier.wait(), 0);
    assert.equal(barrier.waitSync({ timeout: 0 }), 0);
    barrier.abort();
    await broken(barrier.wait());
    barrier.reset();
    assert.equal(await barrier.wait(), 0);
  });

  it('of 4096 parties', async () => {
    const { barrier } = await open(4096);
    const waits = Array.from({ length: 4095 }, () => barrier.wait());
    assert.equal(barrier.waiting(), 4095);
    assert.equal(await stateOf(waits[0]!), 'pending');
    assert.equal(await barrier.wait(), 4095);
    const indices = await within(Promise.all(waits), 'the round');
    assert.deepEqual(indices, [...waits.keys()]);
  });

  // -------------------------------------------------------------- names

  describe('names', () => {
    it('attach(), toJSON(), by name with and without parties', async () => {
      const [there] = await actors('process', 1);
      for (const name of [freshName('barrier'), undefined]) {
        const barrier = opens(new Barrier(2, name === undefined ? {} : { name }));
        assert.equal(barrier.parties, 2);
        const handle: Handle<'Barrier'> = JSON.parse(JSON.stringify(barrier));
        assert.deepEqual(handle, { holdfast: 'Barrier', name: barrier.name });
        const again = opens(attach(handle));
        assert.equal(again.parties, 2);
        const far = await attachIn(there!, handle);
        assert.equal((await Promise.all([far.call<number>('wait'), again.wait()])).length, 2);
        if (name) assert.equal(opens(new Barrier(undefined, { name })).parties, 2);
      }
      const none = freshName('barrier');
      assertThrows(() => new Barrier(undefined, { name: none }), 'NotFoundError');
      assert.throws(() => new Barrier(undefined), TypeError);
    });

    it('another number of parties, or another kind, is refused', async () => {
      const { name } = await open(3);
      const about = { kind: 'Barrier', objectName: name };
      assertThrows(() => new Barrier(2, { name }), 'IncompatibleError', about);
      assertThrows(() => new Lock({ name }), 'IncompatibleError');
      const lock = opens(new Lock({ name: freshName('lock') }));
      assertThrows(() => new Barrier(2, { name: lock.name }), 'IncompatibleError');
    });

    it('exclusive, mustExist, persistent, unlink, list', async () => {
      const name = freshName('barrier');
      assertThrows(() => new Barrier(2, { name, mustExist: true }), 'NotFoundError');
      const barrier = new Barrier(2, { name, exclusive: true, persistent: true });
      assertThrows(() => new Barrier(2, { name, exclusive: true }), 'ExistsError');
      barrier.abort();
      const entry = () => list().find((found) => found.name === name);
      assert.deepEqual(entry(), { kind: 'Barrier', name, persistent: true, inUse: true });
      barrier.close();
      barrier.close();
      assert.equal(entry()?.inUse, false);
      const again = new Barrier(2, { name, mustExist: true });
      await worksAfterReset(again);
      again.unlink();
      assertThrows(() => again.unlink(), 'NotFoundError');
      assert.equal(entry(), undefined);
      await Promise.all([again.wait(), again.wait()]);
      again.close();
      new Barrier(2, { name, persistent: true }).close();
      unlink('Barrier', name);
      assert.equal(entry(), undefined);
    });

    it('a persistent one whose parties all died waiting: those who come next are told', async () => {
      const name = freshName('barrier');
      const two = await Promise.all([newActor('process'), newActor('process')]);
      opens(new Barrier(3, { name, persistent: true })).close();
      for (const actor of two)
        await (await make(actor, 'Barrier', 3, { name })).start('wait').started;
      const witness = new Barrier(3, { name });
      await until(() => witness.waiting() === 2, 'both wait');
      witness.close();
      for (const actor of two) await actor.kill();
      const barrier = opens(new Barrier(3, { name, mustExist: true }));
      const end = await within(
        barrier.wait().then(
          () => 'passed',
          (error) => error.code,
        ),
        'the newcomer',
      ).finally(() => barrier.unlink());
      assert.equal(end, 'ERR_HOLDFAST_BROKEN_BARRIER');
    });

    it('travels to a Process as an argument', async () => {
      const { barrier } = await open(2);
      const module = new URL('../../programs/far-process.mjs', import.meta.url);
      const child = new Process({ module, export: 'arrive' }, { args: [barrier] }).start();
      await within(barrier.wait(), 'the child');
      assert.equal(await child.join({ timeout: 20_000 }), true);
      assert.equal(child.exitCode, 0);
    });
  });

  it('close(): its waits end, and the barrier breaks for the others', async () => {
    const { barrier, name } = await open(3);
    const mine = new Barrier(3, { name });
    const other = quiet(barrier.wait());
    const wait = quiet(mine.wait());
    mine.close(); // in the same turn
    await assertRejects(within(wait, 'the closed wait'), 'ClosedError', {
      kind: 'Barrier',
      objectName: name,
    });
    await broken(other);
    assertThrows(() => mine.waitSync(), 'ClosedError');
    assertThrows(() => mine.waiting(), 'ClosedError');
    assertThrows(() => mine.abort(), 'ClosedError');
    await assertRejects(mine.wait(), 'ClosedError');

    barrier.reset();
    const later = new Barrier(3, { name });
    const waits = [quiet(barrier.wait()), quiet(later.wait())];
    await twoSlices();
    later.close();
    await assertRejects(waits[1]!, 'ClosedError');
    await broken(waits[0]!);
  });

  it('close() of who has not arrived yet breaks nothing', async () => {
    let finish!: () => void;
    const action = () => new Promise<void>((resolve) => (finish = resolve));
    const { barrier, name } = await open(2, [], { action });
    const first = [barrier.wait(), barrier.wait()];
    await until(() => finish !== undefined, 'the action');
    const early = new Barrier(2, { name });
    const wait = quiet(early.wait());
    early.close();
    await assertRejects(wait, 'ClosedError');
    finish();
    await Promise.all(first);
    assert.equal(barrier.broken(), false);
  });

  it('close() while the round opens: who arrives then is told', async () => {
    let finish!: () => void;
    const action = () => new Promise<void>((resolve) => (finish = resolve));
    const { barrier, name } = await open(2, [], { action });
    const first = [barrier.wait(), barrier.wait()];
    await until(() => finish !== undefined, 'the action');
    const early = new Barrier(2, { name });
    const late = quiet(early.wait());
    finish();
    // The others go on in the turn in which it arrives, and one of them closes its handle.
    await first[0];
    early.close();
    await assertRejects(within(late, 'the late one'), 'ClosedError');
  });

  it('bad input', async () => {
    const anything = (value: unknown) => value as never;
    for (const parties of [0, -1, 1.5, NaN, 4097, Infinity]) {
      assert.throws(() => new Barrier(parties), RangeError, String(parties));
    }
    for (const parties of ['2', null, {}]) {
      assert.throws(() => new Barrier(anything(parties)), TypeError);
    }
    for (const action of [1, 'x', {}, null]) {
      assert.throws(() => new Barrier(2, { action: anything(action) }), TypeError);
    }
    for (const timeout of [-1, NaN, Infinity]) {
      assert.throws(() => new Barrier(2, { timeout }), RangeError);
    }
    assert.throws(() => new Barrier(2, { timeout: anything('5') }), TypeError);
    assert.throws(() => new Barrier(2, anything(null)), TypeError);
    assert.throws(() => new Barrier(2, anything(5)), TypeError);
    assert.throws(() => new Barrier(2, { name: '' }), RangeError);
    const { barrier } = await open(2);
    await assert.rejects(barrier.wait(anything(5)), TypeError);
    await assert.rejects(barrier.wait({ timeout: -1 }), RangeError);
    await assert.rejects(barrier.wait({ signal: anything({}) }), TypeError);
    const { signal } = new AbortController();
    assert.throws(() => barrier.waitSync(anything({ signal })), TypeError);
    assert.throws(() => barrier.waitSync({ timeout: NaN }), RangeError);
    assert.equal(barrier.waiting(), 0, 'a refused call has not arrived');
    assert.equal(barrier.broken(), false);
  });
});
