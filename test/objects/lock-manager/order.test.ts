// LockManager: who is granted when, in one thread; the callback, and what it returns.
import assert from 'node:assert/strict';
import { AsyncLocalStorage } from 'node:async_hooks';
import type { LockMode } from 'holdfast';
import { stateOf, within } from '../../support/index.js';
import { Gate, Holding, assertFree, counts, hold, open, rejection } from './helpers.js';

const shared = { mode: 'shared' } as const;

describe('LockManager, order', () => {
  it('exclusive locks of one name exclude each other; other names do not', async () => {
    const manager = open();
    const first = await hold(manager, 'it');
    const second = new Holding(manager, 'it');
    await (await hold(manager, 'other')).release();
    assert.equal(await stateOf(second.granted), 'pending');
    await first.release();
    await second.granted;
    await second.release();
    await assertFree(manager, 'it');
  });

  it('first come, first served, in both modes', async () => {
    const manager = open();
    const held = await hold(manager, 'it');
    const order: number[] = [];
    const modes: LockMode[] = ['shared', 'exclusive', 'exclusive', 'shared', 'shared', 'exclusive'];
    const all = modes.map((mode, i) => manager.request('it', { mode }, () => order.push(i)));
    await held.release();
    await within(Promise.all(all), 'all requests');
    assert.deepEqual(order, [0, 1, 2, 3, 4, 5]);
    await assertFree(manager, 'it');
  });

  it('a reader behind a writer that waits does wait, although the holder shares', async () => {
    const manager = open();
    const reader = await hold(manager, 'it', shared);
    const other = await hold(manager, 'it', shared);
    const writer = new Holding(manager, 'it');
    const late = new Holding(manager, 'it', shared);
    assert.deepEqual(await counts(manager, 'it'), [2, 2]);
    await reader.release();
    assert.deepEqual(await counts(manager, 'it'), [1, 2]);
    await other.release();
    await writer.granted;
    assert.equal(await stateOf(late.granted), 'pending');
    await writer.release();
    await late.granted;
    await late.release();
    await assertFree(manager, 'it');
  });

  it('when an exclusive lock is awaited, the five readers behind it hold', async () => {
    const manager = open();
    const gate = new Gate();
    const writer = manager.request('it', () => gate.passed);
    const readers = Array.from({ length: 5 }, () => new Holding(manager, 'it', shared));
    assert.deepEqual(await counts(manager, 'it'), [1, 5]);
    gate.pass();
    await writer;
    assert.deepEqual(await counts(manager, 'it'), [5, 0]);
    await Promise.all(readers.map((reader) => reader.granted));
    await Promise.all(readers.map((reader) => reader.release()));
  });

  it('query() right after request() sees it, held or pending', async () => {
    const manager = open();
    const first = new Holding(manager, 'it');
    const second = new Holding(manager, 'it', shared);
    const { held, pending } = await manager.query();
    assert.deepEqual(
      [held, pending].map((all) => all.map(({ name, mode }) => [name, mode])),
      [[['it', 'exclusive']], [['it', 'shared']]],
    );
    await first.release();
    await second.release();
  });

  it('ifAvailable: null when it is held, or behind a queue although it could share', async () => {
    const manager = open();
    const ifAvailable = { ifAvailable: true } as const;
    const asked = (mode: LockMode) =>
      manager.request('it', { ...ifAvailable, mode }, (lock) => lock?.mode ?? null);
    assert.equal(await asked('exclusive'), 'exclusive');
    const reader = await hold(manager, 'it', shared);
    assert.equal(await asked('exclusive'), null);
    assert.equal(await asked('shared'), 'shared');
    const writer = new Holding(manager, 'it');
    assert.equal(await asked('shared'), null);
    assert.deepEqual(await counts(manager, 'it'), [1, 1], 'it is never queued');
    await reader.release();
    await writer.release();
    assert.equal(await manager.request('it', ifAvailable, () => 'its result'), 'its result');
    await assertFree(manager, 'it');
  });

  it('two names held crosswise do not deadlock requests for others', async () => {
    const manager = open();
    const [a, b] = [await hold(manager, 'a'), await hold(manager, 'b')];
    const waits = [new Holding(manager, 'a'), new Holding(manager, 'b')];
    await manager.request('c', () => {});
    await Promise.all([a.release(), b.release()]);
    await Promise.all(waits.map((wait) => wait.release()));
  });

  it('20,000 pending requests with synchronous callbacks', async function () {
    this.timeout(60_000);
    const manager = open();
    const held = await hold(manager, 'it');
    const order: number[] = [];
    const all = Array.from({ length: 20_000 }, (_, i) =>
      manager.request('it', () => void order.push(i)),
    );
    assert.deepEqual(await counts(manager, 'it'), [1, 20_000]);
    await held.release();
    await within(Promise.all(all), '20,000 requests', 50_000);
    assert.ok(order.every((number, i) => number === i) && order.length === 20_000);
    await assertFree(manager, 'it');
  });
});

describe('LockManager, the callback', () => {
  it('does not run inside request(), held or not', async () => {
    const manager = open();
    const log: string[] = [];
    const requests = [
      manager.request('it', () => log.push('granted at once')),
      manager.request('it', { ifAvailable: true }, () => log.push('not available')),
    ];
    log.push('after request()');
    await Promise.all(requests);
    assert.equal(log[0], 'after request()');
    assert.equal(log.length, 3);
  });

  it('runs in the async context of its request', async () => {
    const manager = open();
    const storage = new AsyncLocalStorage<number>();
    const held = await storage.run(0, () => hold(manager, 'it'));
    const seen: unknown[] = [];
    const requests = [1, 2, 3].map((number) =>
      storage.run(number, () =>
        manager.request('it', async () => {
          seen.push(storage.getStore());
          await Promise.resolve();
          seen.push(storage.getStore());
        }),
      ),
    );
    await storage.run(9, () => held.release());
    await Promise.all(requests);
    assert.deepEqual(seen, [1, 1, 2, 2, 3, 3]);
  });

  it('its result, a promise or not, is the result of the request', async () => {
    const manager = open();
    assert.equal(await manager.request('it', () => 1), 1);
    assert.equal(await manager.request('it', async () => 2), 2);
    assert.equal(await manager.request('it', { mode: 'shared' }, () => undefined), undefined);
  });

  it('a thenable holds the lock as a promise does', async () => {
    const manager = open();
    let settle: ((value: string) => void) | undefined;
    // oxlint-disable-next-line no-thenable
    const thenable = { then: (resolve: (value: string) => void) => void (settle = resolve) };
    const request = manager.request('it', () => thenable as unknown as PromiseLike<string>);
    assert.equal(await stateOf(request), 'pending');
    assert.deepEqual(await counts(manager, 'it'), [1, 0]);
    settle!('settled');
    assert.equal(await request, 'settled');
    await assertFree(manager, 'it');
  });

  it('a throw releases, and rejects the request with what was thrown', async () => {
    const manager = open();
    for (const thrown of [new Error('thrown'), undefined, 'text']) {
      const callbacks = [
        () => {
          throw thrown;
        },
        () => Promise.reject(thrown),
        () => ({
          // oxlint-disable-next-line no-thenable
          get then() {
            throw thrown;
          },
        }),
      ];
      for (const callback of callbacks) {
        const waits = manager.request('it', callback as () => unknown);
        const next = new Holding(manager, 'it');
        assert.equal(await rejection(waits), thrown);
        await next.granted;
        await next.release();
      }
    }
    await assertFree(manager, 'it');
  });

  it('the release comes before the promise resolves', async () => {
    const manager = open();
    for (const callback of [() => {}, async () => {}]) {
      const seen = await manager
        .request('it', callback)
        .then(() => manager.request('it', { ifAvailable: true }, (lock) => lock !== null));
      assert.equal(seen, true);
    }
    await rejection(manager.request('it', () => Promise.reject(new Error('thrown'))));
    await assertFree(manager, 'it');
  });

  it('may request other names, and wait for the same name ifAvailable', async () => {
    const manager = open();
    const seen = await manager.request('a', () =>
      manager.request('b', () => manager.request('a', { ifAvailable: true }, (lock) => lock)),
    );
    assert.equal(seen, null);
    await assertFree(manager, 'a');
    await assertFree(manager, 'b');
  });
});
