// The locks of every engine: who is granted when, and what request() promises.
import assert from 'node:assert/strict';
import { AsyncLocalStorage } from 'node:async_hooks';
import type { LockMode } from 'holdfast';
import { until, within } from '../../support/index.js';
import { Holding, counts, hold, rejection } from '../hold.js';
import { forEachSubject, open, openBeside } from '../subjects.js';

const shared = { mode: 'shared' } as const;

forEachSubject('locks, order', (subject) => {
  it('an exclusive lock excludes other sessions; other names do not', async () => {
    const a = await open(subject);
    const b = await openBeside(subject, a);
    const first = await hold(a, 'it');
    const second = new Holding(b, 'it');
    await (await hold(b, 'other')).release();
    await until(async () => (await counts(a, 'it'))[1] === 1, 'a request that waits');
    assert.deepEqual(await counts(b, 'it'), [1, 1]);
    await first.release();
    await second.granted;
    await second.release();
    assert.deepEqual(await counts(a, 'it'), [0, 0]);
  });

  it('first come, first served, in both modes', async () => {
    const a = await open(subject);
    const held = await hold(a, 'it');
    const order: number[] = [];
    const modes: LockMode[] = ['shared', 'exclusive', 'exclusive', 'shared', 'shared', 'exclusive'];
    const all = modes.map((mode, i) => a.locks.request('it', { mode }, () => order.push(i)));
    await held.release();
    await within(Promise.all(all), 'all requests');
    assert.deepEqual(order.slice(0, 3), [0, 1, 2]);
    assert.deepEqual(order.slice(3, 5).toSorted(), [3, 4]);
    assert.equal(order[5], 5);
  });

  it('readers share; one behind a writer that waits does wait', async () => {
    const a = await open(subject);
    const b = await openBeside(subject, a);
    const reader = await hold(a, 'it', shared);
    const other = await hold(b, 'it', shared);
    const writer = new Holding(a, 'it');
    await until(async () => (await counts(a, 'it'))[1] === 1, 'a writer that waits');
    const late = new Holding(b, 'it', shared);
    await until(async () => (await counts(a, 'it'))[1] === 2, 'a reader that waits');
    assert.deepEqual(await counts(a, 'it'), [2, 2]);
    await reader.release();
    await other.release();
    await writer.granted;
    assert.deepEqual(await counts(a, 'it'), [1, 1]);
    await writer.release();
    await late.granted;
    await late.release();
  });

  it('query() right after request() sees it', async () => {
    const a = await open(subject);
    const held = a.locks.request('it', async () => {
      const writer = new Holding(a, 'it');
      const { held: holders, pending } = await a.locks.query();
      assert.deepEqual(
        [...holders, ...pending].map(({ name, mode }) => [name, mode]),
        [
          ['it', 'exclusive'],
          ['it', 'exclusive'],
        ],
      );
      assert.equal(holders[0]!.clientId, pending[0]!.clientId);
      return writer;
    });
    const writer = await held;
    await writer.granted;
    await writer.release();
  });

  it('a hundred requests of one name are served one by one', async () => {
    const a = await open(subject);
    const b = await openBeside(subject, a);
    let inside = 0;
    const tokens: bigint[] = [];
    const all = Array.from({ length: 100 }, (_, i) =>
      (i % 2 ? a : b).locks.request('it', async (lock) => {
        assert.equal(++inside, 1);
        tokens.push(lock!.token);
        await new Promise((resolve) => setImmediate(resolve));
        inside--;
      }),
    );
    await within(Promise.all(all), 'all of them');
    assert.deepEqual(tokens, [...new Set(tokens)].toSorted(compare), 'each token is greater');
  });
});

forEachSubject('locks, the callback', (subject) => {
  it('resolves to its result, rejects with what it throws, and releases in both cases', async () => {
    const a = await open(subject);
    assert.equal(await a.locks.request('it', () => 5), 5);
    assert.equal(await a.locks.request('it', async () => 'six'), 'six');
    const wrong = new Error('wrong');
    const fails = (): never => {
      throw wrong;
    };
    assert.equal(await rejection(a.locks.request('it', fails)), wrong);
    assert.equal(await rejection(a.locks.request('it', async () => fails())), wrong);
    assert.deepEqual(await counts(a, 'it'), [0, 0]);
  });

  it('runs after request() has returned, in the context of its request', async () => {
    const a = await open(subject);
    const storage = new AsyncLocalStorage<string>();
    let returned = false;
    const requested = storage.run('here', () =>
      a.locks.request('it', () => [returned, storage.getStore()]),
    );
    returned = true;
    assert.deepEqual(await requested, [true, 'here']);
  });

  it('gets a lock with name, mode, a token and a check that passes', async () => {
    const a = await open(subject);
    const before = await a.locks.request('it', (lock) => lock!.token);
    const lock = await hold(a, 'it', shared);
    const granted = (await lock.granted)!;
    assert.deepEqual([granted.name, granted.mode], ['it', 'shared']);
    assert.ok(granted.token > before, `${granted.token} > ${before}`);
    assert.equal(granted.signal.aborted, false);
    granted.check();
    await lock.release();
    assert.throws(() => granted.check(), { code: 'ERR_HOLDFAST_NOT_LOCKED' });
    assert.equal(granted.signal.aborted, false, 'a release is no loss');
  });

  it('names are any strings', async () => {
    const a = await open(subject);
    const names = [
      '',
      '\0',
      '\uD800',
      '\uFFFD',
      '\\',
      '\\0',
      "'; drop --",
      '%s',
      'ü',
      'a'.repeat(32_768),
    ];
    const held = await Promise.all(names.map((name) => hold(a, name)));
    const { held: seen } = await a.locks.query();
    assert.deepEqual(seen.map(({ name }) => name).toSorted(), names.toSorted());
    for (const one of held) await one.release();
    const tooLong = await rejection(a.locks.request('a'.repeat(32_769), () => {}));
    assert.equal((tooLong as Error).name, 'QuotaExceededError');
  });

  it('bad arguments reject with the errors of the standard, and nothing is held', async () => {
    const a = await open(subject);
    const request = a.locks.request.bind(a.locks) as (...args: unknown[]) => Promise<unknown>;
    const signal = new AbortController().signal;
    const f = (): void => assert.fail('it was called');
    const expected: [string, unknown[]][] = [
      ['TypeError', []],
      ['TypeError', ['it']],
      ['TypeError', ['it', 5]],
      ['TypeError', ['it', { mode: 'both' }, f]],
      ['TypeError', ['it', { signal: null }, f]],
      ['TypeError', ['it', { timeout: '5' }, f]],
      ['RangeError', ['it', { timeout: -1 }, f]],
      ['NotSupportedError', ['-it', f]],
      ['NotSupportedError', ['it', { steal: true, ifAvailable: true }, f]],
      ['NotSupportedError', ['it', { steal: true, mode: 'shared' }, f]],
      ['NotSupportedError', ['it', { steal: true, signal }, f]],
      ['NotSupportedError', ['it', { ifAvailable: true, signal }, f]],
    ];
    for (const [name, args] of expected) {
      assert.equal(((await rejection(request(...args))) as Error).name, name, JSON.stringify(args));
    }
    assert.deepEqual(await counts(a, 'it'), [0, 0]);
  });

  it('acquire() holds until release(), or to the end of the block', async () => {
    const a = await open(subject);
    const lock = await a.locks.acquire('it');
    assert.equal(await a.locks.acquire('it', { ifAvailable: true }), null);
    lock.check();
    await lock.release();
    await lock.release();
    {
      await using again = await a.locks.acquire('it');
      assert.ok(again.token > lock.token);
      assert.deepEqual(await counts(a, 'it'), [1, 0]);
    }
    assert.deepEqual(await counts(a, 'it'), [0, 0]);
  });
});

function compare(a: bigint, b: bigint): number {
  if (a === b) return 0;
  return a < b ? -1 : 1;
}
