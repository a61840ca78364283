// Deadlocks among the locks of a cluster on PostgreSQL: the youngest wait ends, and no other does.
import assert from 'node:assert/strict';
import { setTimeout as sleep } from 'node:timers/promises';
import { type Cluster, DeadlockError } from 'holdfast';
import { within } from '../../support/index.js';
import { Gate, Holding, hold, rejection } from '../hold.js';
import { type Subject, forEachServer, open, openBeside } from '../subjects.js';

/** Longer than any circle stays, and far longer than the second after which one is looked for. */
const longer_ms = 3000;

/** Takes the first lock. When `both` has passed, waits for the second inside of its callback. */
function nested(cluster: Cluster, first: string, second: string, both: Promise<void>) {
  const has = new Gate();
  const result = cluster.locks.request(first, async () => {
    has.pass();
    await both;
    return cluster.locks.request(second, () => `${first} ${second}`);
  });
  result.catch(() => {});
  return { has: has.passed, result };
}

/** Of two processes: one wait ends, the other goes on. */
async function two(subject: Subject): Promise<void> {
  const a = await open(subject);
  const b = await openBeside(subject, a);
  const gate = new Gate();
  const one = nested(a, 'x', 'y', gate.passed);
  const two = nested(b, 'y', 'x', gate.passed);
  await Promise.all([one.has, two.has]);
  gate.pass();
  const ends = await within(Promise.allSettled([one.result, two.result]), 'both ends');
  const [lost, ...more] = ends.filter((end) => end.status === 'rejected');
  assert.equal(more.length, 0);
  assert.ok(lost!.reason instanceof DeadlockError, String(lost!.reason));
  const { cycle, message } = lost!.reason;
  assert.equal(cycle.length, 2);
  assert.deepEqual(cycle.map(({ name }) => name).toSorted(), ['x', 'y']);
  assert.equal(cycle[0]!.pid, process.pid);
  assert.ok(cycle[0]!.waitedFor >= 1000 && cycle[1]!.waitedFor >= cycle[0]!.waitedFor);
  assert.match(message, /waits for .*"[xy]".*, held by /);
  const { held, pending } = await a.locks.query();
  assert.deepEqual([held, pending], [[], []]);
}

/** Of three in one process, the youngest wait ends. */
async function three(subject: Subject): Promise<void> {
  const a = await open(subject);
  const gates = [new Gate(), new Gate(), new Gate()];
  const names = ['x', 'y', 'z', 'x'];
  const all = gates.map((gate, i) => nested(a, names[i]!, names[i + 1]!, gate.passed));
  await Promise.all(all.map(({ has }) => has));
  for (const gate of gates) {
    gate.pass();
    await sleep(50);
  }
  const error = await rejection(all[2]!.result);
  assert.ok(error instanceof DeadlockError, String(error));
  assert.equal(error.cycle.length, 3);
  assert.equal(await within(all[0]!.result, 'the first'), 'x y');
  assert.equal(await within(all[1]!.result, 'the second'), 'y z');
}

/** A callback that waits for its own lock. */
async function own(subject: Subject): Promise<void> {
  const a = await open(subject);
  const own = a.locks.request('x', () => a.locks.request('x', () => {}));
  assert.ok((await rejection(own)) instanceof DeadlockError);
}

/** A reader behind a writer that waits for it. */
async function readerBehind(subject: Subject): Promise<void> {
  const a = await open(subject);
  const b = await openBeside(subject, a);
  const has = new Gate();
  const writer = new Gate<Holding>();
  const reader = a.locks.request('x', { mode: 'shared' }, async () => {
    has.pass();
    await writer.passed;
    return a.locks.request('x', { mode: 'shared' }, () => {});
  });
  await has.passed;
  const waiting = new Holding(b, 'x');
  while ((await a.locks.query()).pending.length === 0);
  writer.pass(waiting);
  assert.ok((await rejection(reader)) instanceof DeadlockError);
  await waiting.granted;
  await waiting.release();
}

/** A permit is blocked only if all of them are in the circle. */
async function permit(subject: Subject): Promise<void> {
  const a = await open(subject);
  const semaphore = a.semaphore('two', 2);
  const free = await semaphore.acquire();
  const other = await semaphore.acquire();
  const waits = a.locks.request('x', async () => {
    const permit = await semaphore.acquire();
    await permit.release();
  });
  const behind = a.locks.request('x', () => 'after');
  await sleep(longer_ms);
  await free.release();
  await within(waits, 'the permit');
  assert.equal(await behind, 'after');
  await other.release();
}

/** A hold in a variable may end at any time, and a wait with `deadlock: false` takes no part. */
async function mayEnd(subject: Subject): Promise<void> {
  const a = await open(subject);
  const b = await openBeside(subject, a);
  // Whoever has acquire()d may release at any time.
  const [x, y] = [await a.locks.acquire('x'), await b.locks.acquire('y')];
  const waits = [new Holding(a, 'y'), new Holding(b, 'x')];
  // A circle that one of the two has taken itself out of.
  const gate = new Gate();
  const end = new AbortController();
  const has = new Gate();
  const one = nested(a, 'p', 'q', gate.passed);
  const two = b.locks.request('q', async () => {
    has.pass();
    await gate.passed;
    const options = { deadlock: false, signal: end.signal };
    return b.locks.request('p', options, () => {}).catch(() => 'gave up');
  });
  await Promise.all([one.has, has.passed]);
  gate.pass();
  await sleep(longer_ms);
  end.abort();
  assert.equal(await within(two, 'the one that gave up'), 'gave up');
  assert.equal(await within(one.result, 'the other one'), 'p q');
  await Promise.all([x.release(), y.release()]);
  await Promise.all(waits.map((wait) => wait.granted));
  await Promise.all(waits.map((wait) => wait.release()));
}

/** A chain of waits that ends. */
async function chain(subject: Subject): Promise<void> {
  const a = await open(subject);
  const b = await openBeside(subject, a);
  const last = await hold(a, 'z');
  const gate = new Gate();
  gate.pass();
  const chain = [nested(a, 'x', 'y', gate.passed), nested(b, 'y', 'z', gate.passed)];
  await sleep(longer_ms);
  await last.release();
  await Promise.all(chain.map(({ result }) => within(result, 'the chain')));
}

/** They mostly wait, so they wait together, each in a namespace of its own. */
const play = async (subject: Subject, cases: ((subject: Subject) => Promise<void>)[]) => {
  await Promise.all(cases.map((one) => one(subject)));
};

forEachServer('deadlocks', 'postgres', (subject) => {
  it('of each circle the youngest wait ends', () => play(subject, [two, three, own, readerBehind]));

  it('what can end is left alone', () => play(subject, [permit, mayEnd, chain]));
});
