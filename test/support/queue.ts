// What the suites of Queue share: queues that are closed after each test, the files of queues, and
// their errors.
import assert from 'node:assert/strict';
import { statSync } from 'node:fs';
import { Queue, type QueueOptions } from 'holdfast';
import { objectFile } from './directory.js';
import { track } from './hooks.js';

/** Bytes that a record has besides those of its item. */
export const recordHead = 24;

/** Before the ring, in the file of a queue. */
export const headerBytes = 4096;

/** Storage that a queue has, header included. */
export function bytesStored(queue: { name: string }): number {
  return statSync(objectFile(queue.name)).blocks * 512;
}

/** A queue that is closed after the test. */
export function open<T = unknown>(options: QueueOptions<T> = {}): Queue<T> {
  return track(new Queue<T>(options));
}

export function fails(code: string): (error: unknown) => boolean {
  return (error) => {
    assert.equal((error as { code?: string }).code, code, String((error as Error).stack));
    return true;
  };
}

export const ended = fails('ERR_HOLDFAST_ENDED');
export const closed = fails('ERR_HOLDFAST_CLOSED');
export const timedOut = fails('ERR_HOLDFAST_TIMEOUT');
export const cannotEncode = fails('ERR_HOLDFAST_ENCODE');
export const incompatible = fails('ERR_HOLDFAST_INCOMPATIBLE');
