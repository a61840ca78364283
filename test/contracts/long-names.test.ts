// A name of up to 4,096 bytes works like a short one, for every kind and in every process.
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import {
  Barrier,
  BoundedSemaphore,
  Condition,
  Event,
  type Handle,
  JoinableQueue,
  Lock,
  type OpenOptions,
  Queue,
  RLock,
  ReadWriteLock,
  Semaphore,
  SharedMemory,
  attach,
  list,
  unlink,
} from 'holdfast';
import {
  type NamedKind,
  Program,
  assertRejects,
  assertThrows,
  freshName,
  newProcess,
  objectFiles,
  removeDirectories,
  lastingDirectory,
  run,
  sharedActor,
  track,
  within,
} from '../support/index.js';

const openers = {
  Lock: (options: OpenOptions) => new Lock(options),
  RLock: (options: OpenOptions) => new RLock(options),
  Semaphore: (options: OpenOptions) => new Semaphore(1, options),
  BoundedSemaphore: (options: OpenOptions) => new BoundedSemaphore(2, options),
  Condition: (options: OpenOptions) => new Condition(undefined, options),
  Event: (options: OpenOptions) => new Event(options),
  Barrier: (options: OpenOptions) => new Barrier(2, options),
  Queue: (options: OpenOptions) => new Queue(options),
  JoinableQueue: (options: OpenOptions) => new JoinableQueue(options),
  SharedMemory: (options: OpenOptions) => new SharedMemory(100, options),
  ReadWriteLock: (options: OpenOptions) => new ReadWriteLock(options),
} satisfies Record<NamedKind, (options: OpenOptions) => object>;
const kindNames = Object.keys(openers) as NamedKind[];

/** A fresh name of so many bytes. */
function nameOf(bytes: number, filling = 'n'): string {
  const head = freshName('long');
  return head + filling.repeat(bytes).slice(0, bytes - head.length);
}

const standing = () => objectFiles(process.env['HOLDFAST_DIR']!);

describe('long names', () => {
  for (const kind of kindNames) {
    const open = (options: OpenOptions) => track(openers[kind](options));

    it(`${kind}: 255, 256 and 4096 bytes, here and there, until unlink()`, async () => {
      const there = await sharedActor('process');
      for (const bytes of [255, 256, 4096]) {
        const name = nameOf(bytes);
        const object = open({ name, persistent: true });
        assert.equal(object.name, name);
        assert.equal(object.inspect().name, name);
        assert.deepEqual(object.toJSON(), { holdfast: kind, name });
        const remote = await there.attach(JSON.parse(JSON.stringify(object)));
        assert.equal(remote.name, name);
        await remote.close();
        const same = track(attach(object.toJSON() as Handle<NamedKind>));
        assert.equal(same.name, name);
        same.close();
        object.close();
        const entry = () => list().filter((it) => it.name === name);
        assert.equal(entry().length, 1);
        assert.deepEqual([entry()[0]!.kind, entry()[0]!.persistent], [kind, true]);
        unlink(kind, name);
        assert.deepEqual(entry(), []);
      }
    });

    it(`${kind}: 4097 bytes are a RangeError, and nothing is made`, () => {
      const name = nameOf(4097);
      const before = standing();
      assert.throws(() => openers[kind]({ name }), { name: 'RangeError', message: /4096.*4097/ });
      assert.throws(() => unlink(kind, name), RangeError);
      assert.throws(() => attach({ holdfast: kind, name }), RangeError);
      assert.deepEqual(standing(), before);
    });

    it(`${kind}: names that differ in their last byte are different objects`, () => {
      const name = nameOf(4095);
      const [one, two] = [open({ name: `${name}1` }), open({ name: `${name}2` })];
      const posixNames = [one, two].map((it) => (it as { posixName?: string }).posixName);
      if (posixNames[0] !== undefined) assert.notEqual(posixNames[0], posixNames[1]);
      assert.notEqual(one.inspect().name, two.inspect().name);
      assert.equal(list().filter((it) => it.name.startsWith(name)).length, 2);
      one.unlink();
      assert.deepEqual(
        list().flatMap((it) => (it.name.startsWith(name) ? [it.name] : [])),
        [`${name}2`],
      );
    });
  }

  it('two locks whose names share 4095 bytes are held separately', () => {
    for (const kind of ['Lock', 'RLock', 'BoundedSemaphore'] as const) {
      const name = nameOf(4095);
      const [one, two] = ['1', '2'].map((end) => track(openers[kind]({ name: name + end })));
      assert.ok(one!.tryAcquire() && two!.tryAcquire());
    }
  });

  it('a message shows both ends of a long name, and the error has all of it', () => {
    const name = nameOf(4096);
    track(new Lock({ name }));
    assertThrows(() => new RLock({ name }), 'IncompatibleError', { objectName: name });
    assert.throws(
      () => new RLock({ name }),
      ({ message }: Error) => message.length < 200 && message.includes(name.slice(0, 20)),
    );
  });

  it('items, bytes and permits do not overlap the name', async () => {
    const there = await sharedActor('process');
    const queue = track(new Queue<string>({ name: nameOf(4096) }));
    const item = 'x'.repeat(300_000); // the ring has to grow
    queue.putSync(item);
    const remote = await there.attach(queue.toJSON());
    assert.equal(await remote.call('getSync', { timeout: 10_000 }), item);
    const memory = track(new SharedMemory(10_000, { name: nameOf(256) }));
    new Uint8Array(memory.buffer).fill(7);
    const same = track(new SharedMemory(10_000, { name: memory.name }));
    assert.ok(new Uint8Array(same.buffer).every((byte) => byte === 7));
    for (const { name } of [queue, memory]) assert.ok(list().some((it) => it.name === name));
  });

  it('an argument of a Process arrives as itself', async () => {
    for (const bytes of [255, 256, 4096]) {
      const { said, stderr, code } = await run('long-name.mjs', { args: [String(bytes)] });
      assert.equal(code, 0, stderr);
      assert.deepEqual(said, [[0, bytes, 1]], stderr);
    }
  });

  it('the next holder after a kill is told, and a killed user’s object is swept', async () => {
    const directory = lastingDirectory();
    try {
      const env = { HOLDFAST_DIR: directory };
      const [victim, survivor] = [await newProcess({ env }), await newProcess({ env })];
      const [held, unheld] = [nameOf(4096, 'h'), nameOf(4096, 'u')];
      for (const kind of ['Lock', 'RLock', 'BoundedSemaphore'] as const) {
        await (await victim.open(kind, { name: `${held.slice(1)}${kind[0]}` }, 1)).acquire();
        await victim.open(kind, { name: `${unheld.slice(1)}${kind[0]}` }, 1);
      }
      await victim.kill();
      const holders = await Promise.all(
        (['Lock', 'RLock', 'BoundedSemaphore'] as const).map((kind) =>
          survivor.open(kind, { name: `${held.slice(1)}${kind[0]}` }, 1),
        ),
      );
      for (const next of holders) assert.equal((await next.acquire()).abandoned, true);
      assert.equal((await survivor.list()).length, 3);
      await survivor.leave();
    } finally {
      removeDirectories([directory]);
    }
  });

  describe('Condition', () => {
    for (const kind of ['Lock', 'RLock'] as const) {
      it(`over a ${kind} with 4096 bytes: found and used from another process`, async () => {
        const lock = track(openers[kind]({ name: nameOf(4096) }));
        const condition = track(new Condition(lock, { name: nameOf(4096, 'c') }));
        const there = await sharedActor('process');
        const remote = await there.attach(condition.toJSON());
        const byName = track(new Condition(undefined, { name: condition.name }));
        assert.equal(byName.lock.name, lock.name);
        const guard = lock.acquireSync();
        assert.equal(await remote.call('tryAcquire'), null);
        const wait = condition.wait();
        await remote.call('acquireSync');
        assert.equal(await remote.call('notify'), 1);
        await remote.call('release');
        assert.deepEqual(await within(wait, 'the wake-up'), { abandoned: false });
        guard.release();
      });
    }

    it('over another lock of the same first 4095 bytes: IncompatibleError', async () => {
      const name = nameOf(4095);
      const [one, two] = [track(new Lock({ name: `${name}1` })), new Lock({ name: `${name}2` })];
      track(two);
      const condition = track(new Condition(one, { name: nameOf(4096, 'c') }));
      assert.throws(() => new Condition(two, { name: condition.name }), {
        name: 'IncompatibleError',
      });
      const there = await sharedActor('process');
      const remote = await there.attach(condition.toJSON());
      await remote.close();
    });
  });

  it('Python opens its posixName', async function () {
    if (spawnSync('python3', ['-c', 'import _multiprocessing']).status !== 0) this.skip();
    const script = fileURLToPath(new URL('../programs/semaphore.py', import.meta.url));
    const name = nameOf(4096);
    const semaphore = track(new Semaphore(1, { name }));
    assert.match(semaphore.posixName, /^\/hf-[0-9a-f-]{26}$/);
    const holder = new Program('python3', { args: [script, semaphore.posixName, 'hold'] });
    await holder.line('holds');
    assert.equal(semaphore.tryAcquire(), false);
    const there = await (await sharedActor('process')).open('Semaphore', { name });
    await assertRejects(there.acquire({ timeout: 20 }), 'TimeoutError');
    holder.closeInput();
    await (await there.acquire({ timeout: 10_000 })).release();
    assert.deepEqual(await holder.end(), { code: 0, signal: null });
  });
});
