// The public surface. docs/architecture.md says what stands behind each name.
export { attach } from './attach.js';
export { Barrier, type BarrierOptions, type BarrierState } from './barrier.js';
export { BoundedSemaphore, type BoundedSemaphoreState } from './bounded-semaphore.js';
export { Condition, type ConditionHandle, type ConditionState, type Wakeup } from './condition.js';
export {
  BrokenBarrierError,
  ClosedError,
  CorruptError,
  DeadlockError,
  DecodeError,
  EncodeError,
  EndedError,
  ExistsError,
  HeldError,
  HoldfastError,
  IncompatibleError,
  NoSpaceError,
  NotFoundError,
  NotLockedError,
  NotOwnerError,
  OverReleaseError,
  PermissionError,
  ProcessError,
  TimeoutError,
} from './errors.js';
export type { CodecChoice, CustomCodec } from './codec.js';
export { Event, type EventState } from './event.js';
export type { Guard } from './guard.js';
export {
  JoinableQueue,
  type JoinableQueueState,
  type Task,
} from './joinable-queue.js';
export { Lock } from './lock.js';
export { type Handle, list, type ObjectEntry, unlink } from './objects.js';
export type {
  OpenOptions,
  RLockOptions,
  RLockScope,
  SyncWaitOptions,
  WaitOptions,
} from './options.js';
export type { LockState } from './owned.js';
export { Queue, type QueueOptions, type QueueState } from './queue.js';
export { ReadWriteLock, type ReadWriteLockState } from './read-write-lock.js';
export { RLock, type RLockHandle } from './rlock.js';
export { Semaphore, type SemaphoreState } from './semaphore.js';
export { SharedMemory, type SharedMemoryState } from './shared-memory.js';
export type { KindName, NativeAgent as Holder } from './native.js';
export {
  type ForkserverOptions,
  getStartMethod,
  setStartMethod,
  type StartMethod,
} from './forkserver.js';
export { activeChildren, type ModuleTarget, Process, type ProcessOptions } from './process.js';
export {
  cpuCount,
  type CurrentProcess,
  currentProcess,
  type ParentProcess,
  parentProcess,
} from './process-info.js';
