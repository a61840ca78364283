// JoinableQueue: what was put counts until it is worked off; what was leased comes back unless it is.
// The first part follows CPython's TestQueue.test_task_done and what its documentation says of join().
import assert from 'node:assert/strict';
import {
  type Handle,
  JoinableQueue,
  type QueueOptions,
  Lock,
  Process,
  Queue,
  type Task,
  attach,
  list,
  unlink,
} from 'holdfast';
import { Far, actors, attachIn, make, opens, stateOf, useFar } from '../../support/remote.js';
import {
  type Actor,
  assertRejects,
  assertThrows,
  forms,
  freshName,
  joinable,
  newActor,
  newProcess,
  now,
  sharedActor,
  twoSlices,
  until,
  within,
  writeWord,
} from '../../support/index.js';

const elsewhere = ['process', 'worker'] as const;

function open<T = number>(options: QueueOptions<T> = {}): JoinableQueue<T> {
  return opens(new JoinableQueue<T>({ name: freshName('joinable queue'), ...options }));
}

function there(actor: Actor, queue: JoinableQueue<never> | JoinableQueue): Promise<Far> {
  return make(actor, 'JoinableQueue', { name: queue.name, mustExist: true });
}

const counts = (queue: JoinableQueue) => {
  const { size, leased, unfinished } = queue.inspect();
  return { size, leased, unfinished };
};

/** Leases one item over there. */
async function takes(far: Far, form: 'async' | 'sync' = 'async') {
  const task = await far.keep(form === 'sync' ? 'takeSync' : 'take');
  const { value, deliveries } = task;
  return {
    value,
    deliveries,
    done: () => task.far.call('done'),
    retry: () => task.far.call('retry'),
  };
}

/** A take that waits; resolves to its call when it does. */
async function waitsToTake(far: Far, witness: JoinableQueue, form: 'async' | 'sync') {
  const before = witness.inspect().getters;
  const taken = far.start<{ value: number; deliveries: number }>(
    form === 'sync' ? 'takeSync' : 'take',
  );
  await until(() => witness.inspect().getters === before + 1, `a ${form} take`);
  return { taken };
}

const plain = ({ value, deliveries }: { value: unknown; deliveries?: number | undefined }) => ({
  value,
  deliveries,
});

describe('JoinableQueue', () => {
  useFar();

  describe('cells', () => {
    it('across processes', async () => {
      const [first, second] = await actors('process', 2);
      const queue = open();
      const [a, b] = [await there(first!, queue), await there(second!, queue)];
      const joined = b.start('join');
      await joined; // nothing was put
      for (let i = 0; i < 10; i++) await a.call('put', i);
      const waits = a.start('joinSync');
      await until(() => queue.inspect().joiners === 1, 'a join');
      for (let i = 0; i < 10; i++) {
        if (i % 2 === 0) {
          assert.equal(await b.call('get'), i);
          await b.call('taskDone');
        } else {
          const task = await takes(b);
          assert.deepEqual(plain(task), { value: i, deliveries: 1 });
          await task.done();
        }
        assert.equal(queue.unfinished(), 9 - i);
      }
      await within(waits, 'join()');
    });

    it('in workers', async () => {
      const [first, second] = await actors('worker', 2);
      const queue = open();
      const [a, b] = [await there(first!, queue), await there(second!, queue)];
      for (let i = 0; i < 4; i++) queue.putSync(i);
      const joined = queue.join();
      const tasks = [
        await takes(a),
        await takes(b, 'sync'),
        await takes(a, 'sync'),
        await takes(b),
      ];
      assert.deepEqual(
        tasks.map(({ value }) => value),
        [0, 1, 2, 3],
      );
      assert.deepEqual(counts(queue), { size: 0, leased: 4, unfinished: 4 });
      for (const task of tasks.reverse()) await task.done();
      await within(joined, 'join()');
    });

    it('sync', async () => {
      const [actor] = await actors('process', 1);
      const queue = open();
      const far = await there(actor!, queue);
      const { taken } = await waitsToTake(far, queue, 'sync');
      queue.putSync(7);
      assert.equal((await within(taken, 'takeSync()')).value, 7);
      // They are done while this thread is blocked.
      queue.putSync(8);
      const works = far.start('getSync');
      const says = works.then(() => far.start('taskDone'));
      await works;
      const settles = new Far(actor!, taken.id, '').start('done');
      await Promise.all([says, settles]);
      queue.joinSync({ timeout: 20_000 });
      assert.throws(() => queue.taskDone());
    });

    it('async', async () => {
      const queue = open();
      const order: string[] = [];
      const worker = async (title: string) => {
        for (;;) {
          const task = await queue.take();
          order.push(`${title} ${task.value}`);
          await new Promise((resolve) => setImmediate(resolve));
          task.done();
        }
      };
      const workers = ['a', 'b'].map((title) => worker(title).catch((error) => error.code));
      for (let i = 0; i < 6; i++) await queue.put(i);
      await within(queue.join(), 'join()');
      assert.deepEqual(
        order.map((entry) => entry.slice(2)),
        ['0', '1', '2', '3', '4', '5'],
      );
      queue.end();
      assert.deepEqual(await Promise.all(workers), ['ERR_HOLDFAST_ENDED', 'ERR_HOLDFAST_ENDED']);
    });

    it('timeout', async () => {
      const queue = open();
      const about = { kind: 'JoinableQueue', objectName: queue.name };
      const lasts = async (ms: number, wait: () => unknown) => {
        const began = now();
        await assertRejects((async () => wait())(), 'TimeoutError', about);
        assert.ok(now() - began >= ms);
      };
      await lasts(30, () => queue.take({ timeout: 30 }));
      await lasts(30, () => queue.takeSync({ timeout: 30 }));
      await lasts(0, () => queue.take({ timeout: 0 }));
      assert.equal(queue.tryTake(), undefined);
      queue.putSync(1);
      await lasts(30, () => queue.join({ timeout: 30 }));
      await lasts(30, () => queue.joinSync({ timeout: 30 }));
      await lasts(0, () => queue.joinSync({ timeout: 0 }));
      // A take that gave up has leased nothing.
      const task = await queue.take({ timeout: 0 });
      assert.deepEqual(plain(task), { value: 1, deliveries: 1 });
      await lasts(20, () => queue.take({ timeout: 20 }));
      task.done();
      await queue.join({ timeout: 0 });
    });

    it('abort', async () => {
      const queue = open();
      const reason = new Error('enough');
      for (const wait of ['take', 'join'] as const) {
        if (wait === 'join') queue.putSync(1);
        await assert.rejects(queue[wait]({ signal: AbortSignal.abort(reason) }), reason);
        const controller = new AbortController();
        const during = queue[wait]({ signal: controller.signal });
        await twoSlices();
        controller.abort(reason);
        await assert.rejects(during, reason);
      }
      // In the turn in which the item is there: it is neither taken nor lost.
      const controller = new AbortController();
      (await queue.take()).done();
      const wait = queue.take({ signal: controller.signal });
      controller.abort(reason);
      queue.putSync(2);
      await assert.rejects(wait, reason);
      const task = await queue.take();
      assert.deepEqual(plain(task), { value: 2, deliveries: 1 });
      task.done();
    });

    // A lease is what one holds here.
    it('killed while holding', async () => {
      const [other] = await actors('process', 1);
      for (const place of elsewhere) {
        for (const form of forms) {
          const queue = open();
          const victim = await newActor(place);
          const [far, waiter] = [await there(victim, queue), await there(other!, queue)];
          queue.putSync(5);
          queue.putSync(6);
          await takes(far, form);
          await takes(far, form);
          assert.deepEqual(counts(queue), { size: 0, leased: 2, unfinished: 2 });
          const { taken } = await waitsToTake(waiter, queue, form);
          const joined = queue.join();
          await victim.kill();
          assert.deepEqual(await within(taken, `${place}, ${form}: the lease of the dead`), {
            abandoned: undefined,
            value: 5,
            deliveries: 2,
          });
          const task = queue.takeSync({ timeout: 20_000 });
          assert.deepEqual(plain(task), { value: 6, deliveries: 2 });
          assert.equal(await stateOf(joined), 'pending');
          task.done();
          await new Far(other!, taken.id, '').call('done');
          await within(joined, 'join()');
        }
      }
    });

    it('killed while waiting', async () => {
      const [other] = await actors('process', 1);
      for (const place of elsewhere) {
        for (const form of forms) {
          const queue = open();
          const victim = await newActor(place);
          const [far, waiter] = [await there(victim, queue), await there(other!, queue)];
          await waitsToTake(far, queue, form);
          const { taken } = await waitsToTake(waiter, queue, form);
          await victim.kill();
          queue.putSync(1);
          // The ring may have gone to the dead; the item has not.
          assert.equal((await within(taken, 'the item')).deliveries, 1);

          const joins = await newActor(place);
          void (await there(joins, queue)).start(form === 'sync' ? 'joinSync' : 'join');
          await until(() => queue.inspect().joiners === 1, 'a join');
          await joins.kill();
          assert.equal(queue.inspect().joiners, 0);
          await new Far(other!, taken.id, '').call('done');
          await within(queue.join(), 'join()');
        }
      }
    });

    // Who puts or settles is killed at every instant in joinable-queue-kills.test.ts. Here: right after.
    it('killed while notifying', async () => {
      const [other] = await actors('process', 1);
      for (const place of elsewhere) {
        const queue = open();
        const victim = await newActor(place);
        const [far, waiter] = [await there(victim, queue), await there(other!, queue)];
        const { taken } = await waitsToTake(waiter, queue, 'sync');
        void far.start('putSync', 3);
        await until(() => queue.inspect().puts === 1, 'the put');
        await victim.kill();
        assert.equal((await within(taken, 'the item')).value, 3);
        const joined = queue.join();
        await new Far(other!, taken.id, '').call('done');
        await within(joined, 'join()');
      }
    });
  });

  // -------------------------------------------------------------- join and taskDone

  describe('join() and taskDone(), as in Python', () => {
    it('join() waits for as many taskDone() as there were puts', async () => {
      const four = await actors('process', 4);
      const queue = open();
      const ends = await Promise.all(
        four.map(async (actor, i) => {
          const far = await there(actor, queue);
          return {
            items: actor.act<number[]>('workBothWays', { queue: far.id, seed: 2 * i }, 30_000),
          };
        }),
      );
      for (let i = 0; i < 10; i++) await queue.put(i);
      await within(queue.join(), 'join()');
      assert.equal(queue.unfinished(), 0);
      queue.end();
      const items = (await Promise.all(ends.map(({ items }) => items))).flat();
      assert.deepEqual(
        items.toSorted((a, b) => a - b),
        [0, 1, 2, 3, 4, 5, 6, 7, 8, 9],
      );
    });

    it('taskDone() too often is an OverReleaseError; it is for what get() took', async () => {
      const queue = open();
      assertThrows(() => queue.taskDone(), 'OverReleaseError', { kind: 'JoinableQueue' });
      queue.putSync(1);
      assertThrows(() => queue.taskDone(), 'OverReleaseError');
      const task = queue.takeSync();
      assertThrows(() => queue.taskDone(), 'OverReleaseError');
      task.done();
      queue.putManySync([1, 2, 3]);
      assert.deepEqual(queue.getManySync(3), [1, 2, 3]);
      assert.equal(queue.unfinished(), 3);
      for (let i = 0; i < 3; i++) queue.taskDone();
      assertThrows(() => queue.taskDone(), 'OverReleaseError');
    });

    it('anybody says it for anybody; every join() ends', async () => {
      const [a, b] = await actors('process', 2);
      const queue = open();
      const joins: Promise<unknown>[] = [];
      queue.putSync(1);
      for (const actor of [a!, b!]) {
        const far = await there(actor, queue);
        joins.push(actor === a ? far.start('join') : far.start('joinSync'), queue.join());
      }
      await until(() => queue.inspect().joiners === 4, 'four joins');
      assert.equal(await queue.get(), 1);
      await twoSlices();
      assert.deepEqual(await Promise.all(joins.map(stateOf)), Array(4).fill('pending'));
      await (await there(a!, queue)).call('taskDone');
      await within(Promise.all(joins), 'all of them');
    });

    it('what a killed consumer had got is lost: join() waits for it', async () => {
      const queue = open();
      const victim = await newProcess();
      queue.putSync(1);
      await (await there(victim, queue)).call('get');
      await victim.kill();
      await assertRejects(queue.join({ timeout: 120 }), 'TimeoutError');
      assert.equal(queue.unfinished(), 1);
      queue.taskDone();
      await queue.join();
    });
  });

  // -------------------------------------------------------------- leases

  describe('take()', () => {
    it('leases: the item counts, and nobody else gets it, until done()', async () => {
      const queue = open();
      queue.putManySync([1, 2]);
      const task = await queue.take();
      assert.deepEqual(plain(task), { value: 1, deliveries: 1 });
      assert.deepEqual(counts(queue), { size: 1, leased: 1, unfinished: 2 });
      assert.equal(await queue.get(), 2);
      assert.equal(queue.tryGet(), undefined);
      assert.equal(queue.empty(), true);
      task.done();
      task.done();
      task.retry();
      assert.deepEqual(counts(queue), { size: 0, leased: 0, unfinished: 1 });
      queue.taskDone();
      const { gets, bytes } = queue.inspect();
      assert.deepEqual({ gets, bytes }, { gets: 2, bytes: 0 });
    });

    it('retry(): it is the next to be had, in its old place', async () => {
      const [actor] = await actors('process', 1);
      const queue = open();
      const far = await there(actor!, queue);
      queue.putManySync([1, 2, 3, 4, 5]);
      const [one, two, three] = [queue.takeSync(), queue.takeSync(), queue.takeSync()];
      three!.retry();
      one!.retry();
      one!.retry();
      one!.done(); // it is not its any more
      assert.deepEqual(counts(queue), { size: 4, leased: 1, unfinished: 5 });
      assert.deepEqual(plain(await takes(far)), { value: 1, deliveries: 2 });
      assert.deepEqual(plain(await takes(far)), { value: 3, deliveries: 2 });
      assert.deepEqual(plain(await takes(far)), { value: 4, deliveries: 1 });
      two!.retry();
      const again = queue.takeSync();
      assert.deepEqual(plain(again), { value: 2, deliveries: 2 });
      again.done();
      for (let deliveries = 1; deliveries <= 5; deliveries++) {
        const task = queue.takeSync();
        assert.deepEqual(plain(task), { value: 5, deliveries });
        task.retry();
      }
    });

    it('retry() wakes who waits', async () => {
      const [actor] = await actors('process', 1);
      const queue = open();
      const far = await there(actor!, queue);
      for (const form of forms) {
        queue.putSync(1);
        const mine = queue.takeSync();
        const { taken } = await waitsToTake(far, queue, form);
        mine.retry();
        assert.equal((await within(taken, 'the take')).deliveries, 2);
        await new Far(actor!, taken.id, '').call('done');
      }
    });

    it('using: given back unless it is done', async () => {
      const queue = open();
      queue.putSync(1);
      const use = (done: boolean) => {
        const task = queue.takeSync();
        try {
          if (done) task.done();
          return task.deliveries;
        } finally {
          task[Symbol.dispose]();
        }
      };
      assert.equal(use(false), 1);
      assert.equal(queue.size(), 1);
      assert.equal(use(true), 2);
      assert.equal(queue.unfinished(), 0);
    });

    it('the task of a lease that is over cannot settle the next one', async () => {
      const queue = open();
      queue.putSync(1);
      const first = queue.takeSync();
      first.retry();
      const second = queue.takeSync();
      first.done();
      first[Symbol.dispose]();
      assert.deepEqual(counts(queue), { size: 0, leased: 1, unfinished: 1 });
      second.done();
      assert.deepEqual(counts(queue), { size: 0, leased: 0, unfinished: 0 });
    });

    it('first come, first served, with get() as well', async () => {
      const queue = open();
      const order: string[] = [];
      const takes = (task: Task<number>) => {
        order.push(`take ${task.value}`);
        task.done();
      };
      const waits = [
        queue.take().then(takes),
        queue.get().then((value) => order.push(`get ${value}`)),
        queue.take().then(takes),
        queue.getMany(5).then((values) => order.push(`getMany ${values}`)),
      ];
      queue.putManySync([1, 2, 3, 4, 5]);
      await within(Promise.all(waits), 'all four');
      assert.deepEqual(order, ['take 1', 'get 2', 'take 3', 'getMany 4,5']);
    });

    it('a deliveries count for each death: worker, process, worker', async () => {
      const queue = open();
      queue.putSync(1);
      for (const [i, place] of (['worker', 'process', 'worker'] as const).entries()) {
        const victim = await newActor(place);
        const task = await takes(await there(victim, queue));
        assert.equal(task.deliveries, i + 1);
        await victim.kill();
      }
      // tryTake() alone finds it, too.
      let task: Task<number> | undefined;
      await until(() => (task = queue.tryTake()) !== undefined, 'the lease of the dead');
      assert.equal(task!.deliveries, 4);
      task!.done();
    });

    it('a thread that ends by itself gives its leases back', async () => {
      const queue = open();
      queue.putManySync([1, 2]);
      for (const place of elsewhere) {
        const actor = await newActor(place);
        await takes(await there(actor, queue));
        const mine = queue.takeSync();
        const next = queue.take();
        if (place === 'process') await actor.exit();
        else await actor.crash();
        const again = await within(next, `the lease of a ${place} that has ended`);
        assert.ok(again.deliveries >= 2);
        again.retry();
        mine.retry();
      }
    });
  });

  // -------------------------------------------------------------- end, limits, growth

  it('end(): takers wait for leases that may come back, then are told', async () => {
    const [actor] = await actors('process', 1);
    for (const form of forms) {
      const queue = open();
      const far = await there(actor!, queue);
      queue.putManySync([1, 2]);
      const [one, two] = [queue.takeSync(), queue.takeSync()];
      queue.end();
      assertThrows(() => queue.tryPut(3), 'EndedError');
      const first = await waitsToTake(far, queue, form);
      const second = queue.take();
      await twoSlices();
      assert.equal(await stateOf(second), 'pending');
      one!.retry();
      const again = await Promise.race([
        within(first.taken, 'a take').then(() => new Far(actor!, first.taken.id, '')),
        within(second, 'a take'),
      ]);
      const last = again instanceof Far ? second : first.taken;
      two!.done();
      await twoSlices();
      assert.equal(await stateOf(last), 'pending', 'one may still come back');
      const joined = queue.join();
      if (again instanceof Far) await again.call('done');
      else again.done();
      await assertRejects(within(last, 'the other take'), 'EndedError');
      await within(joined, 'join()');
      assertThrows(() => queue.tryTake(), 'EndedError');
      assertThrows(() => queue.takeSync(), 'EndedError');
      await assertRejects(queue.get(), 'EndedError');
    }
  });

  it('end(), and the last taker dies: the item comes back first', async () => {
    for (const form of forms) {
      const [other] = await actors('process', 1);
      const queue = open();
      queue.putSync(1);
      const victim = await newProcess();
      await takes(await there(victim, queue));
      queue.end();
      const { taken } = await waitsToTake(await there(other!, queue), queue, form);
      await victim.kill();
      assert.equal((await within(taken, 'the item')).deliveries, 2);
      await new Far(other!, taken.id, '').call('done');
      assertThrows(() => queue.tryTake(), 'EndedError');
    }
  });

  it('maxSize counts what is leased, and not what is done behind it', async () => {
    const queue = open({ maxSize: 3 });
    queue.putManySync([1, 2, 3]);
    const tasks = [queue.takeSync(), queue.takeSync(), queue.takeSync()];
    assert.equal(queue.full(), true);
    assert.equal(queue.tryPut(4), false);
    const put = queue.put(4);
    assert.equal(await stateOf(put), 'pending');
    // Behind the first, which stays in the ring.
    tasks[2]!.done();
    await within(put, 'a put');
    assert.equal(queue.full(), true);
    tasks[1]!.retry();
    assert.equal(queue.tryPut(5), false, 'given back is not gone');
    tasks[0]!.done();
    assert.equal(queue.tryPut(5), true);
    assert.deepEqual(queue.getManySync(9), [2, 4, 5]);
  });

  it('an item that cannot be read counts as done', async () => {
    let isBroken = true;
    const codec = {
      encode: (value: unknown) => Buffer.from(String(value)),
      decode: (bytes: Uint8Array) => {
        if (isBroken) throw new Error('unreadable');
        return Number(Buffer.from(bytes).toString());
      },
    };
    const queue = open<unknown>({ codec });
    queue.putManySync([1, 2, 3, 4]);
    await assertRejects(queue.take(), 'DecodeError');
    assertThrows(() => queue.takeSync(), 'DecodeError');
    assertThrows(() => queue.tryTake(), 'DecodeError');
    isBroken = false;
    assert.deepEqual(counts(queue), { size: 1, leased: 0, unfinished: 1 });
    queue.takeSync().done();
    await queue.join();
  });

  it('grows with leases outstanding', async () => {
    const [actor] = await actors('process', 1);
    const queue = open<Buffer>({ codec: 'buffer' });
    const item = (i: number) => Buffer.alloc(1000 + 37 * i, i);
    const tasks: Task<Buffer>[] = [];
    const capacities = new Set<number>();
    for (let i = 0; i < 200; i++) {
      queue.putSync(item(i));
      capacities.add(queue.inspect().capacity);
      if (i % 3 !== 0) tasks.push(queue.takeSync());
      // The ring goes round and round while it grows, too.
      if (i % 5 === 0) tasks.shift()?.done();
      if (i % 7 === 0) tasks.pop()?.retry();
    }
    assert.ok(capacities.size >= 4, [...capacities].join(' '));
    for (const task of tasks) {
      assert.deepEqual(task.value, item(task.value[0]!));
      task.retry();
    }
    // Each is there once, its bytes and its place intact.
    const far = await there(actor!, queue as never);
    const seen = new Set<number>();
    let last = -1;
    for (let left = queue.size(); left > 0; left--) {
      const task = await takes(far);
      const bytes = Buffer.from(task.value as Uint8Array);
      assert.deepEqual(bytes, item(bytes[0]!));
      assert.ok(bytes[0]! > last, 'in order');
      seen.add((last = bytes[0]!));
      await task.done();
    }
    assert.equal(queue.unfinished(), 0);
    assert.equal(queue.inspect().bytes, 0);
  });

  it('what is done behind a lease gives its bytes back with it', async () => {
    const queue = open<Buffer>({ codec: 'buffer', maxBytes: 65_536 });
    const slow = (queue.putSync(Buffer.alloc(100)), queue.takeSync());
    let put = 0;
    while (queue.tryPut(Buffer.alloc(1000))) {
      queue.takeSync().done();
      put++;
    }
    assert.ok(put > 50 && put < 66, String(put));
    assert.deepEqual(counts(queue as never), { size: 0, leased: 1, unfinished: 1 });
    const waiting = queue.put(Buffer.alloc(1000));
    assert.equal(await stateOf(waiting), 'pending');
    slow.done();
    await within(waiting, 'a put');
    assert.equal(queue.size(), 1);
  });

  it('a dead lease at the head of a full ring does not stop it for ever', async () => {
    const queue = open<Buffer>({ codec: 'buffer', maxBytes: 65_536 });
    queue.putSync(Buffer.alloc(100));
    const victim = await newProcess();
    await takes(await there(victim, queue as never));
    await victim.kill();
    let items = 0;
    let again = 0;
    const work = async () => {
      for await (const _ of Array(500)) {
        const task = await queue.take();
        if (task.deliveries > 1) again++;
        else items++;
        task.done();
      }
    };
    const working = work();
    for (let i = 0; i < 499; i++) await within(queue.put(Buffer.alloc(1000)), `put ${i}`);
    await within(working, 'the worker');
    assert.deepEqual({ items, again }, { items: 499, again: 1 });
    await queue.join();
  });

  it('get() and take() mixed in many processes and threads: each item once', async () => {
    const workers = [
      ...(await actors('process', 3)),
      ...(await actors('worker', 2)),
      await sharedActor('thread'),
    ];
    const queue = open({ maxSize: 50 });
    const ends = [];
    for (const [i, actor] of workers.entries()) {
      const far = await there(actor, queue);
      ends.push(actor.act<number[]>('workBothWays', { queue: far.id, seed: i }, 30_000));
    }
    const items = 3000;
    for (let i = 0; i < items; i++) await queue.put(i);
    await within(queue.join(), 'join()');
    queue.end();
    const all = (await Promise.all(ends)).flat();
    assert.deepEqual(
      all.toSorted((a, b) => a - b),
      Array.from({ length: items }, (_, i) => i),
    );
    const { puts, gets, leased, unfinished } = queue.inspect();
    assert.deepEqual(
      { puts, gets, leased, unfinished },
      { puts: items, gets: items, leased: 0, unfinished: 0 },
    );
  });

  // -------------------------------------------------------------- names

  describe('names', () => {
    it('attach(), toJSON(), another kind or other limits', async () => {
      const [actor] = await actors('process', 1);
      for (const name of [freshName('joinable queue'), undefined]) {
        const queue = opens(new JoinableQueue<number>({ name, maxSize: 9 }));
        const handle: Handle<'JoinableQueue'> = JSON.parse(JSON.stringify(queue));
        assert.deepEqual(handle, { holdfast: 'JoinableQueue', name: queue.name });
        const again = opens(attach(handle));
        assert.ok(again instanceof JoinableQueue && again instanceof Queue);
        queue.putSync(1);
        await (await takes(await attachIn(actor!, handle))).done();
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
        const plainQueue = opens(new Queue({ name: freshName('queue') }));
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

    it('a persistent one whose users all died with leases', async () => {
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
      const queue = opens(new JoinableQueue<number>({ name, mustExist: true }));
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
      const module = new URL('../../programs/far-process.mjs', import.meta.url);
      const child = new Process({ module, export: 'work' }, { args: [queue] }).start();
      await within(queue.join(), 'join()');
      assert.equal(await child.join({ timeout: 20_000 }), true);
      assert.equal(child.exitCode, 0);
    });
  });

  describe('what is counted beside the records was written over: no item stays hidden', () => {
    const tail = 3n * 4n; // three records of four units: head, owner, deliveries, a number
    const cases: [title: string, at: number, value: bigint][] = [
      ['the first ready one is said to be behind all', joinable.ready, tail],
      ['the first ready one is said to be the second', joinable.ready, 4n],
      ['the first ready one is said to be nowhere', joinable.ready, 2n ** 64n - 1n],
      ['everything is leased', joinable.leased, 3n],
      ['everything is done', joinable.tombstones, 3n],
      ['more is done than was ever put', joinable.tombstones, 2n ** 63n],
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

    it('what is leased is said to be ready', () => {
      const queue = open();
      queue.putManySync([0, 1, 2]);
      const tasks = [0, 1, 2].map(() => queue.takeSync({ timeout: 1000 }));
      writeWord(queue.name, joinable.leased, 0n);
      assert.equal(queue.tryTake(), undefined);
      assert.deepEqual(counts(queue), { size: 0, leased: 3, unfinished: 3 });
      for (const task of tasks) task.done();
    });

    it('and where the records make no sense: CorruptError', () => {
      const queue = open();
      queue.putManySync([0, 1, 2]);
      writeWord(queue.name, 8192, 2n ** 32n - 1n); // the first one's length
      assertThrows(() => queue.tryTake(), 'CorruptError', { kind: 'JoinableQueue' });
      assertThrows(() => queue.tryGet(), 'CorruptError', { kind: 'JoinableQueue' });
    });
  });

  it('close(): waits end; not while this thread has leased something through it', async () => {
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
