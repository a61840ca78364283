// What node:diagnostics_channel hears: each step of an acquisition, items, and Processes.
import assert from 'node:assert/strict';
import { subscribe, unsubscribe } from 'node:diagnostics_channel';
import {
  type AcquireMessage,
  BoundedSemaphore,
  Condition,
  JoinableQueue,
  Lock,
  LockManager,
  Process,
  type ProcessMessage,
  Queue,
  type QueueMessage,
  RLock,
  ReadWriteLock,
  Semaphore,
} from 'holdfast';
import { freshName, newActor, programFile, track, until } from '../support/index.js';

/** Listens to a channel while a test runs. */
function listen<T>(channel: string): T[] {
  const heard: T[] = [];
  const listener = (message: unknown) => void heard.push(message as T);
  subscribe(channel, listener);
  endings.push(() => unsubscribe(channel, listener));
  return heard;
}
const endings: (() => void)[] = [];
afterEach(() => {
  for (const end of endings.splice(0)) end();
});

interface Guarded {
  release(): void;
}

/** The ways to acquire each kind. */
const ways: Record<
  string,
  (name: string) => {
    kind: string;
    mode: string;
    acquire: (options: { timeout?: number; signal?: AbortSignal }) => Promise<Guarded | void>;
    acquireSync: () => Guarded | void;
    try: () => unknown;
    free: () => void;
  }
> = {
  Lock: (name) => of(track(new Lock({ name })), 'exclusive'),
  RLock: (name) => of(track(new RLock({ name, scope: 'async' })), 'exclusive'),
  'RLock of a thread': (name) => of(track(new RLock({ name, scope: 'thread' })), 'exclusive'),
  BoundedSemaphore: (name) => of(track(new BoundedSemaphore(1, { name })), 'permit'),
  Semaphore: (name) => of(track(new Semaphore(1, { name })), 'permit'),
  'ReadWriteLock, to write': (name) => {
    const lock = track(new ReadWriteLock({ name }));
    return {
      kind: 'ReadWriteLock',
      mode: 'exclusive',
      acquire: (options) => lock.acquireExclusive(options),
      acquireSync: () => lock.acquireExclusiveSync(),
      try: () => lock.tryAcquireExclusive(),
      free: () => {},
    };
  },
  'ReadWriteLock, to read': (name) => {
    const lock = track(new ReadWriteLock({ name }));
    return {
      kind: 'ReadWriteLock',
      mode: 'shared',
      acquire: (options) => lock.acquireShared(options),
      acquireSync: () => lock.acquireSharedSync(),
      try: () => lock.tryAcquireShared(),
      free: () => {},
    };
  },
};

function of(object: Lock | RLock | BoundedSemaphore | Semaphore, mode: string) {
  return {
    kind: object.toJSON().holdfast as string,
    mode,
    acquire: (options: object): Promise<Guarded | void> => object.acquire(options),
    acquireSync: (): Guarded | void => object.acquireSync(),
    try: (): unknown => object.tryAcquire(),
    free: () => object.release(),
  };
}

/** The events of each acquisition, in order. */
function stories(heard: AcquireMessage[], name: string): string[] {
  const byId = new Map<number, string[]>();
  for (const message of heard.filter((one) => one.name === name)) {
    byId.set(message.id, [...(byId.get(message.id) ?? []), message.event]);
  }
  return [...byId.values()].map((events) => events.join(' '));
}

describe('the channel holdfast.acquire', () => {
  for (const [title, open] of Object.entries(ways)) {
    it(`${title}: at once, by each form`, async () => {
      const name = freshName('channel');
      const { kind, mode, acquire, acquireSync, try: attempt, free } = open(name);
      const heard = listen<AcquireMessage>('holdfast.acquire');
      for (const take of [() => acquire({}), acquireSync, attempt]) {
        const guard = (await take()) as Guarded | undefined | boolean;
        if (typeof guard === 'object') guard.release();
        else free();
      }
      const whole = kind === 'Semaphore' ? 'start acquired' : 'start acquired released';
      const told = stories(heard, name).filter((story) => story.startsWith('start'));
      assert.deepEqual(told, [whole, whole, whole]);
      for (const message of heard) {
        assert.deepEqual({ kind: message.kind, mode: message.mode }, { kind, mode });
      }
      assert.equal(heard.filter(({ event }) => event === 'released').length, 3);
    });

    it(`${title}: timeout, abort, and a wait that succeeds`, async () => {
      const name = freshName('channel');
      const { acquire, try: attempt, free } = open(name);
      const blocker = open(name); // to read: a writer is in the way
      const holder = title.endsWith('to read') ? ways['ReadWriteLock, to write']!(name) : blocker;
      // Not by a task: in a task that holds it, an RLock would let the waits below in.
      const hold = holder.acquireSync();
      const heard = listen<AcquireMessage>('holdfast.acquire');
      if (title !== 'RLock of a thread') {
        await assert.rejects(acquire({ timeout: 1 }), { name: 'TimeoutError' });
        const abort = new AbortController();
        const aborted = acquire({ signal: abort.signal });
        abort.abort(new Error('enough'));
        await assert.rejects(aborted, /enough/);
        assert.ok([null, false].includes(attempt() as never));
        const wait = acquire({});
        if (hold) hold.release();
        else free();
        const guard = await wait;
        if (guard) guard.release();
        else free();
        const story = stories(heard, name).filter((one) => one.startsWith('start'));
        assert.deepEqual(story.slice(0, 3), [
          'start wait timeout',
          'start wait abort',
          'start timeout',
        ]);
        assert.match(story[3]!, /^start wait acquired/);
        const { error } = heard.find(({ event }) => event === 'timeout')!;
        assert.equal((error as Error).name, 'TimeoutError');
        return;
      }
      // A thread that holds it goes deeper.
      const guard = await acquire({});
      assert.deepEqual(stories(heard, name), ['start acquired']);
      (guard as Guarded).release();
      (hold as Guarded).release();
    });
  }

  it('abandoned comes after acquired', async () => {
    const name = freshName('channel');
    const lock = track(new Lock({ name }));
    const actor = await newActor('process');
    await (await actor.open('Lock', { name })).acquire();
    const heard = listen<AcquireMessage>('holdfast.acquire');
    const wait = lock.acquire();
    await actor.kill();
    (await wait).release();
    assert.deepEqual(stories(heard, name), ['start wait acquired abandoned released']);
  });

  it('a LockManager tells the name of the lock', async () => {
    const manager = track(new LockManager({ namespace: freshName('channel') }));
    const heard = listen<AcquireMessage>('holdfast.acquire');
    await manager.request('printer', async () => {
      await manager.request('printer', { ifAvailable: true }, (lock) => assert.equal(lock, null));
    });
    const abort = new AbortController();
    await manager.request('printer', async () => {
      const waits = manager.request('printer', { signal: abort.signal }, () => {});
      abort.abort();
      await assert.rejects(waits);
    });
    assert.deepEqual(stories(heard, manager.namespace), [
      'start acquired released',
      'start timeout',
      'start acquired released',
      'start wait abort',
    ]);
    assert.ok(heard.every(({ lock }) => lock === 'printer'));
  });

  it('requestSync() of a LockManager tells what request() does, in its channels as well', () => {
    const namespace = freshName('channel');
    const locks = track(new LockManager({ namespace }));
    const heard = listen<AcquireMessage>('holdfast.acquire');
    const steps = ['start', 'grant', 'miss', 'end'];
    const requests = steps.map((step) => listen<{ error?: unknown }>(`locks.request.${step}`));
    const inside = (options: object) => locks.requestSync('one', options, () => {});
    const fails = (options: object, name: string) =>
      assert.throws(() => locks.requestSync('one', {}, () => inside(options)), { name });
    locks.requestSync('one', { mode: 'shared' }, () => {});
    locks.requestSync('one', () => inside({ ifAvailable: true }));
    fails({ timeout: 1 }, 'TimeoutError');
    fails({}, 'DeadlockError');
    const throws = () => {
      throw new RangeError('of the callback');
    };
    assert.throws(() => locks.requestSync('one', throws), { name: 'RangeError' });
    const whole = 'start acquired released';
    const expected = [whole, whole, 'start timeout', whole, 'start wait timeout', whole];
    expected.push('start wait deadlock', whole);
    assert.deepEqual(stories(heard, namespace), expected);
    for (const { kind, lock, sync } of heard) {
      assert.deepEqual({ kind, lock, sync }, { kind: 'LockManager', lock: 'one', sync: true });
    }
    assert.deepEqual([heard[0]!.mode, heard.at(-1)!.mode], ['shared', 'exclusive']);
    const counts = requests.map((messages) => messages.length);
    assert.deepEqual(counts, [8, 5, 1, 8]);
    assert.equal(requests[3]!.filter(({ error }) => error !== undefined).length, 5);
  });

  it('a Condition lets go of its lock while it waits', async () => {
    const name = freshName('channel');
    const lock = track(new Lock({ name }));
    const condition = track(new Condition(lock, { name: freshName('condition') }));
    const guard = await lock.acquire();
    const heard = listen<AcquireMessage>('holdfast.acquire');
    await condition.wait({ timeout: 1 }).catch(() => {});
    const events = heard.filter((one) => one.name === name).map(({ event }) => event);
    assert.deepEqual(events, ['released', 'start', 'acquired']);
    guard.release();
  });
});

describe('the channels holdfast.queue and holdfast.process', () => {
  it('items in and out, one by one and in batches', async () => {
    const heard = listen<QueueMessage>('holdfast.queue');
    const queue = track(new Queue<number>({ name: freshName('Queue') }));
    const waits = queue.get();
    await queue.put(1);
    await waits;
    await queue.putMany([2, 3, 4]);
    await queue.getMany(2);
    queue.putSync(5);
    queue.getSync();
    queue.tryGet();
    const leased = track(new JoinableQueue<number>({ name: freshName('JoinableQueue') }));
    await leased.put(1);
    (await leased.take()).done();
    await until(() => heard.length === 9, 'all messages');
    const of = (name: string) =>
      heard.filter((one) => one.name === name).map(({ event, count }) => `${event} ${count}`);
    assert.deepEqual(of(queue.name), [
      'put 1',
      'get 1',
      'put 3',
      'get 2',
      'put 1',
      'get 1',
      'get 1',
    ]);
    assert.deepEqual(of(leased.name), ['put 1', 'take 1']);
    assert.ok(heard.every(({ time }) => time > 0 && time <= performance.now()));
  });

  it('start and end of a Process', async () => {
    const heard = listen<ProcessMessage>('holdfast.process');
    const module = programFile('process-targets.mjs');
    const child = new Process({ module, export: 'facts' }).start();
    await child.join();
    const { name, pid, exitCode } = child;
    assert.deepEqual(heard, [
      { event: 'start', name, pid },
      { event: 'end', name, pid, exitCode },
    ]);
  });
});
