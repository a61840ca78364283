// LockManager: names are strings of UTF-16, as JavaScript has them.
import assert from 'node:assert/strict';
import { assertDOMException, assertFree, hold, open, openIn } from './helpers.js';
import { newProcess, sharedActor } from '../../support/index.js';

const odd = [
  '',
  '\0',
  'a\0b',
  'a',
  '\uD800',
  '\uDC00',
  '\uDC00\uD800',
  '\uFFFD',
  '\uFFFF',
  '\uFFFE',
  'é',
  'e\u0301',
  '\u00FF',
  '\u0100',
  '😀',
  'x'.repeat(51),
  'x'.repeat(52),
  'x'.repeat(53),
  '\u0100'.repeat(26),
  '\u0100'.repeat(27),
  'x'.repeat(32_768),
  '\uD800'.repeat(32_768),
  'x'.repeat(2 ** 20),
  '\u0100'.repeat(2 ** 20),
];

describe('LockManager, names', () => {
  it('odd and long names are valid, distinct, and shown as they are', async () => {
    const manager = open();
    const all = [];
    for (const name of odd) {
      const held = await hold(manager, name, { ifAvailable: true });
      assert.ok(held.lock, `${JSON.stringify(name.slice(0, 9))} is another's`);
      assert.equal(held.lock.name, name);
      all.push(held);
    }
    const { held } = await manager.query();
    assert.deepEqual(held.map((one) => one.name).toSorted(), odd.toSorted());
    for (const name of odd) {
      assert.equal(await manager.request(name, { ifAvailable: true }, (lock) => lock), null);
    }
    await Promise.all(all.map((one) => one.release()));
    for (const name of odd) await assertFree(manager, name);
  });

  it('they are the same in another process', async () => {
    const manager = open();
    const theirs = await openIn(await sharedActor('process'), manager);
    for (const name of odd) {
      const held = await hold(manager, name);
      assert.equal(await theirs.call('acquire', name, { ifAvailable: true }), null);
      await held.release();
    }
  });

  it('names that differ in one unit anywhere are different locks', async () => {
    const manager = open();
    const long = 'x'.repeat(1000);
    const held = await hold(manager, long);
    for (const place of [0, 1, 51, 52, 53, 127, 128, 500, 998, 999]) {
      const other = `${long.slice(0, place)}y${long.slice(place + 1)}`;
      await manager.request(other, { ifAvailable: true }, (lock) => assert.ok(lock, `${place}`));
    }
    await held.release();
  });

  it('a name that is too long is a QuotaExceededError; what is held stays held', async () => {
    const manager = open();
    const held = await hold(manager, 'it');
    for (const name of ['x'.repeat(2 ** 22 + 1), '\u0100'.repeat(2 ** 21 + 1)]) {
      await assertDOMException(
        manager.request(name, () => {}),
        'QuotaExceededError',
      );
    }
    assert.equal((await manager.query()).held.length, 1);
    await held.release();
    await assertFree(manager, 'it');
  });

  it('a long name of a killed process can be had again', async () => {
    const manager = open();
    const name = 'long'.repeat(5000);
    const victim = await newProcess();
    await (await openIn(victim, manager)).keep('acquire', name);
    await victim.kill();
    const held = await hold(manager, name);
    assert.equal(held.lock!.abandoned, true);
    await held.release();
  });
});
