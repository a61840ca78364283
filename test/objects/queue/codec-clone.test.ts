// What the codec 'structured' does to errors, to objects of this package, to values of another
// realm, and to what cannot be cloned. What it must do is what structuredClone() does.
import assert from 'node:assert/strict';
import vm from 'node:vm';
import { attach, EncodeError, Lock, type Queue, RLock } from 'holdfast';
import { freshName } from '../../support/index.js';
import { open } from '../../support/queue.js';
import { same, through } from './codec-helpers.js';

/** The parts of an error that structured clone keeps. */
function partsOf(error: Error): unknown[] {
  const { name, message, stack, cause } = error;
  const own = Object.getOwnPropertyNames(error).toSorted();
  const enumerable = Object.keys(error);
  const parts = cause instanceof Error ? partsOf(cause) : cause;
  return [Object.getPrototypeOf(error), name, message, stack, parts, own, enumerable];
}

describe("Queue: codec 'structured'", () => {
  describe('errors', () => {
    class Custom extends RangeError {
      override name = 'Custom';
      code = 'E_CUSTOM';
    }
    const errors: Record<string, Error> = {
      ...Object.fromEntries(
        [Error, TypeError, RangeError, SyntaxError, ReferenceError, URIError, EvalError].map(
          (Class) => [Class.name, new Class('what went wrong')],
        ),
      ),
      'an error without a message': new Error(),
      'an error with a cause': new Error('outer', { cause: new RangeError('inner') }),
      'an error whose cause is undefined': new Error('outer', { cause: undefined }),
      'an error whose cause is a value': new Error('outer', { cause: [1, 'two'] }),
      'an error of a class of its own': new Custom('custom'),
      'an error whose stack was set': Object.assign(new Error('x'), { stack: 'made up' }),
      'an error whose message is no text': Object.assign(new Error('x'), { message: 5 }),
    };
    for (const [what, error] of Object.entries(errors)) {
      it(`${what} arrives as structuredClone() makes it`, () => {
        const got = through(open<Error>(), error);
        assert.deepEqual(partsOf(got), partsOf(structuredClone(error)));
        assert.equal(got.stack, error.stack);
      });
    }

    it('an AggregateError keeps its message and its errors, too', () => {
      const error = new AggregateError([new RangeError('one'), 2], 'together', { cause: 'why' });
      const got = through(open<AggregateError>(), error);
      assert.ok(got instanceof AggregateError);
      assert.deepEqual([got.message, got.stack, got.cause], ['together', error.stack, 'why']);
      assert.ok(got.errors[0] instanceof RangeError);
      assert.deepEqual([got.errors[0].message, got.errors[1]], ['one', 2]);
      assert.deepEqual(Object.keys(got), []);
    });

    it('an error may be its own cause, and one of its own errors', () => {
      const error: Error = new AggregateError([], 'cyclic');
      error.cause = error;
      (error as AggregateError).errors = [error];
      const got = through(open<AggregateError>(), error as AggregateError);
      assert.equal(got.cause, got);
      assert.equal(got.errors[0], got);
    });

    it('the reason of an AbortSignal is a DOMException', () => {
      const reason: DOMException = AbortSignal.abort().reason;
      const got = through(open<DOMException>(), reason);
      assert.ok(got instanceof DOMException);
      assert.deepEqual(
        [got.name, got.message, got.code, got.stack],
        [reason.name, reason.message, reason.code, reason.stack],
      );
    });
  });

  describe('values of another realm', () => {
    const expressions: Record<string, string> = {
      'a plain object': '({ a: [1, { b: "x" }], u: undefined })',
      'an array': '[1, , -0]',
      'a Date': 'new Date(5)',
      'a Map': 'new Map([[{ key: 1 }, new Set([1])]])',
      'a Set': 'new Set([new Map()])',
      'a RegExp': '/a+/gi',
      'an ArrayBuffer': 'new Uint8Array([1, 2, 3]).buffer',
      'a Uint8Array': 'new Uint8Array([1, 2, 3])',
      'a part of a typed array': 'new Uint16Array(new Uint16Array([1, 2, 3]).buffer, 2, 1)',
      'a Float64Array': 'new Float64Array([0.5, -0])',
      'a BigInt64Array': 'new BigInt64Array([-1n])',
      'a DataView': 'new DataView(new ArrayBuffer(4), 1, 2)',
      'boxed values': '[Object(1), Object("s"), Object(false), Object(5n)]',
      'an instance of a class': 'new (class Point { x = 1; #y = 2 })()',
    };
    for (const [what, expression] of Object.entries(expressions)) {
      it(`${what} arrives as one of this realm`, () => {
        const foreign: unknown = vm.runInNewContext(expression);
        same(through(open(), foreign), structuredClone(foreign));
        same(through(open(), { inside: foreign }), structuredClone({ inside: foreign }));
      });
    }

    for (const Class of ['Error', 'TypeError', 'RangeError']) {
      it(`a ${Class} does`, () => {
        const foreign = vm.runInNewContext(`new ${Class}('far', { cause: new Error('farther') })`);
        const got = through(open<Error>(), foreign);
        assert.deepEqual(partsOf(got), partsOf(structuredClone(foreign)));
        assert.ok(got.cause instanceof Error);
      });
    }

    it('an AggregateError does', () => {
      const foreign = vm.runInNewContext("new AggregateError([new TypeError('one')], 'far')");
      const got = through(open<AggregateError>(), foreign);
      assert.ok(got instanceof AggregateError && got.errors[0] instanceof TypeError);
      assert.equal(got.message, 'far');
    });

    it("'buffer' takes a Uint8Array, and a codec of the caller's may return one", () => {
      const foreign: Uint8Array = vm.runInNewContext('new Uint8Array([0, 7, 8]).subarray(1)');
      const got = through(open<Uint8Array>({ codec: 'buffer' }), foreign);
      assert.ok(Buffer.isBuffer(got));
      assert.deepEqual([...got], [7, 8]);
      const own = { encode: () => foreign, decode: (bytes: Buffer) => [...bytes] };
      assert.deepEqual(through(open<number[]>({ codec: own }), []), [7, 8]);
    });
  });

  describe('objects of this package', () => {
    it('arrive as their handles, wherever they are', () => {
      const lock = new Lock({ name: freshName() });
      const rlock = new RLock({ name: freshName(), scope: 'thread' });
      const list: unknown[] = [lock, new Map<unknown, unknown>([[rlock, new Set([lock])]])];
      list.push(list);
      const got = through(open<unknown[]>(), list);
      assert.deepEqual(got[0], lock.toJSON());
      const [[key, value]] = [...(got[1] as Map<unknown, Set<unknown>>)] as [
        [unknown, Set<unknown>],
      ];
      assert.deepEqual(key, rlock.toJSON());
      assert.equal([...value][0], got[0]);
      assert.equal(got[2], got);
      const again = attach(got[0] as ReturnType<Lock['toJSON']>);
      assert.equal(again.name, lock.name);
      for (const object of [again, lock, rlock]) object.close();
    });

    it('a Guard cannot travel', () => {
      const lock = new Lock();
      const guard = lock.acquireSync();
      const queue = open<unknown>();
      assert.throws(() => queue.tryPut({ guard }), {
        name: 'EncodeError',
        message: /item\.guard is a Guard: .*pass the lock instead/,
      });
      assert.equal(queue.size(), 0);
      guard.release();
      lock.close();
    });
  });

  describe('refuses what structuredClone() refuses, with its place', () => {
    const namespace = import('node:path');
    const deep: unknown[] = [];
    for (let list = deep, i = 0; i < 20_000; i++) list = list[0] = [] as unknown[];
    const refused: Record<string, [value: () => unknown, place: string]> = {
      'a function': [() => ({ done: () => 1 }), 'item.done is a function'],
      'a symbol': [() => ({ 'a b': [Symbol('s')] }), 'item["a b"][0] is a symbol'],
      'a Symbol object': [() => ({ boxed: Object(Symbol('s')) }), 'item.boxed is a symbol'],
      'a function in a Map': [() => new Map([['key', () => 1]]), 'item.get("key") is a function'],
      'a symbol as key of a Map': [() => new Map([[Symbol('s'), 1]]), 'item.keys('],
      'a function in a Set': [() => new Set([1, () => 1]), 'item.values[1] is a function'],
      'a function as a cause': [() => new Error('', { cause: () => 1 }), 'item.cause is a'],
      'a Promise': [() => [Promise.resolve()], 'item[0] cannot go'],
      'a Promise with a property': [
        () => Object.assign(Promise.resolve(), { a: 1 }),
        'item cannot',
      ],
      'a WeakMap': [() => ({ weak: new WeakMap() }), 'item.weak cannot go'],
      'a WeakRef': [() => ({ weak: new WeakRef({}) }), 'item.weak cannot go'],
      'a generator': [() => (function* () {})(), 'item cannot go'],
      'a Proxy': [() => ({ proxy: new Proxy({ a: 1 }, {}) }), 'item.proxy cannot go'],
      'a Proxy of an array': [() => new Proxy([], {}), 'item cannot go'],
      arguments: [
        function () {
          return arguments; // oxlint-disable-line prefer-rest-params
        },
        'item cannot go',
      ],
      'a formatter': [() => new Intl.NumberFormat(), 'item cannot go'],
      'a detached ArrayBuffer': [detached, 'item cannot go'],
      'what is nested too deep': [() => deep, 'item[0][0]'],
    };
    for (const [what, [value, place]] of Object.entries(refused)) {
      it(what, () => refuses(value(), place));
    }

    it('a module', async () => refuses({ module: await namespace }, 'item.module cannot go'));

    it('a SharedArrayBuffer, which only one process can share', () => {
      const queue = open();
      const memory = new Int32Array(new SharedArrayBuffer(8));
      assert.throws(() => queue.tryPut({ memory }), {
        name: 'EncodeError',
        message: /item\.memory\.buffer cannot go to another process: .*SharedArrayBuffer/,
      });
    });
  });
});

function detached(): ArrayBuffer {
  const buffer = new ArrayBuffer(8);
  structuredClone(buffer, { transfer: [buffer] });
  return buffer;
}

function refuses(value: unknown, place: string): void {
  assert.throws(() => structuredClone(value));
  const queue: Queue = open();
  assert.throws(
    () => queue.tryPut(value),
    (error: Error) => error instanceof EncodeError && error.message.includes(`: ${place}`),
  );
  assert.equal(queue.size(), 0);
  same(through(queue, { a: [1] }), { a: [1] });
}
