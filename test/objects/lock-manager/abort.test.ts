// LockManager: signals and timeouts.
import assert from 'node:assert/strict';
import { getEventListeners } from 'node:events';
import { assertRejects, now, stateOf, within } from '../../support/index.js';
import { Holding, assertFree, counts, hold, open, rejection } from './helpers.js';

const shared = { mode: 'shared' } as const;
const never = () => assert.fail('the callback was called');
const listeners = (signal: AbortSignal) => getEventListeners(signal, 'abort').length;

describe('LockManager, signal', () => {
  it('aborted before the call: rejects with the reason, whatever it is; nothing is queued', async () => {
    const manager = open();
    for (const reason of [new Error('mine'), 'text', null, 0]) {
      const signal = AbortSignal.abort(reason);
      assert.equal(await rejection(manager.request('it', { signal }, never)), reason);
    }
    const plain = await rejection(manager.request('it', { signal: AbortSignal.abort() }, never));
    assert.equal((plain as DOMException).name, 'AbortError');
    assert.equal((plain as DOMException).code, DOMException.ABORT_ERR);
    await assertFree(manager, 'it');
    assert.equal(manager.inspect().contentions, 0);
  });

  it('while it waits: leaves the queue, and who was behind it is granted', async () => {
    const manager = open();
    const reader = await hold(manager, 'it', shared);
    const controller = new AbortController();
    const writer = new Holding(manager, 'it', { signal: controller.signal });
    const behind = new Holding(manager, 'it', shared);
    assert.equal(await stateOf(behind.granted), 'pending');
    const reason = new Error('mine');
    controller.abort(reason);
    assert.equal(await rejection(writer.result), reason);
    await behind.granted;
    assert.deepEqual(await counts(manager, 'it'), [2, 0]);
    assert.equal(writer.isGranted, false);
    await Promise.all([reader.release(), behind.release()]);
    await assertFree(manager, 'it');
  });

  it('in the middle of the queue: the others keep their order', async () => {
    const manager = open();
    const held = await hold(manager, 'it');
    const order: number[] = [];
    const controllers = Array.from({ length: 6 }, () => new AbortController());
    const all = controllers.map(({ signal }, i) =>
      manager.request('it', { signal }, () => order.push(i)),
    );
    for (const i of [3, 0, 5]) controllers[i]!.abort();
    const ended = Promise.allSettled(all);
    await held.release();
    await within(ended, 'all requests');
    assert.deepEqual(order, [1, 2, 4]);
    await assertFree(manager, 'it');
  });

  it('between grant and callback: releases, and does not call back', async () => {
    const manager = open();
    const controller = new AbortController();
    const reason = new Error('mine');
    const request = manager.request('it', { signal: controller.signal }, never);
    const behind = new Holding(manager, 'it');
    assert.equal(manager.inspect().grants, 1, 'it is granted');
    controller.abort(reason);
    assert.equal(await rejection(request), reason);
    await behind.granted;
    await behind.release();
    await assertFree(manager, 'it');
  });

  it('after the grant it is ignored, and its listener is gone before the callback runs', async () => {
    const manager = open();
    const controller = new AbortController();
    const { signal } = controller;
    const request = manager.request('it', { signal }, async () => {
      assert.equal(listeners(signal), 0);
      controller.abort();
      assert.deepEqual(await counts(manager, 'it'), [1, 0]);
      return 'done';
    });
    assert.equal(listeners(signal), 1);
    assert.equal(await request, 'done');
    await assertFree(manager, 'it');
  });

  it('one signal with many requests has one listener, which goes with the last of them', async () => {
    const manager = open();
    const held = await hold(manager, 'it');
    const controller = new AbortController();
    const { signal } = controller;
    const some = Array.from({ length: 50 }, () => new Holding(manager, 'it', { signal }));
    assert.equal(listeners(signal), 1);
    controller.abort();
    for (const one of some) await rejection(one.result);
    assert.equal(listeners(signal), 0);
    assert.deepEqual(await counts(manager, 'it'), [1, 0]);
    await held.release();
  });

  it('an abort is heard although another listener stops the event', async () => {
    const manager = open();
    const held = await hold(manager, 'it');
    const controller = new AbortController();
    controller.signal.addEventListener('abort', (event) => event.stopImmediatePropagation());
    const request = manager.request('it', { signal: controller.signal }, never);
    const reason = new Error('mine');
    controller.abort(reason);
    assert.equal(await rejection(request), reason);
    await held.release();
    await assertFree(manager, 'it');
  });

  it('a listener may request, and abort others', async () => {
    const manager = open();
    const held = await hold(manager, 'it');
    const [first, second] = [new AbortController(), new AbortController()];
    const a = manager.request('it', { signal: first.signal }, never);
    const b = manager.request('it', { signal: second.signal }, never);
    let c: Promise<unknown> | undefined;
    first.signal.addEventListener('abort', () => {
      second.abort('second');
      c = manager.request('it', () => 'c');
    });
    first.abort('first');
    assert.deepEqual([await rejection(a), await rejection(b)], ['first', 'second']);
    await held.release();
    assert.equal(await within(c!, 'c'), 'c');
  });

  it('acquire() takes a signal, too', async () => {
    const manager = open();
    using held = await manager.acquire('it');
    const controller = new AbortController();
    const waits = manager.acquire('it', { signal: controller.signal });
    controller.abort('mine');
    assert.equal(await rejection(waits), 'mine');
    held.release();
    await assertFree(manager, 'it');
  });
});

describe('LockManager, timeout', () => {
  it('ends a wait with TimeoutError, not before its time; who was behind it is granted', async () => {
    const manager = open();
    const about = { kind: 'LockManager', objectName: manager.namespace };
    const reader = await hold(manager, 'it', shared);
    for (const timeout of [0, 0.5, 30]) {
      const began = now();
      const writer = manager.request('it', { timeout }, never);
      const behind = new Holding(manager, 'it', shared);
      await assertRejects(writer, 'TimeoutError', about);
      assert.ok(now() - began >= timeout);
      await behind.granted;
      await behind.release();
    }
    await reader.release();
    await assertFree(manager, 'it');
  });

  it('does not matter when the lock is free, or granted in time', async () => {
    const manager = open();
    for (const timeout of [0, 1, 2 ** 31 - 1]) {
      assert.equal(await manager.request('it', { timeout }, () => 'done'), 'done');
    }
    const held = await hold(manager, 'it');
    const waits = new Holding(manager, 'it', { timeout: 20_000 });
    await held.release();
    await waits.granted;
    await waits.release();
  });

  it('with a signal: what comes first ends it', async () => {
    const manager = open();
    const held = await hold(manager, 'it');
    const controller = new AbortController();
    const { signal } = controller;
    await assertRejects(manager.request('it', { signal, timeout: 5 }, never), 'TimeoutError');
    assert.equal(listeners(signal), 0);
    const other = manager.request('it', { signal, timeout: 20_000 }, never);
    controller.abort('mine');
    assert.equal(await rejection(other), 'mine');
    await held.release();
    await assertFree(manager, 'it');
  });

  it('of acquire() and of requestSync()', async () => {
    const manager = open();
    const held = await hold(manager, 'it');
    await assertRejects(manager.acquire('it', { timeout: 5 }), 'TimeoutError');
    const began = now();
    assert.throws(() => manager.requestSync('it', { timeout: 30 }, never), {
      name: 'TimeoutError',
    });
    assert.ok(now() - began >= 30);
    assert.deepEqual(await counts(manager, 'it'), [1, 0]);
    await held.release();
  });
});
