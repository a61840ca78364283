// The public surface. docs/architecture.md says what stands behind each name.
export { attach } from './attach.js';
export {
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
export type { Guard } from './guard.js';
export { Lock } from './lock.js';
export { type Handle, list, type ObjectEntry, unlink } from './objects.js';
export type { OpenOptions, SyncWaitOptions, WaitOptions } from './options.js';
export type { LockState } from './owned.js';
export { Queue, type QueueOptions, type QueueState } from './queue.js';
export { RLock } from './rlock.js';
export { Semaphore, type SemaphoreState } from './semaphore.js';
export type { KindName } from './native.js';
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
