// How many messages a lock costs, counted between the processes and the server.
import assert from 'node:assert/strict';
import { until } from '../../support/index.js';
import { Holding, hold } from '../hold.js';
import { forEachServer, open, openBeside } from '../subjects.js';
import { Tap } from '../tap.js';

/** Long enough that no renewal comes between. */
const lease = { ttl: 120_000 } as const;

/** The commands of a grant that is asked for, of a release, and of a waiter that hears of one. */
const expected = {
  postgres: { ask: ['ask'], end: ['finish'], hear: [] },
  redis: { ask: ['ask'], end: ['end'], hear: [] },
  // The waiter itself grants: etcd has no code of ours in it that could.
  etcd: { ask: ['kv/txn'], end: ['kv/txn'], hear: ['kv/txn'] },
} as const;

/** What a session does from time to time while it waits. */
const periodic = ['tend', 'watch', 'visit', 'told_waits'];

forEachServer('messages', 'all', (subject) => {
  const { ask, end, hear } = expected[subject.name as keyof typeof expected];
  const taps: Tap[] = [];
  afterEach(() => {
    for (const tap of taps.splice(0)) tap.close();
  });

  async function openTap(): Promise<Tap> {
    const { port } = new URL(await subject.start());
    const tap = await new Tap(subject.name, Number(port)).open();
    taps.push(tap);
    return tap;
  }

  function take(tap: Tap): [readonly string[], number] {
    const { commands, pushes } = tap.take();
    return [commands.filter((name) => !periodic.includes(name)), pushes];
  }

  it('a free lock costs a command, and its release another one', async () => {
    const tap = await openTap();
    const a = await open(subject, lease, tap.port);
    tap.take();
    const holding = await hold(a, 'it');
    assert.deepEqual(take(tap), [ask, 0]);
    await holding.release();
    assert.deepEqual(take(tap), [end, 0]);
  });

  it('a hand-over costs the release, and one push to the next', async () => {
    const [tapA, tapB] = [await openTap(), await openTap()];
    const a = await open(subject, lease, tapA.port);
    const b = await open(subject, { ...lease, namespace: a.namespace }, tapB.port);
    const beside = await openBeside(subject, a);
    const holding = await hold(a, 'it');
    tapB.take();
    const next = new Holding(b, 'it');
    const waits = async (): Promise<number> => (await beside.locks.query()).pending.length;
    await until(async () => (await waits()) === 1, 'a request that waits');
    assert.deepEqual(take(tapB), [ask, 0]);
    const last = new Holding(beside, 'it');
    await until(async () => (await waits()) === 2, 'one behind it');
    tapA.take();
    await holding.release();
    await next.granted;
    assert.deepEqual(take(tapA), [end, 0]);
    assert.deepEqual(take(tapB), [hear, 1]);
    await next.release();
    await last.granted;
    assert.deepEqual(take(tapB), [end, 0]);
    await last.release();
  });
});
