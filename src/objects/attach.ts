import { Barrier } from './barrier.js';
import { BoundedSemaphore } from './bounded-semaphore.js';
import { Condition, type ConditionHandle } from './condition.js';
import { Event } from './event.js';
import { JoinableQueue } from './joinable-queue.js';
import { Lock } from './lock.js';
import { Connection, type ConnectionHandle } from './connection.js';
import { SharedArray, type SharedArrayHandle } from './shared-array.js';
import { SharedValue, type SharedValueHandle } from './shared-value.js';
import type { CompositeName, Handle } from './shared.js';
import { type KindName, checkName } from '../options.js';
import { LockManager } from '../locks/lock-manager.js';
import { Queue } from './queue.js';
import type { JoinableQueueHandle } from './queue-options.js';
import { ReadWriteLock } from './read-write-lock.js';
import { RLock, type RLockHandle } from './rlock.js';
import { Semaphore } from './semaphore.js';
import { SharedMemory } from './shared-memory.js';

/** The class of each kind of object. */
export interface Kinds {
  Lock: Lock;
  RLock: RLock;
  Semaphore: Semaphore;
  Queue: Queue;
  BoundedSemaphore: BoundedSemaphore;
  Condition: Condition;
  Event: Event;
  Barrier: Barrier;
  JoinableQueue: JoinableQueue;
  SharedMemory: SharedMemory;
  ReadWriteLock: ReadWriteLock;
  LockManager: LockManager;
  Connection: Connection;
  SharedArray: SharedArray;
  SharedValue: SharedValue;
}

const openers: { [K in KindName | CompositeName]: (name: string, handle: Handle) => Kinds[K] } = {
  Lock: (name) => new Lock({ name, mustExist: true }),
  RLock: (name, handle) =>
    new RLock({ name, mustExist: true, scope: (handle as RLockHandle).scope }),
  Semaphore: (name) => new Semaphore(undefined, { name, mustExist: true }),
  Queue: (name) => new Queue({ name, mustExist: true }),
  BoundedSemaphore: (name) => new BoundedSemaphore(undefined, { name }),
  Condition: (name, handle) =>
    new Condition(undefined, { name, mustExist: true, scope: (handle as ConditionHandle).scope }),
  Event: (name) => new Event({ name, mustExist: true }),
  Barrier: (name) => new Barrier(undefined, { name }),
  JoinableQueue: (name, handle) => {
    const { maxDeliveries } = handle as JoinableQueueHandle;
    return new JoinableQueue({ name, mustExist: true, maxDeliveries });
  },
  SharedMemory: (name) => new SharedMemory(undefined, { name }),
  ReadWriteLock: (name) => new ReadWriteLock({ name, mustExist: true }),
  LockManager: (name) => new LockManager({ namespace: name, mustExist: true }),
  Connection: (name, handle) => Connection.attach(name, (handle as ConnectionHandle).end),
  SharedArray: (name, handle) =>
    new SharedArray((handle as SharedArrayHandle).type, undefined, { name }),
  SharedValue: (name, handle) =>
    new SharedValue((handle as SharedValueHandle).type, undefined, { name, mustExist: true }),
};

/**
 * Opens the object that a handle names. A handle is what `toJSON()` returns, or what is left of it
 * after JSON.stringify() and JSON.parse(). The kind of the handle says which class comes back;
 * where TypeScript does not know it, write it: `attach<'Queue'>(JSON.parse(text))`. Does not wait.
 * Blocks only while another process has the directory locked.
 *
 * @throws NotFoundError if the object is gone, because its last user has closed it or died;
 * TypeError if this is no handle; IncompatibleError for a queue with a codec of its own, which can
 * only be opened by name.
 */
export function attach<K extends KindName | CompositeName>(handle: Handle<K>): Kinds[K] {
  if (typeof handle !== 'object' || handle === null || !('holdfast' in handle)) {
    const hint = typeof handle === 'string' ? '; this is text: attach(JSON.parse(text))' : '';
    throw new TypeError(`not a handle: attach() takes what toJSON() of an object returned${hint}`);
  }
  const { holdfast: kind, name } = handle;
  if (typeof kind !== 'string' || !Object.hasOwn(openers, kind)) {
    const kinds = Object.keys(openers).join(', ');
    throw new TypeError(`kind must be one of ${kinds}, not ${String(kind)}`);
  }
  checkName(name);
  return openers[kind](name, handle);
}
