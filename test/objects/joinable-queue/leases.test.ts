// JoinableQueue: leased items and end(), the limits, and the ring.
import assert from 'node:assert/strict';
import type { Task } from 'holdfast';
import {
  RemoteObject,
  assertRejects,
  assertThrows,
  forms,
  newProcess,
  sharedActors,
  stateOf,
  twoSlices,
  within,
} from '../../support/index.js';
import { open, there, counts, takes, waitsToTake } from './helpers.js';

describe('JoinableQueue', () => {
  it('what comes back keeps its place, also when all before it has left the ring', () => {
    const queue = open();
    queue.putManySync([1, 2, 3, 4]);
    const [one, two, three, four] = [1, 2, 3, 4].map(() => queue.takeSync());
    three!.retry();
    one!.retry();
    assert.equal(queue.tryGet(), 1);
    two!.done(); // now 3 is the first, and the queue has last looked at 2
    four!.retry();
    assert.deepEqual([queue.tryGet(), queue.tryGet(), queue.tryGet()], [3, 4, undefined]);
  });

  it('end(): takers wait while a lease may come back, and then are told', async () => {
    const [actor] = await sharedActors('process', 1);
    for (const form of forms) {
      const queue = open();
      const remote = await there(actor!, queue);
      queue.putManySync([1, 2]);
      const [one, two] = [queue.takeSync(), queue.takeSync()];
      queue.end();
      assertThrows(() => queue.tryPut(3), 'EndedError');
      const first = await waitsToTake(remote, queue, form);
      const second = queue.take();
      await twoSlices();
      assert.equal(await stateOf(second), 'pending');
      one!.retry();
      const again = await Promise.race([
        within(first.taken, 'a take').then(() => new RemoteObject(actor!, first.taken.id)),
        within(second, 'a take'),
      ]);
      const last = again instanceof RemoteObject ? second : first.taken;
      two!.done();
      await twoSlices();
      assert.equal(await stateOf(last), 'pending', 'one may still come back');
      const joined = queue.join();
      if (again instanceof RemoteObject) await again.call('done');
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
      const [other] = await sharedActors('process', 1);
      const queue = open();
      queue.putSync(1);
      const victim = await newProcess();
      await takes(await there(victim, queue));
      queue.end();
      const { taken } = await waitsToTake(await there(other!, queue), queue, form);
      await victim.kill();
      assert.equal((await within(taken, 'the item')).deliveries, 2);
      await new RemoteObject(other!, taken.id).call('done');
      assertThrows(() => queue.tryTake(), 'EndedError');
    }
  });

  it('size(), empty() and inspect() count the item of a dead taker, without a look before', async () => {
    const [other] = await sharedActors('process', 1);
    const queue = open();
    const elsewhere = await there(other!, queue);
    queue.putManySync([1, 2, 3]);
    const kept = queue.takeSync();
    const victim = await newProcess();
    const remote = await there(victim, queue);
    await takes(remote);
    await takes(remote);
    assert.equal(queue.empty(), true);
    assert.equal(await elsewhere.call('size'), 0);
    await victim.kill();
    assert.equal(queue.empty(), false);
    assert.deepEqual(counts(queue), { size: 2, leased: 1, unfinished: 3 });
    assert.equal(await elsewhere.call('size'), 2);
    const again = queue.takeSync();
    assert.equal(again.value, 2);
    assert.equal(await elsewhere.call('size'), 1);
    again.done();
    kept.done();
  });

  it('maxSize counts leased items, and not the tombstones behind them', async () => {
    const queue = open({ maxSize: 3 });
    queue.putManySync([1, 2, 3]);
    const tasks = [queue.takeSync(), queue.takeSync(), queue.takeSync()];
    assert.equal(queue.full(), true);
    assert.equal(queue.tryPut(4), false);
    const put = queue.put(4);
    assert.equal(await stateOf(put), 'pending');
    // They are behind the first one, which stays in the ring.
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
    const [actor] = await sharedActors('process', 1);
    const queue = open<Buffer>({ codec: 'buffer' });
    const item = (i: number) => Buffer.alloc(1000 + 37 * i, i);
    const tasks: Task<Buffer>[] = [];
    const capacities = new Set<number>();
    for (let i = 0; i < 200; i++) {
      queue.putSync(item(i));
      capacities.add(queue.inspect().capacity);
      if (i % 3 !== 0) tasks.push(queue.takeSync());
      // The head passes the end of the ring many times while the ring grows.
      if (i % 5 === 0) tasks.shift()?.done();
      if (i % 7 === 0) tasks.pop()?.retry();
    }
    assert.ok(capacities.size >= 4, [...capacities].join(' '));
    for (const task of tasks) {
      assert.deepEqual(task.value, item(task.value[0]!));
      task.retry();
    }
    // Each item is there once, and its bytes and its place are right.
    const remote = await there(actor!, queue as never);
    const seen = new Set<number>();
    let last = -1;
    for (let left = queue.size(); left > 0; left--) {
      const task = await takes(remote);
      const bytes = Buffer.from(task.value as Uint8Array);
      assert.deepEqual(bytes, item(bytes[0]!));
      assert.ok(bytes[0]! > last, 'in order');
      seen.add((last = bytes[0]!));
      await task.done();
    }
    assert.equal(queue.unfinished(), 0);
    assert.equal(queue.inspect().bytes, 0);
  });

  it('the bytes of tombstones come back when the lease before them ends', async () => {
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
});
