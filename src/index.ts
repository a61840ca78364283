// The public surface. docs/architecture.md says what stands behind each name.
export { attach } from './attach.js';
export {
  ClosedError,
  CorruptError,
  DeadlockError,
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
  TimeoutError,
} from './errors.js';
export type { Guard } from './guard.js';
export { Lock } from './lock.js';
export { type Handle, list, type ObjectEntry, unlink } from './objects.js';
export type { OpenOptions, SyncWaitOptions, WaitOptions } from './options.js';
export type { LockState } from './owned.js';
export { RLock } from './rlock.js';
export { Semaphore, type SemaphoreState } from './semaphore.js';
export type { KindName } from './native.js';
