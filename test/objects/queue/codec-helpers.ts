// What the suites of the codecs share.
import assert from 'node:assert/strict';
import type { CodecChoice, Queue } from 'holdfast';
import { codecs } from '../../programs/actor/codecs.mjs';

export const { reversed, picky } = codecs as unknown as Record<
  string,
  CodecChoice<string> & object
> as {
  reversed: CodecChoice<string>;
  picky: CodecChoice<string>;
};

export function through<T>(queue: Queue<T>, item: T): T {
  assert.equal(queue.tryPut(item), true);
  const got = queue.tryGet();
  assert.equal(queue.size(), 0);
  return got as T;
}

export const tagOf = (value: unknown) => Object.prototype.toString.call(value);

/** Checks that they are equal. -0 is not 0, and objects of different classes differ. */
export function same(got: unknown, wanted: unknown): void {
  assert.equal(tagOf(got), tagOf(wanted));
  if (typeof wanted !== 'object') return void assert.ok(Object.is(got, wanted));
  assert.deepStrictEqual(got, wanted);
}

/** What structuredClone() makes of it, but a Buffer stays a Buffer. */
export function cloned(value: unknown): unknown {
  if (Buffer.isBuffer(value)) return value;
  if (Array.isArray(value) && value.some((item) => Buffer.isBuffer(item))) return value.map(cloned);
  return structuredClone(value);
}
