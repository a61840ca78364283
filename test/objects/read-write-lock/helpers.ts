// What the suites of ReadWriteLock share: opening one, and waiting until others wait for it.
import assert from 'node:assert/strict';
import { ReadWriteLock } from 'holdfast';
import { type Form, track, until } from '../../support/index.js';

export const kind = 'ReadWriteLock';
export const open = (name?: string) => track(new ReadWriteLock({ name }));
export const modes = ['Shared', 'Exclusive'] as const;
export type Mode = (typeof modes)[number];
export const method = (mode: Mode, form: Form) => `acquire${mode}${form === 'sync' ? 'Sync' : ''}`;

/** Resolves when the lock counts so many waiters. */
export function waiting(lock: ReadWriteLock, readers: number, writers: number): Promise<void> {
  return until(() => {
    const { waitingReaders, waitingWriters } = lock.inspect();
    return waitingReaders === readers && waitingWriters === writers;
  }, `${readers} readers and ${writers} writers wait`);
}

/** Resolves when a writer is first in line. It is counted as waiting an instant before that. */
export function claimed(lock: ReadWriteLock): Promise<void> {
  return until(() => {
    const guard = lock.tryAcquireShared();
    guard?.release();
    return guard === null;
  }, 'a writer is first in line');
}

/** Checks that nobody is inside or waits, and that no death is left to tell. */
export function assertFree(lock: ReadWriteLock): void {
  const reader = lock.tryAcquireShared();
  assert.equal(reader?.abandoned, false);
  reader.release();
  const writer = lock.tryAcquireExclusive();
  assert.equal(writer?.abandoned, false);
  writer.release();
  const { waitingReaders, waitingWriters, readers, writer: who, abandoned } = lock.inspect();
  assert.deepEqual(
    { waitingReaders, waitingWriters, readers, who, abandoned },
    { waitingReaders: 0, waitingWriters: 0, readers: [], who: null, abandoned: false },
  );
}
