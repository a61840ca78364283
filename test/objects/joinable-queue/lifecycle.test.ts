// JoinableQueue: its name and its file, a file that was written over, close(), inspect(), wrong
// arguments.
import assert from 'node:assert/strict';
import { type Handle, JoinableQueue, Lock, Process, Queue, attach, list, unlink } from 'holdfast';
import {
  assertRejects,
  assertThrows,
  freshName,
  queueBody,
  newActor,
  newProcess,
  sharedActors,
  stateOf,
  track,
  within,
  writeWord,
} from '../../support/index.js';
import { open, there, counts, takes } from './helpers.js';

describe('JoinableQueue', () => {
  describe('names', () => {
    it('attach(), toJSON(), another kind or other limits', async () => {
      const [actor] = await sharedActors('process', 1);
      for (const name of [freshName('joinable queue'), undefined]) {
        const queue = track(new JoinableQueue<number>({ name, maxSize: 9 }));
        const handle: Handle<'JoinableQueue'> = JSON.parse(JSON.stringify(queue));
        assert.deepEqual(handle, { holdfast: 'JoinableQueue', name: queue.name });
        const again = track(attach(handle));
        assert.ok(again instanceof JoinableQueue && again instanceof Queue);
        queue.putSync(1);
        await (await takes(await actor!.attach(handle))).done();
        await again.join({ timeout: 20_000 });
        const about = { kind: 'JoinableQueue', objectName: queue.name };
        if (name === undefined) continue;
        assertThrows(() => new JoinableQueue({ name, maxSize: 8 }), 'IncompatibleError', about);
        assertThrows(
          () => new JoinableQueue({ name, codec: 'buffer' }),
          'IncompatibleError',
          about,
        );
        assertThrows(() => new Queue({ name }), 'IncompatibleError');
        assertThrows(() => new Lock({ name }), 'IncompatibleError');
        const plainQueue = track(new Queue({ name: freshName('queue') }));
        assertThrows(() => new JoinableQueue({ name: plainQueue.name }), 'IncompatibleError');
      }
    });

    it('exclusive, mustExist, persistent, unlink, list', async () => {
      const name = freshName('joinable queue');
      assertThrows(() => new JoinableQueue({ name, mustExist: true }), 'NotFoundError');
      const queue = new JoinableQueue<number>({ name, exclusive: true, persistent: true });
      assertThrows(() => new JoinableQueue({ name, exclusive: true }), 'ExistsError');
      queue.putManySync([1, 2]);
      assert.equal(queue.getSync(), 1);
      queue.close();
      const entry = () => list().find((found) => found.name === name);
      assert.deepEqual(entry(), { kind: 'JoinableQueue', name, persistent: true, inUse: false });
      const again = new JoinableQueue<number>({ name });
      assert.equal(again.unfinished(), 2, 'what was got counts for the next user, too');
      again.takeSync().done();
      again.taskDone();
      again.joinSync({ timeout: 0 });
      again.unlink();
      assertThrows(() => again.unlink(), 'NotFoundError');
      again.close();
      assert.equal(entry(), undefined);
      new JoinableQueue({ name, persistent: true }).close();
      unlink('JoinableQueue', name);
      assert.equal(entry(), undefined);
    });

    it('persistent, all its users died with leases', async () => {
      const name = freshName('joinable queue');
      const made = new JoinableQueue<number>({ name, persistent: true });
      made.putManySync([1, 2, 3, 4]);
      const victims = [await newProcess(), await newActor('worker')];
      const [a, b] = [await there(victims[0]!, made), await there(victims[1]!, made)];
      await takes(a);
      const two = await takes(b);
      await takes(a, 'sync');
      await two.done();
      made.close();
      await victims[1]!.kill();
      await victims[0]!.kill();
      assert.equal(list().find((found) => found.name === name)?.inUse, false);
      const queue = track(new JoinableQueue<number>({ name, mustExist: true }));
      queue.unlink();
      assert.equal(queue.unfinished(), 3);
      queue.end();
      const all = [];
      for (let i = 0; i < 3; i++) {
        const task = queue.takeSync({ timeout: 10_000 });
        all.push([task.value, task.deliveries]);
        task.done();
      }
      assert.deepEqual(
        all.toSorted(([x], [y]) => x! - y!),
        [
          [1, 2],
          [3, 2],
          [4, 1],
        ],
      );
      assertThrows(() => queue.takeSync(), 'EndedError');
      queue.joinSync({ timeout: 0 });
    });

    it('travels to a Process as an argument', async () => {
      const queue = open();
      queue.putManySync([1, 2, 3]);
      const module = new URL('../../programs/object-targets.mjs', import.meta.url);
      const child = new Process({ module, export: 'work' }, { args: [queue] }).start();
      await within(queue.join(), 'join()');
      assert.equal(await child.join({ timeout: 20_000 }), true);
      assert.equal(child.exitCode, 0);
    });
  });

  describe('the counts beside the records were written over: no item stays hidden', () => {
    const tail = 3n * 4n; // three records of four units: head, owner, deliveries, a number
    const cases: [title: string, at: number, value: bigint][] = [
      ['the first ready one is said to be behind all', queueBody.ready, tail],
      ['the first ready one is said to be the second', queueBody.ready, 4n],
      ['the first ready one is said to be nowhere', queueBody.ready, 2n ** 64n - 1n],
      ['everything is leased', queueBody.counts, 3n << 24n],
      ['everything is done', queueBody.counts, 3n],
      ['more is done than was ever put', queueBody.counts, 2n ** 24n - 1n],
    ];
    for (const [title, at, value] of cases) {
      it(title, () => {
        const queue = open();
        queue.putManySync([0, 1, 2]);
        writeWord(queue.name, at, value);
        const tasks = [0, 1, 2].map(() => queue.takeSync({ timeout: 1000 }));
        assert.deepEqual(tasks.map((task) => task.value).toSorted(), [0, 1, 2]);
        assert.equal(queue.tryTake(), undefined);
        for (const task of tasks) task.done();
        queue.joinSync({ timeout: 1000 });
      });
    }

    it('a leased record is marked as ready', () => {
      const queue = open();
      queue.putManySync([0, 1, 2]);
      const tasks = [0, 1, 2].map(() => queue.takeSync({ timeout: 1000 }));
      writeWord(queue.name, queueBody.counts, 0n);
      assert.equal(queue.tryTake(), undefined);
      assert.deepEqual(counts(queue), { size: 0, leased: 3, unfinished: 3 });
      for (const task of tasks) task.done();
    });

    it('records that make no sense: CorruptError', () => {
      const queue = open();
      queue.putManySync([0, 1, 2]);
      writeWord(queue.name, 8192, 2n ** 32n - 1n); // the first one's length
      assertThrows(() => queue.tryTake(), 'CorruptError', { kind: 'JoinableQueue' });
      assertThrows(() => queue.tryGet(), 'CorruptError', { kind: 'JoinableQueue' });
    });
  });

  it('close(): waits end; HeldError while this thread has a lease through it', async () => {
    const queue = open();
    const about = { kind: 'JoinableQueue', objectName: queue.name };
    const waits = [queue.take(), queue.get()];
    const other = new JoinableQueue<number>({ name: queue.name });
    queue.close();
    for (const wait of waits) await assertRejects(wait, 'ClosedError', about);
    other.putSync(1);
    const joined = other.join();
    const task = other.takeSync();
    assertThrows(() => other.close(), 'HeldError', about);
    assert.equal(await stateOf(joined), 'pending', 'still open');
    task.retry();
    other.close();
    await assertRejects(joined, 'ClosedError', about);
    assertThrows(() => other.tryTake(), 'ClosedError');
    assertThrows(() => other.taskDone(), 'ClosedError');
    assertThrows(() => other.joinSync(), 'ClosedError');
    await assertRejects(other.join(), 'ClosedError');
    await assertRejects(other.take(), 'ClosedError');
  });

  it('inspect()', async () => {
    const queue = open({ maxSize: 5, maxBytes: 65_536 });
    queue.putManySync([1, 2, 3]);
    const task = queue.takeSync();
    queue.getSync();
    const { bytes, ...state } = queue.inspect();
    assert.ok(bytes > 0 && bytes % 8 === 0);
    assert.deepEqual(state, {
      kind: 'JoinableQueue',
      name: queue.name,
      size: 1,
      delayed: 0,
      leased: 1,
      unfinished: 3,
      capacity: 65_536,
      maxSize: 5,
      maxBytes: 65_536,
      ended: false,
      getters: 0,
      putters: 0,
      joiners: 0,
      puts: 3,
      gets: 1,
      abandonments: 0,
    });
    task.done();
  });

  it('bad input', async () => {
    const anything = (value: unknown) => value as never;
    for (const maxSize of [0, -1, 1.5, NaN, 2 ** 24]) {
      assert.throws(() => new JoinableQueue({ maxSize }), RangeError);
    }
    assert.throws(() => new JoinableQueue({ maxBytes: 1 }), RangeError);
    assert.throws(() => new JoinableQueue({ maxSize: anything('1') }), TypeError);
    assert.throws(() => new JoinableQueue(anything(null)), TypeError);
    assert.throws(() => new JoinableQueue({ name: '' }), RangeError);
    assert.throws(() => new JoinableQueue({ codec: anything(1) }), TypeError);
    const queue = open();
    queue.putSync(1);
    for (const method of ['take', 'join'] as const) {
      await assert.rejects(queue[method](anything(5)), TypeError);
      await assert.rejects(queue[method]({ timeout: -1 }), RangeError);
      await assert.rejects(queue[method]({ signal: anything({}) }), TypeError);
      const sync = `${method}Sync` as const;
      assert.throws(() => queue[sync]({ timeout: NaN }), RangeError);
      const { signal } = new AbortController();
      assert.throws(() => queue[sync](anything({ signal })), TypeError);
    }
    assert.deepEqual(counts(queue), { size: 1, leased: 0, unfinished: 1 });
    await assert.rejects(queue.put(anything(undefined)), TypeError);
  });
});
