// Pool: close() while results are read.
import assert from 'node:assert/strict';
import { ClosedError, Pool } from 'holdfast';
import { until } from '../support/index.js';

const square = {
  module: new URL('../programs/pool-targets.mjs', import.meta.url),
  export: 'square',
};
const items = Array.from({ length: 40 }, (_, i) => i);

describe('Pool: close() while results are read', function () {
  this.timeout(60_000);

  it('map() is done to its end', async () => {
    const pool = new Pool({ processes: 1, execArgv: [] });
    const mapped = pool.map(square, items, { chunkSize: 1 });
    const closed = pool.close();
    const squares = items.map((n) => n * n);
    assert.deepEqual(await mapped, squares);
    await closed;
  });

  it('imap() gives what it has started, then ClosedError, and never waits', async () => {
    const pool = new Pool({ processes: 1, execArgv: [] });
    let isClosed = false;
    const source = (function* () {
      try {
        yield* items;
      } finally {
        isClosed = true;
      }
    })();
    const results = pool.imap(square, source);
    const whole = pool.imapUnordered(square, items.slice(0, 8)); // as many as are started ahead
    const unread = pool.imap(square, items);
    assert.equal((await results.next()).value, 0);
    assert.equal((await whole.next()).done, false);
    await until(() => pool.inspect().running === 0, 'the tasks that were started');
    await pool.close();
    const rest: unknown[] = [];
    await assert.rejects(async () => {
      for await (const result of results) rest.push(result);
    }, ClosedError);
    assert.ok(rest.length >= 7 && rest.length < 30, String(rest.length));
    const expected = rest.map((_, i) => (i + 1) ** 2);
    assert.deepEqual(rest, expected);
    assert.ok(isClosed);
    await assert.rejects(unread.next(), ClosedError);
    let left = 0;
    for await (const _ of whole) left++;
    assert.equal(left, 7);
  });
});
