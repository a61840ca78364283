import {
  ClosedError,
  EncodeError,
  HeldError,
  HoldfastError,
  IncompatibleError,
  Lock,
  NotLockedError,
  Queue,
  Semaphore,
  SharedMemory,
} from 'holdfast';
import { equal, freshName, ok, rejects, throws } from '../expect.mjs';

export const errors = {
  'errors are instances of their classes, and have codes': () => {
    const lock = new Lock();
    const error = throws(NotLockedError, () => lock.release());
    ok(error instanceof HoldfastError && error instanceof Error);
    equal(error.code, 'ERR_HOLDFAST_NOT_LOCKED');
    equal(error.kind, 'Lock');
    lock.close();
  },

  'errors: a closed object': async () => {
    const lock = new Lock();
    const guard = lock.acquireSync();
    throws(HeldError, () => lock.close());
    guard.release();
    lock.close();
    throws(ClosedError, () => lock.acquireSync());
    await rejects(ClosedError, lock.acquire());
    const queue = new Queue();
    const closed = rejects(ClosedError, queue.get());
    queue.close();
    await closed;
  },

  'errors: bad options': async () => {
    throws(TypeError, () => new Lock({ name: 5 }));
    throws(TypeError, () => new Lock({ nane: 'x' }));
    throws(TypeError, () => new Lock(null));
    throws(RangeError, () => new Semaphore(-1));
    throws(RangeError, () => new SharedMemory(0));
    const lock = new Lock();
    throws(TypeError, () => lock.acquireSync({ timeout: '5' }));
    await rejects(TypeError, lock.acquire({ signal: {} }));
    await rejects(RangeError, lock.acquire({ timeout: -1 }));
    ok(!lock.locked());
    lock.close();
  },

  'errors: an item that cannot travel': async () => {
    const queue = new Queue();
    throws(EncodeError, () => queue.putSync(() => {}));
    await rejects(EncodeError, queue.put(Symbol('no')));
    ok(queue.empty());
    queue.close();
  },

  'errors: one name, two kinds and two sizes': () => {
    const name = freshName();
    const memory = new SharedMemory(8, { name });
    throws(IncompatibleError, () => new SharedMemory(16, { name }));
    throws(IncompatibleError, () => new Lock({ name }));
    memory.close();
  },
};
