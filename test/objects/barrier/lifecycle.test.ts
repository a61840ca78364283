// Barrier: its name and its file, close(), and wrong arguments.
import assert from 'node:assert/strict';
import { Barrier, type Handle, Lock, Process, attach, list, unlink } from 'holdfast';
import {
  assertRejects,
  assertThrows,
  freshName,
  newActor,
  sharedActors,
  track,
  twoSlices,
  until,
  within,
} from '../../support/index.js';
import { open, broken, quiet, worksAfterReset } from './helpers.js';

describe('Barrier', () => {
  describe('names', () => {
    it('attach(), toJSON(), by name with and without parties', async () => {
      const [there] = await sharedActors('process', 1);
      for (const name of [freshName('barrier'), undefined]) {
        const barrier = track(new Barrier(2, name === undefined ? {} : { name }));
        assert.equal(barrier.parties, 2);
        const handle: Handle<'Barrier'> = JSON.parse(JSON.stringify(barrier));
        assert.deepEqual(handle, { holdfast: 'Barrier', name: barrier.name });
        const again = track(attach(handle));
        assert.equal(again.parties, 2);
        const remote = await there!.attach(handle);
        assert.equal((await Promise.all([remote.call<number>('wait'), again.wait()])).length, 2);
        if (name) assert.equal(track(new Barrier(undefined, { name })).parties, 2);
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
      const lock = track(new Lock({ name: freshName('lock') }));
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

    it('persistent, all its parties died waiting: the next ones are told', async () => {
      const name = freshName('barrier');
      const two = await Promise.all([newActor('process'), newActor('process')]);
      track(new Barrier(3, { name, persistent: true })).close();
      for (const actor of two)
        await (await actor.make('Barrier', 3, { name })).start('wait').started;
      const witness = new Barrier(3, { name });
      await until(() => witness.waiting() === 2, 'both wait');
      witness.close();
      for (const actor of two) await actor.kill();
      const barrier = track(new Barrier(3, { name, mustExist: true }));
      const end = await within(
        barrier.wait().then(
          () => 'passed',
          (error) => error.code,
        ),
        'the new process',
      ).finally(() => barrier.unlink());
      assert.equal(end, 'ERR_HOLDFAST_BROKEN_BARRIER');
    });

    it('travels to a Process as an argument', async () => {
      const { barrier } = await open(2);
      const module = new URL('../../programs/object-targets.mjs', import.meta.url);
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

  it('close() of an object whose party has not arrived breaks nothing', async () => {
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

  it('close() while the round ends: a party that arrives then is told', async () => {
    let finish!: () => void;
    const action = () => new Promise<void>((resolve) => (finish = resolve));
    const { barrier, name } = await open(2, [], { action });
    const first = [barrier.wait(), barrier.wait()];
    await until(() => finish !== undefined, 'the action');
    const early = new Barrier(2, { name });
    const late = quiet(early.wait());
    finish();
    // The others go on in the turn in which it arrives, and one of them closes its object.
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
