// LockManager: what it has beyond the standard: requestSync(), acquire(), tokens, the facts of
// query(), counters and diagnostics channels.
import assert from 'node:assert/strict';
import diagnostics from 'node:diagnostics_channel';
import { assertThrows, stateOf } from '../../support/index.js';
import { Holding, assertFree, assertStolen, counts, hold, open, rejection } from './helpers.js';

const shared = { mode: 'shared' } as const;

describe('LockManager, requestSync()', () => {
  it('calls back at once, and returns or throws what the callback does', async () => {
    const manager = open();
    const thrown = new Error('thrown');
    assert.equal(
      manager.requestSync('it', (lock) => `${lock!.name} ${lock!.mode}`),
      'it exclusive',
    );
    assert.equal(
      manager.requestSync('it', shared, (lock) => lock!.mode),
      'shared',
    );
    const throws = () =>
      manager.requestSync('it', () => {
        throw thrown;
      });
    assert.throws(throws, (error) => error === thrown);
    const held = await hold(manager, 'it');
    assert.equal(
      manager.requestSync('it', { ifAvailable: true }, (lock) => lock),
      null,
    );
    await held.release();
    await assertFree(manager, 'it');
  });

  it('a promise, a signal and wrong arguments are TypeErrors; nothing stays held', async () => {
    const manager = open();
    const { signal } = new AbortController();
    const loose = manager.requestSync.bind(manager) as unknown as (...args: unknown[]) => unknown;
    for (const args of [
      [],
      ['it'],
      ['it', {}],
      ['it', 'callback'],
      ['it', { signal }, () => {}],
      ['it', { mode: 'wrong' }, () => {}],
      ['it', async () => {}],
      ['it', () => Promise.reject(new Error('not unhandled'))],
    ]) {
      assert.throws(() => loose(...args), TypeError);
    }
    assert.throws(() => loose('-it', () => {}), { name: 'NotSupportedError' });
    await assertFree(manager, 'it');
  });

  it('a request of this thread in its way is a DeadlockError, held or pending', async () => {
    const manager = open();
    const about = { kind: 'LockManager', objectName: manager.namespace };
    const call = (options: object) => () => manager.requestSync('it', options, () => 'called');
    const reader = await hold(manager, 'it', shared);
    assertThrows(call({}), 'DeadlockError', about);
    assert.equal(call(shared)(), 'called');
    const writer = new Holding(manager, 'it');
    assertThrows(call(shared), 'DeadlockError', about);
    assertThrows(call({ timeout: 5 }), 'TimeoutError', about);
    assert.deepEqual(await counts(manager, 'it'), [1, 1]);
    assert.equal(
      manager.requestSync('other', () => 'called'),
      'called',
    );
    await reader.release();
    await writer.release();
    assert.equal(call({})(), 'called');
    await assertFree(manager, 'it');
  });

  it('between grant and callback of a request it is a DeadlockError, too', async () => {
    const manager = open();
    const first = new Holding(manager, 'it');
    assertThrows(() => manager.requestSync('it', () => {}), 'DeadlockError');
    await first.release();
    await assertFree(manager, 'it');
  });

  it('what waits in this thread is granted after it', async () => {
    const manager = open();
    let waits: Holding | undefined;
    manager.requestSync('it', () => {
      waits = new Holding(manager, 'it');
    });
    await waits!.granted;
    await waits!.release();
    await assertFree(manager, 'it');
  });
});

describe('LockManager, acquire()', () => {
  it('holds until release(), which may be called twice', async () => {
    const manager = open();
    const first = await manager.acquire('it', shared);
    assert.deepEqual([first.name, first.mode, first.abandoned], ['it', 'shared', false]);
    const second = manager.acquire('it');
    assert.equal(await stateOf(second), 'pending');
    first.release();
    first.release();
    const got = await second;
    first.release();
    assert.deepEqual(await counts(manager, 'it'), [1, 0]);
    got.release();
    await assertFree(manager, 'it');
  });

  it('using and await using release at the end of the block', async () => {
    const manager = open();
    {
      await using one = await manager.acquire('one');
      using two = await manager.acquire('two');
      assert.deepEqual([one.mode, two.mode], ['exclusive', 'exclusive']);
      assert.deepEqual(
        [await counts(manager, 'one'), await counts(manager, 'two')],
        [
          [1, 0],
          [1, 0],
        ],
      );
    }
    await assertFree(manager, 'one');
    await assertFree(manager, 'two');
  });

  it('ifAvailable, steal, wrong arguments', async () => {
    const manager = open();
    const loose = manager.acquire.bind(manager) as unknown as (
      ...args: unknown[]
    ) => Promise<unknown>;
    const held = await hold(manager, 'it');
    assert.equal(await manager.acquire('it', { ifAvailable: true }), null);
    const thief = await manager.acquire('it', { steal: true });
    await assertStolen(held.result);
    thief.release();
    for (const args of [[], [Symbol('it')], ['it', 1], ['it', { mode: 'wrong' }]]) {
      assert.equal(((await rejection(loose(...args))) as Error).constructor, TypeError);
    }
    const refused = (await rejection(manager.acquire('-it'))) as DOMException;
    assert.equal(refused.name, 'NotSupportedError');
    for (const options of [undefined, null, {}]) {
      ((await loose('it', options)) as Disposable)[Symbol.dispose]();
    }
    await assertFree(manager, 'it');
  });
});

describe('LockManager, lock.token', () => {
  it('is a bigint that only grows for each name, in both modes, also after it was free', async () => {
    const manager = open();
    let last = -1n;
    for (let i = 0; i < 50; i++) {
      const options = i % 3 === 0 ? shared : {};
      const token = await manager.request('it', options, (lock) => lock!.token);
      assert.equal(typeof token, 'bigint');
      assert.ok(token > last, `${token} after ${last}`);
      last = token;
      await manager.request(`other ${i}`, () => {});
    }
    assert.ok(manager.requestSync('it', (lock) => lock!.token) > last);
  });

  it('is not less in a table that is made anew', async () => {
    const first = open();
    const { namespace } = first;
    const token = await first.request('it', (lock) => lock!.token);
    first.close();
    assert.ok((await open(namespace).request('it', (lock) => lock!.token)) > token);
  });
});

describe('LockManager, query() and inspect()', () => {
  it('says of each request who made it; pending ones of a name are in order', async () => {
    const manager = open();
    const held = await hold(manager, 'it', shared);
    const waits = [{}, shared, {}, shared].map((options) => new Holding(manager, 'it', options));
    const snapshot = await manager.query();
    assert.deepEqual(Object.keys(snapshot), ['held', 'pending']);
    const [{ clientId, ...facts }] = snapshot.held as [(typeof snapshot.held)[0]];
    assert.deepEqual(facts, {
      name: 'it',
      mode: 'shared',
      pid: process.pid,
      threadId: 0,
      processName: 'MainProcess',
    });
    assert.ok(typeof clientId === 'string' && clientId !== '');
    assert.deepEqual(
      snapshot.pending.map(({ mode }) => mode),
      ['exclusive', 'shared', 'exclusive', 'shared'],
    );
    assert.ok(snapshot.pending.every((one) => one.clientId === clientId));
    const other = await open().request('x', async () => (await manager.query()).held);
    assert.deepEqual(other, snapshot.held);
    await held.release();
    for (const wait of waits) await wait.release();
    assert.deepEqual(await manager.query(), { held: [], pending: [] });
  });

  it('inspect() counts', async () => {
    const manager = open();
    const held = await hold(manager, 'it');
    const waits = new Holding(manager, 'it');
    const { namespace } = manager;
    assert.deepEqual(manager.inspect(), {
      kind: 'LockManager',
      name: namespace,
      maxRequests: 131_072,
      grants: 1,
      contentions: 1,
      abandonments: 0,
      steals: 0,
      suspicions: [],
    });
    await held.release();
    await waits.release();
    assert.equal(manager.inspect().grants, 2);
  });
});

describe('LockManager, diagnostics channels', () => {
  it('start, grant, miss and end, by the names that Node has', async () => {
    const manager = open();
    const { namespace } = manager;
    const heard: [string, unknown][] = [];
    const events = ['start', 'grant', 'miss', 'end'] as const;
    const listeners = events.map((event) => {
      const listener = (message: unknown) => void heard.push([event, message]);
      diagnostics.subscribe(`locks.request.${event}`, listener);
      return () => diagnostics.unsubscribe(`locks.request.${event}`, listener);
    });
    try {
      const facts = { namespace, name: 'it', mode: 'exclusive' };
      const error = new Error('thrown');
      await manager.request('it', () => {});
      await rejection(manager.request('it', () => Promise.reject(error)));
      assert.deepEqual(heard.splice(0), [
        ['start', facts],
        ['grant', facts],
        ['end', facts],
        ['start', facts],
        ['grant', facts],
        ['end', { ...facts, error }],
      ]);
      await manager.request('it', async () => {
        heard.length = 0;
        await manager.request('it', { ifAvailable: true, ...shared }, () => {});
        const missed = { ...facts, mode: 'shared' };
        assert.deepEqual(heard.splice(0), [
          ['start', missed],
          ['miss', missed],
          ['end', missed],
        ]);
        await rejection(manager.request('it', { timeout: 1 }, () => {}));
        assert.deepEqual(
          heard.splice(0).map(([event]) => event),
          ['start', 'end'],
        );
      });
    } finally {
      for (const end of listeners) end();
    }
  });
});
