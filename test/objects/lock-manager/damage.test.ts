// LockManager: another program has written over its table.
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import type { LockManager } from 'holdfast';
import {
  assertRejects,
  assertThrows,
  header,
  objectFile,
  objectLength,
  registry,
  sharedActor,
  writeWord,
} from '../../support/index.js';
import { assertFree, hold, kind, open, openIn, untilCounts } from './helpers.js';

/** Words of native/core/locks/layout.h: u64, of two u32 each. */
const changingAndUsed = header.length + 24;
const firstCell = objectLength + 4 * registry.slotCount + 128;
const bucketNext = firstCell + 56; // with first_pending before it

/** Requests names until one is refused: it is in the damaged bucket, as one in eight is. */
async function firstRefused(manager: LockManager): Promise<string> {
  for (let i = 0; i < 100; i++) {
    const request = manager.request(`name ${i}`, { ifAvailable: true }, () => {});
    const isRefused = await request.then(
      () => false,
      () => true,
    );
    if (!isRefused) continue;
    await assertRejects(request, 'CorruptError', { kind, objectName: manager.namespace });
    return `name ${i}`;
  }
  throw new Error('nobody came to the damaged bucket');
}

describe('LockManager, damage', () => {
  it('counters that make no sense: CorruptError for all until they are right again', async () => {
    const manager = open();
    const about = { kind, objectName: manager.namespace };
    const holding = await hold(manager, 'it');
    const theirs = await openIn(await sharedActor('process'), manager);
    const other = await hold(manager, 'other');
    const pending = [manager.request('it', () => {}), theirs.start('acquire', 'it')];
    for (const one of pending) one.catch(() => {});
    await untilCounts(manager, 'it', 1, 2);

    const file = objectFile(manager.namespace);
    const whole = readFileSync(file).readBigUInt64LE(changingAndUsed);
    writeWord(manager.namespace, changingAndUsed, 0xffff_ffffn << 32n);
    for (const options of [{}, { ifAvailable: true }, { steal: true }] as const) {
      await assertRejects(
        manager.request('free', options, () => {}),
        'CorruptError',
        about,
      );
    }
    await assertRejects(manager.acquire('free'), 'CorruptError', about);
    await assertRejects(manager.query(), 'CorruptError', about);
    assertThrows(() => manager.requestSync('free', () => {}), 'CorruptError', about);
    for (const one of pending) await assertRejects(one, 'CorruptError', about);
    // The end of a hold does not pass for a theft.
    await assertRejects(holding.release(), 'CorruptError', about);

    writeWord(manager.namespace, changingAndUsed, whole);
    await other.release();
    await assertFree(manager, 'other');
  });

  it('a list that leads into itself: one CorruptError, and the index is made anew', async () => {
    const manager = open();
    const holding = await hold(manager, 'it');
    writeWord(manager.namespace, bucketNext, 1n << 32n);
    const refused = await firstRefused(manager);
    // The request that was refused holds nothing. Who held holds still.
    await assertFree(manager, refused);
    const { held, pending } = await manager.query();
    assert.deepEqual([held.map(({ name }) => name), pending], [['it'], []]);
    await holding.release();
    await assertFree(manager, 'it');
  });
});
