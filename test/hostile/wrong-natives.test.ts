// An operation of the addon is told the place of its object. Only this package calls operations. A
// program that calls one with something else gets a TypeError, and goes on.
import assert from 'node:assert/strict';
import * as holdfast from 'holdfast';
import { Table } from '../../lib/locks/table.js';
import { addon } from '../../lib/native/load.js';
import { freshName, track } from '../support/index.js';

type Operation = (object?: unknown, ...rest: unknown[]) => unknown;

/** Every operation that takes an object, by name. */
function operationsOf(table: object): [name: string, operation: Operation][] {
  return Object.entries(table).flatMap(([name, value]): [string, Operation][] => {
    if (typeof value === 'object') return operationsOf(value as object);
    return [[name, value as Operation]];
  });
}

const open: Record<holdfast.KindName, (name: string) => { close(): void }> = {
  Lock: (name: string) => new holdfast.Lock({ name }),
  RLock: (name: string) => new holdfast.RLock({ name }),
  Semaphore: (name: string) => new holdfast.Semaphore(1, { name }),
  BoundedSemaphore: (name: string) => new holdfast.BoundedSemaphore(1, { name }),
  ReadWriteLock: (name: string) => new holdfast.ReadWriteLock({ name }),
  Condition: (name: string) => new holdfast.Condition(undefined, { name }),
  Event: (name: string) => new holdfast.Event({ name }),
  Barrier: (name: string) => new holdfast.Barrier(2, { name }),
  Queue: (name: string) => new holdfast.Queue({ name }),
  JoinableQueue: (name: string) => new holdfast.JoinableQueue({ name }),
  SharedMemory: (name: string) => new holdfast.SharedMemory(8, { name }),
  // A LockManager keeps its table to itself.
  LockManager: (name: string) => new Table({ name }, { initial: 8, defaultInitial: 8 }),
};
const allKinds = Object.keys(open) as (keyof typeof open)[];

const wrongArgument = { name: 'TypeError', code: 'ERR_INVALID_ARG_TYPE' };

describe('operations with a wrong first argument', () => {
  for (const kind of allKinds) {
    it(`${kind}: an object of another kind`, () => {
      const others = allKinds.filter((other) => other !== kind);
      const natives = others.map((other): unknown =>
        Reflect.get(track(open[other](freshName(other))), 'native'),
      );
      const operations = operationsOf(addon[kind]);
      assert.ok(operations.length >= 3, `${operations.length} operations`);
      for (const native of natives) {
        for (const [name, operation] of operations) {
          assert.throws(() => operation(native, 0, 0, 0, 0), wrongArgument, name);
        }
      }
    });
  }

  const everyTable = [addon.common, ...allKinds.map((kind) => addon[kind])];

  it('what is no object of ours', () => {
    for (const table of everyTable) {
      for (const [name, operation] of operationsOf(table)) {
        for (const wrong of [0, 1n, 'Lock', {}, [], () => {}, Symbol('a')]) {
          assert.throws(() => operation(wrong, 0, 0, 0, 0), wrongArgument, name);
        }
        for (const nothing of [undefined, null]) {
          assert.throws(() => operation(nothing, 0, 0, 0, 0), TypeError, name);
        }
      }
    }
  });

  it('a place where nothing is', () => {
    const native: unknown = Reflect.get(track(new holdfast.Lock()), 'native');
    const { place, external } = native as { place: number; external: object };
    for (const wrong of [0, -1, 0.5, NaN, 2 ** 31, 2 ** 32 - 1, place + 100_000, '', 'x', {}]) {
      for (const table of everyTable) {
        for (const [name, operation] of operationsOf(table)) {
          assert.throws(() => operation({ place: wrong, external }, 0), wrongArgument, name);
        }
      }
    }
  });
});
