// Wrong arguments and wrong moments. A wrong argument is a TypeError or RangeError before anything
// is touched. Every other error is of this package, and says which object it is about.
import assert from 'node:assert/strict';
import { readdirSync } from 'node:fs';
import {
  HoldfastError,
  type KindName,
  Lock,
  type OpenOptions,
  RLock,
  Semaphore,
  attach,
  list,
  unlink,
} from 'holdfast';
import {
  allKinds,
  assertRejects,
  assertThrows,
  freshName,
  newActor,
  ownedKinds,
  sharedActor,
  track,
} from '../support/index.js';

const open = {
  Lock: (options?: OpenOptions) => track(new Lock(options)),
  RLock: (options?: OpenOptions) => track(new RLock(options)),
  Semaphore: (options?: OpenOptions) => track(new Semaphore(undefined, options)),
};

/** The files in the directory, doorbells and registry included. */
const standing = () => readdirSync(process.env['HOLDFAST_DIR']!).toSorted();

for (const kind of allKinds) {
  describe(`bad input, ${kind}`, () => {
    before(() => void open[kind]()); // this thread's agent has begun

    describe('names', () => {
      const wrong: [title: string, name: unknown, error: new () => Error][] = [
        ['empty', '', RangeError],
        ['with NUL', 'a\0b', RangeError],
        ['NUL alone', '\0', RangeError],
        ['4097 bytes', 'x'.repeat(4097), RangeError],
        ['4098 bytes in 2049 characters', 'é'.repeat(2049), RangeError],
        ['4100 bytes in 1025 characters', '😀'.repeat(1025), RangeError],
        ['a million bytes', 'x'.repeat(1e6), RangeError],
        ['a lone high surrogate', 'a\ud83d', RangeError],
        ['a lone low surrogate', '\ude00b', RangeError],
        ['surrogates in the wrong order', '\ude00\ud83d', RangeError],
        ['null', null, TypeError],
        ['a number', 7, TypeError],
        ['a boolean', false, TypeError],
        ['a symbol', Symbol('name'), TypeError],
        ['a String object', new String('name'), TypeError],
        ['an array', ['name'], TypeError],
        ['a Buffer', Buffer.from('name'), TypeError],
        ['a function', () => 'name', TypeError],
      ];
      for (const [title, name, error] of wrong) {
        it(`${title}: ${error.name}`, () => {
          const before = standing();
          assert.throws(() => open[kind]({ name: name as string }), error);
          assert.throws(() => unlink(kind, name as string), error);
          const handle = { holdfast: kind, name: name as string };
          assert.throws(() => attach(handle), error);
          assert.deepEqual(standing(), before);
        });
      }

      const right: [title: string, name: string][] = [
        ['one byte', 'x'],
        ['255 bytes', 'x'.repeat(255)],
        ['255 bytes of two and one', `${'é'.repeat(127)}x`],
        ['255 bytes of four and three', `${'😀'.repeat(63)}€`],
        ['256 bytes', 'x'.repeat(256)],
        ['256 bytes of two', 'é'.repeat(128)],
        ['4096 bytes', 'x'.repeat(4096)],
        ['4096 bytes of four', '😀'.repeat(1024)],
        ['a path', '../../etc/passwd'],
        ['slashes and dots', '/./..//'],
        ['control characters', 'a\nb\tc\x01\x7f'],
        ['a byte order mark', '\ufeffname'],
        ['a character beyond assignment', '\u{10ffff}'],
        ['a name like a file of ours', 'registry'],
        ['what a format string would mind', '%s%n%d'],
      ];
      for (const [title, name] of right) {
        it(`${title}: fine, here and in another process`, async () => {
          const object = open[kind]({ name });
          assert.equal(object.name, name);
          const other = await (await sharedActor('process')).open(kind, { name });
          await other.acquire();
          if (object instanceof Semaphore) assert.equal(object.tryAcquire(), false);
          else assert.equal(object.tryAcquire(), null);
          await other.release();
          assert.ok(list().some((entry) => entry.kind === kind && entry.name === name));
          await other.close();
          object.close();
          assert.ok(!list().some((entry) => entry.name === name));
        });
      }

      it('names that differ only in normalisation or case are different', () => {
        const names = ['Å'.normalize('NFC'), 'Å'.normalize('NFD'), 'å', 'A'];
        const objects = names.map((name) => open[kind]({ name }));
        for (const object of objects) assert.ok(object.tryAcquire());
        for (const object of objects) object.release();
      });
    });

    describe('options', () => {
      for (const options of [null, 'name', 1, true, [], () => {}, Symbol('s')]) {
        it(`${String(options) || '[]'} is not an options object`, () => {
          if (typeof options === 'function') return; // a function is an object: no harm in it
          assert.throws(() => open[kind](options as never), TypeError);
        });
      }
      for (const key of ['exclusive', 'mustExist', 'persistent'] as const) {
        for (const value of [null, 0, 1, 'true', {}, []]) {
          it(`${key}: ${JSON.stringify(value)} is a TypeError`, () => {
            const name = freshName();
            assert.throws(() => open[kind]({ name, [key]: value }), TypeError);
            assert.ok(!list().some((entry) => entry.name === name));
          });
        }
      }
      it('exclusive and mustExist contradict each other', () => {
        const options = { name: freshName(), exclusive: true, mustExist: true };
        assert.throws(() => open[kind](options), TypeError);
      });
      it('mustExist and persistent need a name', () => {
        assert.throws(() => open[kind]({ mustExist: true }), TypeError);
        assert.throws(() => open[kind]({ persistent: true }), TypeError);
        open[kind]({ exclusive: true }); // always new
      });
      it('undefined is the same as a missing option', () => {
        const nothing = { exclusive: undefined, mustExist: undefined, persistent: undefined };
        open[kind]({ name: undefined, ...nothing });
        open[kind](undefined);
      });
    });

    describe('waiting', () => {
      const timeouts: [timeout: unknown, error: new () => Error][] = [
        [-1, RangeError],
        [-0.001, RangeError],
        [NaN, RangeError],
        [Infinity, RangeError],
        [-Infinity, RangeError],
        [2 ** 31, RangeError],
        ['100', TypeError],
        [null, TypeError],
        [100n, TypeError],
        [true, TypeError],
        [{}, TypeError],
        [new Date(), TypeError],
      ];
      for (const [timeout, error] of timeouts) {
        it(`timeout ${String(timeout)} (${typeof timeout}): ${error.name}`, async () => {
          const object = open[kind]();
          const options = { timeout: timeout as number };
          assert.throws(() => object.acquireSync(options), error);
          await assert.rejects(object.acquire(options), error);
          assert.equal(object.inspect().acquisitions, 0);
        });
      }
      it('timeouts at the ends of the range: fine', async () => {
        const object = open[kind]();
        for (const timeout of [0, -0, Number.MIN_VALUE, 2 ** 31 - 1, undefined]) {
          await object.acquire({ timeout });
          object.release();
          object.acquireSync({ timeout });
          object.release();
        }
      });

      const signals = [
        null,
        'abort',
        1,
        {},
        new EventTarget(),
        new AbortController(),
        { aborted: false },
      ];
      for (const signal of signals) {
        it(`signal ${Object.prototype.toString.call(signal)}: TypeError`, async () => {
          const object = open[kind]();
          await assert.rejects(object.acquire({ signal: signal as AbortSignal }), TypeError);
          assert.equal(object.inspect().acquisitions, 0);
        });
      }
      it('a signal for a synchronous wait: TypeError', () => {
        const options = { signal: new AbortController().signal };
        assert.throws(() => open[kind]().acquireSync(options as object), TypeError);
      });
      it('a wrong argument is said before an aborted signal', async () => {
        const signal = AbortSignal.abort();
        await assert.rejects(open[kind]().acquire({ signal, timeout: -1 }), RangeError);
      });
      for (const options of [null, 'soon', 100, true, []]) {
        if (kind === 'Semaphore' && options === 100) continue; // so many permits
        it(`options ${JSON.stringify(options)}: TypeError`, async () => {
          const object = open[kind]();
          await assert.rejects(object.acquire(options as never), TypeError);
          assert.throws(() => object.acquireSync(options as never), TypeError);
        });
      }
      it('acquire() rejects and never throws', () => {
        for (const bad of [{ timeout: -1 }, null, { signal: 1 }]) {
          open[kind]()
            .acquire(bad as never)
            .catch(() => {});
        }
      });
    });

    describe('after close()', () => {
      it('every method says ClosedError, and about what', async () => {
        const name = freshName();
        const about = { kind, objectName: name };
        // Another object of that name keeps the file, and waits for the lock. The closed object
        // must not use that file.
        const other = open[kind]({ name });
        const object = open[kind]({ name });
        other.acquireSync();
        object.close();
        const check = async () => {
          assertThrows(() => object.acquireSync(), 'ClosedError', about);
          assertThrows(() => object.acquireSync({ timeout: 0 }), 'ClosedError', about);
          assertThrows(() => object.tryAcquire(), 'ClosedError', about);
          assertThrows(() => object.release(), 'ClosedError', about);
          assertThrows(() => object.inspect(), 'ClosedError', about);
          assertThrows(() => object.unlink(), 'ClosedError', about);
          await assertRejects(object.acquire(), 'ClosedError', about);
          await assertRejects(object.acquire({ timeout: 10 }), 'ClosedError', about);
          await assertRejects(object.acquire({ timeout: 0 }), 'ClosedError', about);
          if (object instanceof Semaphore) {
            assertThrows(() => object.value(), 'ClosedError', about);
          } else {
            assertThrows(() => object.locked(), 'ClosedError', about);
            const inside = () => assert.fail('was called');
            await assertRejects(object.runExclusive(inside), 'ClosedError', about);
          }
          if (object instanceof RLock) assertThrows(() => object.depth(), 'ClosedError', about);
        };
        await check();
        const wait = kind === 'RLock' ? undefined : other.acquire();
        await check();
        other.release();
        await wait;
        if (wait) other.release();
      });

      it('kind, name and handle stay', () => {
        const name = freshName();
        const object = open[kind]({ name });
        object.close();
        assert.equal(object.name, name);
        assert.deepEqual(object.toJSON(), { holdfast: kind, name });
        assertThrows(() => attach(object.toJSON()), 'NotFoundError', { kind, objectName: name });
      });
    });

    it('the name of another kind: IncompatibleError', async () => {
      const name = freshName();
      const object = open[kind]({ name });
      object.acquireSync();
      for (const other of allKinds.filter((it) => it !== kind)) {
        const about = { kind: other, objectName: name };
        assertThrows(() => open[other]({ name }), 'IncompatibleError', about);
        assertThrows(() => open[other]({ name, exclusive: true }), 'IncompatibleError', about);
        const there = (await sharedActor('process')).open(other, { name });
        await assertRejects(there, 'IncompatibleError', about);
        assertThrows(() => attach({ holdfast: other, name }), 'IncompatibleError', about);
        assertThrows(() => unlink(other, name), 'NotFoundError', about);
      }
      object.release();
    });
  });
}

for (const kind of ownedKinds) {
  describe(`bad moments, ${kind}`, () => {
    it('release() of what nobody holds', async () => {
      const name = freshName();
      const error = kind === 'Lock' ? 'NotLockedError' : 'NotOwnerError';
      assertThrows(() => open[kind]({ name }).release(), error, { kind, objectName: name });
      const there = await (await sharedActor('worker')).open(kind, { name });
      await assertRejects(there.release(), error, { kind, objectName: name });
    });

    it('runExclusive() without a function', async () => {
      for (const fn of [undefined, null, 'fn', {}, Promise.resolve()]) {
        const lock: Lock | RLock = open[kind]();
        await assert.rejects(lock.runExclusive(fn as never), TypeError);
      }
    });
  });
}

describe('bad input, everywhere', () => {
  it('attach() of what is no handle: TypeError', () => {
    const handles = [undefined, null, 'Lock', 1, {}, [], { name: 'x' }, { holdfast: 'Lock' }];
    for (const handle of [
      ...handles,
      { holdfast: 'Mutex', name: 'x' },
      { holdfast: 2, name: 'x' },
    ]) {
      assert.throws(() => attach(handle as never), TypeError, JSON.stringify(handle));
    }
    for (const holdfast of ['toString', '__proto__', 'constructor', '']) {
      assert.throws(() => attach({ holdfast, name: 'x' } as never), TypeError);
    }
  });

  it('unlink() of a wrong kind: TypeError', () => {
    for (const kind of [undefined, null, 'lock', 'registry', 2, 'toString', {}, []]) {
      assert.throws(() => unlink(kind as KindName, 'x'), TypeError, String(kind));
    }
    assertThrows(() => unlink('Lock', freshName()), 'NotFoundError', { kind: 'Lock' });
  });

  it('classes cannot be called without new', () => {
    for (const Class of [Lock, RLock, Semaphore]) {
      assert.throws(() => (Class as unknown as () => void)(), TypeError);
    }
  });

  it('a method refuses an object of another class', () => {
    assert.throws(() => Lock.prototype.tryAcquire.call({} as Lock), TypeError);
    assert.throws(() => Semaphore.prototype.value.call(new Date() as never), TypeError);
  });

  it('errors of this package are HoldfastErrors with a code and a readable message', async () => {
    const name = freshName('quo"ted');
    using lock = new Lock({ name });
    let error: unknown;
    try {
      lock.release();
    } catch (caught) {
      error = caught;
    }
    assert.ok(error instanceof HoldfastError);
    assert.ok(error instanceof Error);
    assert.equal(error.code, 'ERR_HOLDFAST_NOT_LOCKED');
    assert.ok(error.message.includes(JSON.stringify(name)), error.message);
    assert.equal(Object.prototype.toString.call(error), '[object Error]');
    assert.match(error.stack!, /^NotLockedError: /);
    assert.equal(error.errno, undefined, 'no system call is to blame');
    assert.equal(error.cause, undefined);
  });

  it('a relative HOLDFAST_DIR: TypeError', async () => {
    const process = await newActor('process', { env: { HOLDFAST_DIR: 'tmp/relative' } });
    await assert.rejects(process.open('Lock'), { name: 'TypeError', message: /absolute/ });
    await assert.rejects(process.list(), { name: 'TypeError' });
  });
});
