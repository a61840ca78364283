// An operation of the addon gets its object as an External, into which JavaScript cannot look. Only
// this package calls operations. A program that calls one with something else gets a TypeError, and
// goes on.
import assert from 'node:assert/strict';
import { once } from 'node:events';
import net from 'node:net';
import { types } from 'node:util';
import * as holdfast from 'holdfast';
import { Table } from '../../lib/locks/table.js';
import { addon } from '../../lib/native/load.js';
import { freshName, track } from '../support/index.js';

type Operation = (object?: unknown, ...rest: unknown[]) => unknown;

/** Every operation that takes an object, by name. */
function operationsOf(table: object): [name: string, operation: Operation][] {
  return Object.entries(table).flatMap(([name, value]): [string, Operation][] => {
    if (typeof value === 'object') return operationsOf(value as object);
    return name === 'detach' ? [] : [[name, value as Operation]]; // it takes a buffer
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
      const externals = others.map((other): unknown =>
        Reflect.get(track(open[other](freshName(other))), 'native'),
      );
      const operations = operationsOf(addon[kind]);
      assert.ok(operations.length >= 3, `${operations.length} operations`);
      for (const external of externals) {
        assert.ok(types.isExternal(external));
        for (const [name, operation] of operations) {
          assert.throws(() => operation(external, 0, 0, 0, 0), wrongArgument, name);
        }
      }
    });
  }

  const everyTable = [addon.common, ...allKinds.map((kind) => addon[kind])];

  it('what is no External', () => {
    for (const table of everyTable) {
      for (const [name, operation] of operationsOf(table)) {
        for (const wrong of [undefined, null, 0, 1n, 'Lock', {}, [], () => {}, Symbol('a')]) {
          assert.throws(() => operation(wrong, 0, 0, 0, 0), wrongArgument, name);
        }
        assert.throws(() => operation(), wrongArgument, name);
      }
    }
  });

  it("an External of Node's", async () => {
    const server = net.createServer().listen();
    await once(server, 'listening');
    const handle = Reflect.get(server, '_handle') as object;
    const external: unknown = Reflect.get(handle, '_externalStream');
    try {
      assert.ok(types.isExternal(external));
      for (const table of everyTable) {
        for (const [name, operation] of operationsOf(table)) {
          assert.throws(() => operation(external, 0, 0, 0, 0), wrongArgument, name);
        }
      }
    } finally {
      server.close();
      await once(server, 'close');
    }
  });
});
