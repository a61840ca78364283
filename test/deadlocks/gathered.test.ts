// Circles with acquireAll() and acquire(n): what they have gathered is kept while they wait for the
// rest.
import assert from 'node:assert/strict';
import {
  type Acquirable,
  type AcquireOptions,
  BoundedSemaphore,
  type Guard,
  Lock,
  RLock,
  ReadWriteLock,
  acquireAll,
} from 'holdfast';
import { freshName, platform, track, within } from '../support/index.js';

const aMoment = () => new Promise((resolve) => setTimeout(resolve, 100));

/** How each of them ends: `done`, or the name of its error. What they acquire they release. */
async function endsOf(...waits: Promise<Guard>[]): Promise<string[]> {
  const ends = await within(
    Promise.allSettled(waits.map(async (wait) => (await wait).release())),
    'the ends of all waits',
  );
  return ends.map((end) => (end.status === 'fulfilled' ? 'done' : String(end.reason.name)));
}

/** What acquireAll() has first, in each kind and mode; and how another task waits for it. */
interface First {
  readonly what: string;
  readonly member: Acquirable;
  wait(): Promise<Guard>;
}

function firsts(): First[] {
  const lock = track(new Lock({ name: freshName() }));
  const permit = track(new BoundedSemaphore(1, { name: freshName() }));
  const table = track(new ReadWriteLock({ name: `a ${freshName()}` }));
  const read = track(new ReadWriteLock({ name: `a ${freshName()}` }));
  // With scope 'thread' the other task would enter, too.
  const nested = (['mixed', 'async'] as const).map((scope): First => {
    const rlock = track(new RLock({ name: freshName(), scope }));
    return { what: `RLock '${scope}'`, member: rlock, wait: () => rlock.acquire() };
  });
  return [
    { what: 'Lock', member: lock, wait: () => lock.acquire() },
    { what: 'BoundedSemaphore', member: permit, wait: () => permit.acquire() },
    {
      what: 'ReadWriteLock exclusive',
      member: table,
      wait: () => table.acquireShared(),
    },
    {
      what: 'ReadWriteLock shared',
      member: { lock: read, mode: 'shared' },
      wait: () => read.acquireExclusive(),
    },
    ...nested,
  ];
}

/** One task has `first`, and waits for the last lock. The one that has that waits for `first`. */
async function cross({ member, wait }: First, options: AcquireOptions): Promise<string[]> {
  const last = track(new ReadWriteLock({ name: `z ${freshName()}` }));
  const holds = last.runExclusive(async () => {
    await aMoment();
    return wait();
  });
  return endsOf(acquireAll([last, member], options), holds);
}

async function allKinds(options: AcquireOptions, expected: string[]): Promise<void> {
  const all = firsts().map(async (first) => {
    assert.deepEqual(await cross(first, options), expected, first.what);
  });
  await Promise.all(all);
}

/** acquireAll() waits for the last of three when the other wait has begun. */
async function gathersLast(): Promise<void> {
  const locks = ['a', 'm', 'z'].map((name) => track(new Lock({ name: name + freshName() })));
  const [a, m, z] = locks as [Lock, Lock, Lock];
  const between = await m.acquire();
  const gathers = acquireAll([a, m, z]);
  const holds = z.runExclusive(() => a.acquire());
  await aMoment();
  between.release();
  assert.deepEqual(await endsOf(gathers, holds), ['DeadlockError', 'done']);
  for (const lock of locks) assert.equal(lock.locked(), false);
}

/** One task has a lock and one of two permits, and another one has the other permit. */
async function crossPermits(
  gathersFirst: boolean,
  options: AcquireOptions,
  expected: string[],
): Promise<void> {
  const lock = track(new Lock({ name: freshName() }));
  const permits = track(new BoundedSemaphore(2, { name: freshName() }));
  const holds = permits.withPermit(async () => {
    if (gathersFirst) await aMoment();
    return lock.acquire();
  });
  const gathers = lock.runExclusive(async () => {
    if (!gathersFirst) await aMoment();
    return permits.acquire(2, options);
  });
  assert.deepEqual(await endsOf(gathers, holds), expected);
  assert.equal(permits.value(), 2);
}

async function wantsMoreThanIsLeft(): Promise<void> {
  const permits = track(new BoundedSemaphore(2, { name: freshName() }));
  const itself = permits.withPermit(() => permits.acquire(2));
  assert.deepEqual(await endsOf(itself), ['DeadlockError']);
  assert.equal(permits.value(), 2);
}

/** Two that want both permits: one has a permit already, and the other one has the turn. */
async function waitsForTurn(): Promise<void> {
  const name = freshName();
  const permits = track(new BoundedSemaphore(2, { name }));
  const inLine = permits.withPermit(async () => {
    await aMoment();
    return permits.acquire(2);
  });
  const first = permits.acquire(2);
  await assert.rejects(within(inLine, 'the end of who is in line'), (error: Error) => {
    assert.equal(error.name, 'DeadlockError');
    const named = `BoundedSemaphore "${name}"`;
    assert.ok(error.message.startsWith(`${named}: a deadlock: `), error.message);
    assert.equal(error.message.split(`waits for ${named}, held by`).length, 3, error.message);
    return true;
  });
  assert.deepEqual(await endsOf(first), ['done']);
  assert.equal(permits.value(), 2);
}

describe('deadlocks: acquireAll() and acquire(n)', () => {
  if (platform !== 'linux') return; // it is the same code everywhere, and takes some seconds

  it('what they have gathered counts, whichever wait is the youngest', async () => {
    await Promise.all([
      allKinds({}, ['done', 'DeadlockError']),
      gathersLast(),
      crossPermits(true, {}, ['done', 'DeadlockError']),
      crossPermits(false, {}, ['DeadlockError', 'done']),
      wantsMoreThanIsLeft(),
      waitsForTurn(),
    ]);
  });

  it('no false alarm if they give up, or say { deadlock: false }', async () => {
    const expected = ['TimeoutError', 'done'];
    await Promise.all([
      allKinds({ timeout: 1150 }, expected),
      allKinds({ timeout: 1900, deadlock: false }, expected),
      crossPermits(true, { timeout: 1150 }, expected),
      crossPermits(true, { timeout: 1900, deadlock: false }, expected),
    ]);
  });
});
