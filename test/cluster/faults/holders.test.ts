// What becomes of locks and jobs when their holder dies, stops, or is cut off: on each engine that
// has a server.
import assert from 'node:assert/strict';
import { LockLostError } from 'holdfast';
import { Program, now, until, within } from '../../support/index.js';
import { BlackHole } from '../black-hole.js';
import { Gate, Holding, hold, rejection } from '../hold.js';
import { Resource } from '../resource.js';
import { forEachServer, open, openBeside } from '../subjects.js';

/** Short, so that tests do not take long. etcd makes 2 s of it. */
const lease = { ttl: 1000 } as const;

forEachServer('faults of holders', 'all', (subject) => {
  let resource: Resource;
  beforeEach(async () => {
    resource = await new Resource().open();
  });
  afterEach(() => resource.close());

  /** A process that holds the lock 'it' and writes to the resource. */
  async function startHolder(namespace: string): Promise<Program> {
    const url = await subject.start();
    const args = [url, namespace, JSON.stringify(lease), resource.port];
    const holder = new Program('cluster/holder.mjs', { args });
    await holder.line('holds');
    return holder;
  }

  it('the lock of a killed holder goes to the next, with a greater token', async () => {
    const a = await open(subject, lease);
    const holder = await startHolder(a.namespace);
    const next = new Holding(a, 'it');
    await until(async () => (await a.locks.query()).pending.length === 1, 'a request that waits');
    await holder.kill();
    const lock = (await next.granted)!;
    assert.ok(lock.token > BigInt((await holder.line('holds')).split(' ')[1]!));
    assert.notEqual(lock.abandoned, false);
    await next.release();
  });

  it('inspect() soon shows the lock of a killed holder no more, though nobody asks for it', async () => {
    const a = await open(subject, lease);
    const holder = await startHolder(a.namespace);
    assert.deepEqual(
      (await a.inspect()).locks.map(({ name }) => name),
      ['it'],
    );
    await holder.kill();
    await until(async () => (await a.inspect()).locks.length === 0, 'a list without the lock');
  });

  it('a holder that was stopped past its lease is told, and its late write is refused', async () => {
    const a = await open(subject, lease);
    const holder = await startHolder(a.namespace);
    holder.signal('SIGSTOP');
    const next = await hold(a, 'it');
    const { token } = (await next.granted)!;
    assert.equal(resource.write(token), 'accepted');
    holder.signal('SIGCONT');
    assert.equal(await holder.line('lost'), 'lost refused');
    await holder.line('aborted');
    assert.match(await holder.line('rejected'), /^rejected ERR_HOLDFAST_LOCK_LOST /);
    assert.equal((await holder.end()).code, 0);
    assert.equal(resource.accepted.at(-1), token);
    await next.release();
  });

  it('a job of a killed taker is handed out again', async () => {
    const a = await open(subject, lease);
    await a.queue('jobs').put('x');
    const url = await subject.start();
    const args = [url, a.namespace, JSON.stringify(lease)];
    const taker = new Program('cluster/taker.mjs', { args });
    assert.equal(await taker.line('took'), 'took x 1');
    const again = a.queue('jobs').take();
    await taker.kill();
    const task = await within(again, 'the second delivery');
    assert.deepEqual([task.value, task.deliveries], ['x', 2]);
    await task.done();
    assert.deepEqual(await a.queue('jobs').count(), { waiting: 0, taken: 0 });
  });

  it('in a black hole the signal comes before the next grant', async () => {
    const url = await subject.start();
    const cable = await new BlackHole(Number(new URL(url).port)).open();
    try {
      const a = await open(subject, { ...lease, commandTimeout: 400 });
      const b = await open(subject, { ...lease, namespace: a.namespace }, cable.port);
      const [holds, aborted] = [new Gate<void>(), new Gate<number>()];
      const request = b.locks.request('it', async (lock) => {
        holds.pass();
        lock!.signal.addEventListener('abort', () => aborted.pass(now()));
        await aborted.passed;
        assert.throws(() => lock!.check(), LockLostError);
      });
      request.catch(() => {});
      await within(holds.passed, 'the lock'); // what is on its way when the cable is cut is lost
      cable.cut();
      const next = await hold(a, 'it');
      const granted = now();
      assert.ok((await within(aborted.passed, 'the signal')) < granted, 'the signal came first');
      assert.ok((await rejection(request)) instanceof LockLostError);
      await next.release();
      cable.mend();
      await (await hold(b, 'it')).release();
    } finally {
      cable.close();
    }
  });

  it('tokens only grow, over sessions and thefts', async () => {
    const a = await open(subject, lease);
    const tokens: bigint[] = [];
    for (let i = 0; i < 3; i++) {
      const b = await openBeside(subject, a);
      const one = await hold(b, 'it');
      tokens.push((await one.granted)!.token);
      const waiter = new Holding(a, 'it');
      const thief = await hold(a, 'it', { steal: true });
      tokens.push((await thief.granted)!.token);
      one.end();
      await rejection(one.result);
      await b.close();
      await thief.release();
      tokens.push((await waiter.granted)!.token);
      await waiter.release();
    }
    for (let i = 1; i < tokens.length; i++) assert.ok(tokens[i]! > tokens[i - 1]!, `${tokens}`);
  });
});
