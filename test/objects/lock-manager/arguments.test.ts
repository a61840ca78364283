// LockManager: what the Web Locks API and WebIDL say of its classes and of arguments.
import assert from 'node:assert/strict';
import vm from 'node:vm';
import { LockManager, type LockOptions } from 'holdfast';
import {
  assertDOMException,
  assertFree,
  assertTypeError,
  hold,
  open,
  rejection,
} from './helpers.js';

type Loose = (...args: unknown[]) => Promise<unknown>;

/** request() without the types that forbid what is tested. */
const loose = (manager: LockManager) => manager.request.bind(manager) as unknown as Loose;
const nothing = () => {};

/** An object that logs each read of a property. */
function logged(values: Record<string, unknown>, log: string[]): LockOptions {
  const options = {};
  for (const key of ['timeout', 'steal', 'signal', 'mode', 'ifAvailable', 'deadlock']) {
    Object.defineProperty(options, key, {
      enumerable: true,
      get: () => (log.push(key), values[key]),
    });
  }
  return options;
}

describe('LockManager, as WebIDL has it', () => {
  it('request.length is 2; both methods of the standard are enumerable', () => {
    const { prototype } = LockManager;
    assert.equal(prototype.request.length, 2);
    assert.equal(prototype.query.length, 0);
    for (const key of ['request', 'query']) {
      assert.equal(Object.getOwnPropertyDescriptor(prototype, key)?.enumerable, true, key);
    }
    assert.equal(prototype.request.name, 'request');
  });

  it('Symbol.toStringTag of the manager and of a lock', async () => {
    const manager = open();
    assert.equal(Object.prototype.toString.call(manager), '[object LockManager]');
    await manager.request('it', (lock) => {
      assert.equal(Object.prototype.toString.call(lock), '[object Lock]');
    });
  });

  it('a lock has name and mode, which can be seen and not written', async () => {
    await open().request('it', (lock) => {
      assert.deepEqual([lock!.name, lock!.mode], ['it', 'exclusive']);
      const seen: string[] = [];
      for (const key in lock!) seen.push(key);
      assert.ok(seen.indexOf('name') < seen.indexOf('mode') && seen.includes('name'));
      for (const key of ['name', 'mode']) {
        assert.throws(() => Object.assign(lock!, { [key]: 'x' }), TypeError);
      }
      const Lock = lock!.constructor as new (...args: unknown[]) => unknown;
      assert.equal(Lock.name, 'Lock');
      assert.throws(() => new Lock('it', 'exclusive'), TypeError);
      assert.throws(() => Reflect.get(Object.create(Lock.prototype), 'name'), TypeError);
    });
  });

  it('a brand check rejects, and does not throw', async () => {
    const impostor = Object.create(LockManager.prototype) as LockManager;
    for (const wrong of [impostor, undefined, {}, 1]) {
      const call = (method: Function) => method.call(wrong, 'it', nothing) as Promise<unknown>;
      await assertTypeError(call(LockManager.prototype.request));
      await assertTypeError(call(LockManager.prototype.query));
      await assertTypeError(call(LockManager.prototype.acquire));
    }
  });
});

describe('LockManager, arguments', () => {
  it('options are read once each, in the order of the alphabet, after the name', async () => {
    const log: string[] = [];
    const name = { toString: () => (log.push('the name'), 'it') };
    await loose(open())(name, logged({}, log), nothing);
    const inOrder = ['deadlock', 'ifAvailable', 'mode', 'signal', 'steal', 'timeout'];
    assert.deepEqual(log, ['the name', ...inOrder]);
  });

  it('what is wrong is found in that order: the name, each option, the callback, the rules', async () => {
    const request = loose(open());
    const wrong = { mode: 'wrong', signal: 'wrong', steal: true };
    const log: string[] = [];
    await assertTypeError(request('it', logged(wrong, log), nothing));
    assert.deepEqual(log, ['deadlock', 'ifAvailable', 'mode']);
    log.length = 0;
    await assertTypeError(request('it', logged({ ...wrong, mode: 'shared' }, log), nothing));
    assert.deepEqual(log, ['deadlock', 'ifAvailable', 'mode', 'signal']);
    log.length = 0;
    await assertTypeError(request(Symbol('it'), logged({}, log), nothing));
    assert.deepEqual(log, []);
    await assertTypeError(request('-it', { steal: true, ifAvailable: true }, 'no function'));
    const signal = AbortSignal.abort(new Error('aborted before'));
    await assertDOMException(request('-it', { signal }, nothing), 'NotSupportedError');
    await assertDOMException(request('it', { signal, steal: true }, nothing), 'NotSupportedError');
  });

  it('overloads by the number of arguments', async () => {
    const manager = open();
    const request = loose(manager);
    for (const args of [[], ['it'], ['it', nothing, undefined], ['it', {}, undefined]]) {
      await assertTypeError(request(...args));
    }
    for (const args of [
      ['it', {}],
      ['it', undefined],
      ['it', null],
      ['it', 'callback'],
    ]) {
      await assertTypeError(request(...args));
    }
    for (const options of [undefined, null, {}, nothing]) {
      assert.equal(await request('it', options, () => 'done'), 'done');
    }
    for (const options of [1, 'options', true, Symbol('options'), 1n]) {
      await assertTypeError(request('it', options, nothing));
    }
    assert.equal(await request('it', () => 'done'), 'done');
    assert.equal(await request('it', {}, () => 'done', 'one too many'), 'done');
    await assertFree(manager, 'it');
  });

  it('wrong modes and signals are plain TypeErrors', async () => {
    const manager = open();
    const request = loose(manager);
    for (const mode of ['', 'Exclusive', 'foo', null, 1, Symbol('mode')]) {
      await assertTypeError(request('it', { mode }, nothing));
    }
    for (const signal of [null, 'signal', 1, {}, new EventTarget()]) {
      await assertTypeError(request('it', { signal }, nothing));
    }
    for (const timeout of ['1', null, {}]) {
      await assertTypeError(request('it', { timeout }, nothing));
    }
    for (const timeout of [-1, NaN, Infinity, 2 ** 31]) {
      const error = await rejection(request('it', { timeout }, nothing));
      assert.equal((error as Error).constructor, RangeError);
    }
    await assertFree(manager, 'it');
  });

  it('values are converted as WebIDL says', async () => {
    const manager = open();
    const request = loose(manager);
    const mode = { toString: () => 'shared' };
    assert.equal(await request('it', { mode }, (lock: { mode: string }) => lock.mode), 'shared');
    for (const [name, text] of [
      [undefined, 'undefined'],
      [null, 'null'],
      [1.5, '1.5'],
      [{}, '[object Object]'],
    ]) {
      assert.equal(await request(name, (lock: { name: string }) => lock.name), text);
    }
    const held = await hold(manager, 'it');
    const seen = await request('it', { ifAvailable: 1 }, (lock: unknown) => lock);
    assert.equal(seen, null);
    await held.release();
    assert.ok(await request('it', { ifAvailable: 0, steal: '' }, (lock: unknown) => lock));
  });

  it('what excludes each other is a plain NotSupportedError', async () => {
    const manager = open();
    const request = loose(manager);
    const { signal } = new AbortController();
    for (const options of [
      { steal: true, ifAvailable: true },
      { steal: true, mode: 'shared' },
      { steal: true, signal },
      { ifAvailable: true, signal },
      { steal: true, timeout: 1 },
      { ifAvailable: true, timeout: 1 },
    ]) {
      await assertDOMException(request('it', options, nothing), 'NotSupportedError');
    }
    for (const name of ['-', '-it', '-\0']) {
      await assertDOMException(request(name, nothing), 'NotSupportedError');
    }
    assert.equal(await request('a-', () => 'done'), 'done');
    await assertFree(manager, 'it');
  });

  it('getters that throw reject with what they threw, and nothing is queued', async () => {
    const manager = open();
    for (const key of ['ifAvailable', 'mode', 'signal', 'steal', 'timeout']) {
      const thrown = new Error(key);
      const options = Object.defineProperty({}, key, {
        get() {
          throw thrown;
        },
      });
      assert.equal(await rejection(manager.request('it', options, nothing)), thrown);
    }
    await assertFree(manager, 'it');
  });

  it('a getter that closes the manager: the request is refused', async () => {
    const manager = open();
    const options = {
      get steal() {
        manager.close();
        return false;
      },
    };
    const error = await rejection(manager.request('it', options, nothing));
    assert.equal((error as Error).name, 'ClosedError');
  });

  it('options and callbacks of another realm', async () => {
    const made = vm.runInNewContext(
      `({ options: { mode: 'shared' }, callback: (l) => l.mode })`,
    ) as {
      options: LockOptions;
      callback: () => string;
    };
    assert.equal(await open().request('it', made.options, made.callback), 'shared');
  });
});
