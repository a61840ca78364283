// LockManager across processes and workers: order, theft, aborts, and what query() shows of others.
import assert from 'node:assert/strict';
import { type LockManager, type LockManagerSnapshot, SharedMemory } from 'holdfast';
import {
  type Kept,
  type RemoteObject,
  forms,
  newActor,
  newProcess,
  remotePlaces,
  sharedActor,
  sharedActors,
  stateOf,
  track,
  until,
  within,
} from '../../support/index.js';
import {
  Holding,
  assertFree,
  assertStolen,
  counts,
  hold,
  open,
  openIn,
  rejection,
  untilCounts,
} from './helpers.js';

const shared = { mode: 'shared' } as const;
const steal = { steal: true } as const;

const has = (kept: Kept) =>
  kept.remote.actor.act<{ abandoned: boolean; stolen: boolean; token: bigint }>('describeLock', {
    object: kept.remote,
  });

/** Starts a request in an actor, and waits until the table has it. It may be granted later. */
async function queueUp(
  manager: LockManager,
  theirs: RemoteObject,
  options = {},
): Promise<{ kept: Promise<Kept> }> {
  const before = await counts(manager, 'it');
  const kept = theirs.keep('acquire', 'it', options);
  kept.catch(() => {});
  await until(async () => {
    const [held, pending] = await counts(manager, 'it');
    return held + pending > before[0] + before[1];
  }, 'the request');
  return { kept };
}

describe('LockManager, across', () => {
  for (const place of remotePlaces) {
    describe(place, () => {
      it('a release here grants there, and a release there grants here', async () => {
        const manager = open();
        const theirs = await openIn(await sharedActor(place), manager);
        for (let round = 0; round < 3; round++) {
          const held = await hold(manager, 'it');
          const there = await queueUp(manager, theirs);
          await held.release();
          const kept = await there.kept;
          assert.equal(kept.abandoned, false);
          const back = new Holding(manager, 'it');
          assert.equal(await stateOf(back.granted), 'pending');
          await kept.remote.release();
          await back.granted;
          await back.release();
        }
        await assertFree(manager, 'it');
      });

      it('requestSync() that shares, behind a writer there, behind a hold here: a deadlock', async () => {
        const manager = open();
        const theirs = await openIn(await sharedActor(place), manager);
        const reader = await hold(manager, 'it', shared);
        const writer = await queueUp(manager, theirs);
        const call = () => manager.requestSync('it', shared, () => {});
        assert.throws(call, { name: 'DeadlockError' });
        await reader.release();
        await (await writer.kept).remote.release();
        call();
        await assertFree(manager, 'it');
      });

      it('first come, first served; readers share, and wait behind a writer that waits', async () => {
        const manager = open();
        const actors = await sharedActors(place, 2);
        const [a, b] = await Promise.all(actors.map((actor) => openIn(actor, manager)));
        const reader = await hold(manager, 'it', shared);
        const other = await a!.keep('acquire', 'it', shared);
        const writer = await queueUp(manager, b!);
        const late = new Holding(manager, 'it', shared);
        const later = await queueUp(manager, a!, shared);
        assert.deepEqual(await counts(manager, 'it'), [2, 3]);
        assert.equal(await a!.call('acquire', 'it', { ...shared, ifAvailable: true }), null);
        await reader.release();
        await other.remote.release();
        const wrote = await writer.kept;
        assert.deepEqual(await counts(manager, 'it'), [1, 2]);
        await wrote.remote.release();
        await late.granted;
        const lastly = await later.kept;
        assert.deepEqual(await counts(manager, 'it'), [2, 0]);
        await late.release();
        await lastly.remote.release();
        await assertFree(manager, 'it');
      });

      it('requestSync() waits for one there, and one there for this', async () => {
        const manager = open();
        const theirs = await openIn(await sharedActor(place), manager);
        const memory = track(new SharedMemory(4));
        const there = await theirs.actor.attach(memory.toJSON());
        const args = { object: theirs, memory: there, names: 1, rounds: 2000, form: 'sync' };
        const adding = theirs.actor.startAct('addUnderLocks', args);
        const words = new Int32Array(memory.buffer);
        for (let i = 0; i < 2000; i++) manager.requestSync('name 0', () => void (words[0]! += 1));
        await within(adding, 'the additions there');
        assert.equal(words[0], 4000);
        await assertFree(manager, 'name 0');
      });

      it('a thief there: the victim here is told, and the other way round', async () => {
        const manager = open();
        const theirs = await openIn(await sharedActor(place), manager);
        const victim = await hold(manager, 'it');
        const thief = await theirs.keep('acquire', 'it', steal);
        await assertStolen(victim.result);
        await assertStolen(victim.release());
        assert.deepEqual(await counts(manager, 'it'), [1, 0]);
        const back = await hold(manager, 'it', steal);
        await until(async () => (await has(thief)).stolen, 'the news there');
        await thief.remote.release();
        assert.deepEqual(await counts(manager, 'it'), [1, 0]);
        await back.release();
        await assertFree(manager, 'it');
        const held = theirs.actor.startAct('holdForever', { object: theirs, name: 'it' });
        await untilCounts(manager, 'it', 1, 0);
        await (await hold(manager, 'it', steal)).release();
        const error = (await rejection(held)) as NodeJS.ErrnoException;
        assert.deepEqual([error.name, error.code], ['AbortError', 'ERR_HOLDFAST_STOLEN']);
      });

      it('an abort of what waits for a holder there; those behind it are granted', async () => {
        const manager = open();
        const theirs = await openIn(await sharedActor(place), manager);
        const there = await theirs.keep('acquire', 'it', shared);
        const controller = new AbortController();
        const writer = new Holding(manager, 'it', { signal: controller.signal });
        const reading = await queueUp(manager, theirs, shared);
        assert.deepEqual(await counts(manager, 'it'), [1, 2]);
        controller.abort('mine');
        assert.equal(await rejection(writer.result), 'mine');
        await (await reading.kept).remote.release();
        await there.remote.release();
        await assertFree(manager, 'it');
      });

      it('tokens grow across all of them', async () => {
        const manager = open();
        const theirs = await openIn(await sharedActor(place), manager);
        let last = -1n;
        for (let round = 0; round < 5; round++) {
          const kept = await theirs.keep('acquire', 'it');
          const { token } = await has(kept);
          await kept.remote.release();
          const mine = await manager.request('it', (lock) => lock!.token);
          assert.ok(token > last && mine > token, `${last} ${token} ${mine}`);
          last = mine;
        }
      });

      it('query() shows who holds and who waits, each by its own client id', async () => {
        const manager = open();
        const actors = await sharedActors(place, 2);
        const [a, b] = await Promise.all(actors.map((actor) => openIn(actor, manager)));
        await a!.keep('acquire', 'it');
        const waits = await queueUp(manager, b!);
        const mine = await hold(manager, 'mine');
        const here = await manager.query();
        const theirs = await a!.call<LockManagerSnapshot>('query');
        const sorted = (all: LockManagerSnapshot['held']) =>
          all.toSorted((one, other) => one.name.localeCompare(other.name));
        assert.deepEqual(sorted(theirs.held), sorted(here.held));
        assert.deepEqual(theirs.pending, here.pending);
        const all = [...here.held, ...here.pending];
        const who = (name: string, actor: { pid: number; threadId: number }) =>
          all.some(
            (one) => one.name === name && one.pid === actor.pid && one.threadId === actor.threadId,
          );
        assert.ok(who('it', actors[0]!) && who('it', actors[1]!));
        assert.ok(who('mine', { pid: process.pid, threadId: 0 }));
        assert.equal(new Set(all.map((one) => one.clientId)).size, 3);
        await mine.release();
        await a!.actor.reset();
        await (await waits.kept).remote.release();
        await assertFree(manager, 'it');
      });

      it('query() shows a deadlock', async () => {
        const manager = open();
        const actors = await Promise.all([newActor(place), newActor(place)]);
        const [a, b] = await Promise.all(actors.map((actor) => openIn(actor, manager)));
        const one = await a!.keep('acquire', 'one');
        const two = await b!.keep('acquire', 'two');
        void a!.actor.startAct('holdForever', { object: a, name: 'two' });
        void b!.actor.startAct('holdForever', { object: b, name: 'one' });
        await untilCounts(manager, 'one', 1, 1);
        await untilCounts(manager, 'two', 1, 1);
        const { held, pending } = await manager.query();
        const client = (all: typeof held, name: string) =>
          all.find((entry) => entry.name === name)!.clientId;
        assert.equal(client(held, 'one'), client(pending, 'two'));
        assert.equal(client(held, 'two'), client(pending, 'one'));
        await one.remote.release();
        await untilCounts(manager, 'one', 1, 0);
        await two.remote.release();
        await untilCounts(manager, 'two', 1, 0);
      });
    });
  }

  it('a stopped holder keeps its lock until it is stolen, and is told when it goes on', async () => {
    const manager = open();
    const holder = await newProcess();
    const theirs = await openIn(holder, manager);
    const held = holder.startAct('holdForever', { object: theirs, name: 'it' });
    await untilCounts(manager, 'it', 1, 0);
    holder.signal('SIGSTOP');
    const wait = manager.request('it', { timeout: 150 }, () => {});
    assert.equal(((await rejection(wait)) as Error).name, 'TimeoutError');
    const thief = await hold(manager, 'it', steal);
    assert.equal(thief.lock!.abandoned, false);
    await thief.release();
    await assertFree(manager, 'it');
    assert.equal(await stateOf(held), 'pending');
    holder.signal('SIGCONT');
    const error = (await rejection(held)) as NodeJS.ErrnoException;
    assert.deepEqual([error.name, error.code], ['AbortError', 'ERR_HOLDFAST_STOLEN']);
    await assertFree(manager, 'it');
  });

  it('six agents count under a lock for each name: nothing is lost', async function () {
    this.timeout(60_000);
    const [agents, names, rounds] = [6, 5, 1000];
    const manager = open();
    const memory = track(new SharedMemory(4 * names));
    const actors = await Promise.all(
      Array.from({ length: agents }, (_, i) => newActor(i < 4 ? 'process' : 'worker')),
    );
    const adding = actors.map(async (actor, i) => {
      const args = {
        object: await openIn(actor, manager),
        memory: await actor.attach(memory.toJSON()),
        form: forms[i % 2],
        names,
        rounds,
      };
      await actor.act('addUnderLocks', args, 50_000);
    });
    await Promise.all(adding);
    const each = (agents * rounds) / names;
    assert.deepEqual([...new Int32Array(memory.buffer)], Array(names).fill(each));
    assert.equal(manager.inspect().grants, agents * rounds);
    assert.equal(manager.inspect().abandonments, 0);
    assert.deepEqual(await manager.query(), { held: [], pending: [] });
  });
});
