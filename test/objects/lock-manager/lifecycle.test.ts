// LockManager: namespaces, opening and closing, handles, messages and arguments, the full table.
import assert from 'node:assert/strict';
import { inspect } from 'node:util';
import { Lock, LockManager, type LockManagerOptions, attach, list, locks, unlink } from 'holdfast';
import {
  Program,
  assertRejects,
  assertThrows,
  freshName,
  newProcess,
  newWorker,
  run,
  sharedActor,
  temporaryDirectory,
  track,
  until,
} from '../../support/index.js';
import {
  Holding,
  assertDOMException,
  assertFree,
  counts,
  hold,
  kind,
  open,
  untilCounts,
} from './helpers.js';

const nothing = () => {};

describe('LockManager, namespaces', () => {
  it('a namespace means one set of locks; others have others', async () => {
    const one = open();
    const same = open(one.namespace);
    const other = open();
    const held = await hold(one, 'it');
    assert.equal(await same.request('it', { ifAvailable: true }, (lock) => lock), null);
    await other.request('it', { ifAvailable: true }, (lock) => assert.ok(lock));
    assert.deepEqual(await counts(same, 'it'), [1, 0]);
    assert.deepEqual(await counts(other, 'it'), [0, 0]);
    await held.release();
  });

  it('locks is the default namespace, which opens its table at the first use', async () => {
    const env = { HOLDFAST_DIR: temporaryDirectory() };
    const { said, stderr, code } = await run('locks/default-namespace.mjs', { env });
    assert.equal(code, 0, stderr);
    assert.deepEqual(said, [{ before: [], during: ['default'], same: true }]);
    assert.ok(locks instanceof LockManager);
  });

  it('messages speak of the namespace', () => {
    for (const [namespace, text] of [
      ['', /^namespace must not be empty; leave it out for the default one$/],
      ['a\0b', /^namespace must not contain NUL/],
      ['\uD800', /^namespace must be well-formed/],
      ['x'.repeat(4097), /^namespace must be at most 4096 bytes of UTF-8, not 4097$/],
      [1, /^namespace must be a string, not 1/],
      [null, /^namespace must be a string, not null/],
    ] as [string, RegExp][]) {
      assert.throws(() => new LockManager({ namespace }), { message: text });
    }
  });

  it('console.log() shows namespace and lock, and opens nothing', async () => {
    const manager = open('console');
    assert.equal(inspect(manager), "LockManager { namespace: 'console' }");
    const lock = await manager.acquire('it');
    const { token } = lock;
    const facts = { name: 'it', mode: 'exclusive', abandoned: false, token, stolen: false };
    assert.equal(inspect(lock), `AcquiredLock ${inspect(facts)}`);
    lock.release();
    await manager.request('it', { mode: 'shared' }, (shared) => {
      assert.match(inspect(shared), /^Lock \{\s+name: 'it',\s+mode: 'shared'/);
      assert.equal(inspect(Object.create(shared)), 'Lock {}');
    });
    manager.close();
    assert.equal(inspect(manager), "LockManager { namespace: 'console' }");
    assert.equal(inspect(Object.create(LockManager.prototype)), 'LockManager {}');
  });

  it('list() shows it while it is open; it ends with its last user', async () => {
    const namespace = freshName(kind);
    const entry = () => list().find((one) => one.name === namespace);
    const here = open(namespace);
    assert.deepEqual(entry(), { kind, name: namespace, persistent: false, inUse: true });
    const there = await newProcess();
    await there.make(kind, { namespace });
    const worker = await newWorker();
    await worker.make(kind, { namespace });
    here.close();
    await there.kill();
    assert.ok(entry());
    await worker.kill();
    await until(() => entry() === undefined, 'the worker was its last user');
  });

  it('exclusive, mustExist, persistent, unlink()', async () => {
    const namespace = freshName(kind);
    const about = { kind, objectName: namespace };
    const make = (options: LockManagerOptions) => track(new LockManager({ namespace, ...options }));
    assertThrows(() => make({ mustExist: true }), 'NotFoundError', about);
    const first = make({ exclusive: true, persistent: true });
    assertThrows(() => make({ exclusive: true }), 'ExistsError', about);
    await first.request('it', nothing);
    first.close();
    assert.equal(list().find((one) => one.name === namespace)?.inUse, false);
    const again = make({ mustExist: true });
    again.unlink();
    assertThrows(() => again.unlink(), 'NotFoundError', about);
    const held = await hold(again, 'it');
    await assertFree(make({ exclusive: true }), 'it');
    await held.release();
    unlink(kind, namespace);
    assertThrows(() => unlink(kind, namespace), 'NotFoundError', about);
  });

  it('another kind of that name is an IncompatibleError, both ways', () => {
    const manager = open();
    const { namespace } = manager;
    assertThrows(() => new Lock({ name: namespace }), 'IncompatibleError');
    const lock = track(new Lock({ name: freshName('lock') }));
    const about = { kind, objectName: lock.name };
    assertThrows(() => new LockManager({ namespace: lock.name }), 'IncompatibleError', about);
  });

  it('wrong options change nothing', () => {
    const loose = (options: unknown) => new LockManager(options as LockManagerOptions);
    const before = list().length;
    for (const options of [null, 1, 'name', [], () => {}]) {
      assert.throws(() => loose(options), TypeError, String(options));
    }
    for (const options of [
      { namespace: 1 },
      { namespace: null },
      { persistent: 1 },
      { exclusive: 'yes' },
      { exclusive: true, mustExist: true },
      { maxRequests: '1' },
      { name: 'name is no option' },
      { maxRequest: 1 },
    ]) {
      assert.throws(() => loose(options), TypeError, JSON.stringify(options));
    }
    for (const namespace of ['', 'a\0b', '\ud800', 'x'.repeat(4097)]) {
      assert.throws(() => loose({ namespace }), RangeError);
    }
    for (const maxRequests of [0, -1, 1.5, NaN, 2 ** 20 + 1, Infinity]) {
      assert.throws(() => loose({ maxRequests }), RangeError);
    }
    assert.equal(list().length, before);
  });
});

describe('LockManager, close()', () => {
  it('what waits rejects with ClosedError, and so does everything after; not while it holds', async () => {
    const manager = open();
    const about = { kind, objectName: manager.namespace };
    const other = open(manager.namespace);
    const held = await hold(other, 'it');
    const own = await hold(manager, 'own');
    const waits = [1, 2, 3].map(() => new Holding(manager, 'it'));
    assertThrows(() => manager.close(), 'HeldError', about);
    assert.deepEqual(await counts(manager, 'it'), [1, 3]);
    await own.release();
    manager.close();
    manager.close();
    manager[Symbol.dispose]();
    for (const wait of waits) {
      await assertRejects(wait.result, 'ClosedError', about);
      assert.equal(wait.isGranted, false);
    }
    assert.deepEqual(await counts(other, 'it'), [1, 0]);
    await assertRejects(manager.request('it', nothing), 'ClosedError', about);
    await assertRejects(manager.acquire('it'), 'ClosedError', about);
    await assertRejects(manager.query(), 'ClosedError', about);
    for (const call of [
      () => manager.requestSync('it', nothing),
      () => manager.inspect(),
      () => manager.unlink(),
    ]) {
      assertThrows(call, 'ClosedError', about);
    }
    assert.equal(manager.namespace, other.namespace);
    assert.deepEqual(manager.toJSON(), { holdfast: kind, name: other.namespace });
    await held.release();
    await assertFree(other, 'it');
  });

  it('a closed manager among others: their requests go on', async () => {
    const one = open();
    const other = open(one.namespace);
    const held = await hold(one, 'it');
    const wait = new Holding(one, 'it');
    other.close();
    await held.release();
    await wait.granted;
    await wait.release();
    await assertFree(one, 'it');
  });

  it('close() in a callback is refused, and the lock stays held until the callback ends', async () => {
    const manager = open();
    await manager.request('it', async () => {
      assertThrows(() => manager.close(), 'HeldError');
      assert.deepEqual(await counts(manager, 'it'), [1, 0]);
    });
    await assertFree(manager, 'it');
  });
});

describe('LockManager, in other threads and processes', () => {
  it('attach() of its handle, by JSON and by structured clone', async () => {
    const manager = open();
    const handle = manager.toJSON();
    assert.deepEqual(handle, { holdfast: kind, name: manager.namespace });
    const held = await hold(manager, 'it');
    for (const copy of [JSON.parse(JSON.stringify(manager)), structuredClone(handle)]) {
      const attached = track(attach<'LockManager'>(copy));
      assert.ok(attached instanceof LockManager);
      assert.deepEqual(await counts(attached, 'it'), [1, 0]);
      attached.close();
      const remote = await (await sharedActor('process')).attach(copy);
      assert.equal(await remote.call('acquire', 'it', { ifAvailable: true }), null);
      await remote.close();
    }
    await held.release();
    manager.close();
    assertThrows(() => attach(handle), 'NotFoundError', { kind, objectName: handle.name });
  });

  it('an argument of a Process arrives as itself', async () => {
    const { said, stderr, code } = await run('locks/argument.mjs');
    assert.equal(code, 0, stderr);
    assert.deepEqual(said, [{ exitCode: 0, seen: [1, 1, 1] }], stderr);
  });

  it('structured clone refuses it, and what it grants', async () => {
    const manager = open();
    assert.throws(() => structuredClone(manager), /a LockManager: .*attach\(\)/);
    await manager.request('it', (lock) => {
      assert.throws(() => structuredClone(lock), /a lock that is held: .*pass its name/);
    });
    const acquired = await manager.acquire('it');
    assert.throws(() => structuredClone({ acquired }), /a lock that is held: /);
    for (const shown of [inspect(manager), inspect(acquired), inspect({ manager, acquired })]) {
      assert.ok(!shown.includes('structured clone'), shown);
    }
    acquired.release();
  });
});

describe('LockManager, a full table', () => {
  it('refuses with QuotaExceededError, and disturbs nobody', async () => {
    const namespace = freshName(kind);
    const manager = track(new LockManager({ namespace, maxRequests: 8 }));
    assert.equal(manager.inspect().maxRequests, 8);
    const first = await hold(manager, 'it');
    const others = Array.from({ length: 7 }, () => new Holding(manager, 'it'));
    assert.deepEqual(await counts(manager, 'it'), [1, 7]);
    for (const options of [{}, { ifAvailable: true }, { mode: 'shared' as const }]) {
      await assertDOMException(manager.request('another', options, nothing), 'QuotaExceededError');
    }
    const sync = () => manager.requestSync('another', nothing);
    assert.throws(sync, { name: 'QuotaExceededError' });
    assert.deepEqual(await counts(manager, 'it'), [1, 7]);
    let last = first;
    for (const next of others) {
      await last.release();
      await next.granted;
      last = next;
    }
    await last.release();
    await assertFree(manager, 'it');
    await manager.request('another', nothing);
  });

  it('another maxRequests is an IncompatibleError; without one it is taken as it is', async () => {
    const namespace = freshName(kind);
    track(new LockManager({ namespace, maxRequests: 8 }));
    const about = { kind, objectName: namespace };
    assertThrows(() => new LockManager({ namespace, maxRequests: 9 }), 'IncompatibleError', about);
    assert.equal(open(namespace).inspect().maxRequests, 8);
    const there = await sharedActor('process');
    await assertRejects(
      there.make(kind, { namespace, maxRequests: 7 }),
      'IncompatibleError',
      about,
    );
  });

  it('what the dead had in it is room again', async () => {
    const namespace = freshName(kind);
    const manager = track(new LockManager({ namespace, maxRequests: 8 }));
    const victim = await newProcess();
    const theirs = await victim.make(kind, { namespace });
    await theirs.keep('acquire', 'it');
    for (let i = 0; i < 7; i++) await theirs.start('acquire', 'it').started;
    await untilCounts(manager, 'it', 1, 7);
    await assertDOMException(manager.request('other', nothing), 'QuotaExceededError');
    await victim.kill();
    const all = await Promise.all(Array.from({ length: 8 }, (_, i) => hold(manager, `my ${i}`)));
    await Promise.all(all.map((one) => one.release()));
  });
});

describe('LockManager, managers that are dropped', () => {
  it('are collected with what they have open', async () => {
    const program = new Program('locks/drop-managers.mjs', {
      args: ['200'],
      env: { HOLDFAST_DIR: temporaryDirectory(), NODE_OPTIONS: '--expose-gc' },
    });
    const { before, after } = JSON.parse(await program.line('{')) as Record<string, object>;
    await program.end();
    assert.deepEqual(after, before);
  });
});
