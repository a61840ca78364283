// Every way to open an object, for tests that do the same to all kinds.
import {
  Barrier,
  BoundedSemaphore,
  Condition,
  Event,
  JoinableQueue,
  type KindName,
  Lock,
  Queue,
  RLock,
  ReadWriteLock,
  Semaphore,
  SharedMemory,
} from 'holdfast';

/** The kinds that are opened by a name. A LockManager is opened by a namespace. */
export type NamedKind = Exclude<KindName, 'LockManager'>;

/** Opens an object of each such kind; a kind that is made with a number has 1. */
export const openers: Record<NamedKind, (options: object) => Disposable & { close(): void }> = {
  Lock: (options) => new Lock(options),
  RLock: (options) => new RLock(options),
  Semaphore: (options) => new Semaphore(1, options),
  BoundedSemaphore: (options) => new BoundedSemaphore(1, options),
  Condition: (options) => new Condition(undefined, options),
  Event: (options) => new Event(options),
  Barrier: (options) => new Barrier(1, options),
  Queue: (options) => new Queue(options),
  JoinableQueue: (options) => new JoinableQueue(options),
  ReadWriteLock: (options) => new ReadWriteLock(options),
  SharedMemory: (options) => new SharedMemory(1, options),
};
