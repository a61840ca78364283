// The public surface. docs/architecture.md says what stands behind each name.
export type {
  Cluster,
  ClusterHold,
  ClusterInspection,
  ClusterLock,
  ClusterLockCallback,
  ClusterLockInfo,
  ClusterLockOptions,
  ClusterLocks,
  ClusterLockSnapshot,
  ClusterLockState,
  ClusterParty,
  ClusterPermit,
  ClusterQueue,
  ClusterQueueCount,
  ClusterQueueState,
  ClusterSemaphore,
  ClusterTakeOptions,
  ClusterTask,
  EngineName,
  Fenced,
} from './cluster/cluster.js';
export { connect, type ConnectOptions } from './cluster/connect.js';
export {
  EngineUnavailableError,
  LockLostError,
  type LostReason,
  UnsupportedEngineError,
} from './cluster/errors.js';
export type { ClusterOptions } from './cluster/options.js';
export {
  type Acquirable,
  acquireAll,
  acquireAllSync,
  tryAcquireAll,
} from './objects/acquire-all.js';
export { attach } from './objects/attach.js';
export { Barrier, type BarrierOptions, type BarrierState } from './objects/barrier.js';
export { BoundedSemaphore, type BoundedSemaphoreState } from './objects/bounded-semaphore.js';
export {
  Condition,
  type ConditionHandle,
  type ConditionState,
  type Wakeup,
} from './objects/condition.js';
export {
  BrokenBarrierError,
  ClosedError,
  CorruptError,
  DeadlockError,
  type DeadlockedWait,
  type DeadlockErrorOptions,
  DecodeError,
  EncodeError,
  EndedError,
  ExistsError,
  HeldError,
  HoldfastError,
  IncompatibleError,
  isPutManyError,
  NoSpaceError,
  NotFoundError,
  NotLockedError,
  NotOwnerError,
  OverReleaseError,
  PermissionError,
  ProcessError,
  type PutManyError,
  RemovedError,
  TimeoutError,
} from './errors.js';
export type { CodecChoice, CustomCodec } from './records/codec.js';
export { Event, type EventState } from './objects/event.js';
export type { Guard, Holder } from './holds/guard.js';
export type { GuardGroup } from './holds/guard-group.js';
export { lostGuards } from './holds/lost.js';
export type {
  AcquireEvent,
  AcquireMessage,
  AcquireMode,
  DeadlockMessage,
  ProcessMessage,
  QueueMessage,
} from './channels.js';
export { JoinableQueue } from './objects/joinable-queue.js';
export type { DeadItem, RetryOptions, Task } from './objects/task.js';
export { Lock } from './objects/lock.js';
export {
  list,
  type ListOptions,
  type ObjectEntry,
  type ObjectState,
  type ObservedEntry,
  type Party,
} from './objects/listing.js';
export { type CompositeName, type Handle, unlink } from './objects/shared.js';
export type {
  AcquireOptions,
  KindName,
  OpenOptions,
  RLockOptions,
  RLockScope,
  SyncAcquireOptions,
  SyncWaitOptions,
  WaitOptions,
} from './options.js';
export type { LockState } from './objects/owned.js';
export type { AcquiredLock } from './locks/acquired-lock.js';
export type { LockCallback, LockOptions } from './locks/arguments.js';
export type { LockMode, WebLock } from './locks/lock.js';
export {
  LockManager,
  type LockInfo,
  type LockManagerOptions,
  type LockManagerSnapshot,
  type LockManagerState,
  locks,
} from './locks/lock-manager.js';
export { Pool, type PoolArguments } from './pool/pool.js';
export type { MapOptions, PoolOptions, TaskOptions } from './pool/options.js';
export type { PoolState, PoolWorker } from './pool/state.js';
export { Connection, type ConnectionHandle } from './objects/connection.js';
export { Pipe, type PipeOptions } from './objects/pipe.js';
export { Queue } from './objects/queue.js';
export type {
  JobQueueOptions,
  JoinableQueueState,
  PutOptions,
  QueueOptions,
  QueueState,
  JoinableQueueHandle,
} from './objects/queue-options.js';
export { ReadWriteLock } from './objects/read-write-lock.js';
export type { ReadWriteLockState } from './objects/read-write-state.js';
export { RLock, type RLockHandle } from './objects/rlock.js';
export { Semaphore, type SemaphoreState } from './objects/semaphore.js';
export { SharedArray, type SharedArrayHandle } from './objects/shared-array.js';
export { SharedValue, type SharedValueHandle } from './objects/shared-value.js';
export type { ElementOf, ElementType, ViewOf } from './objects/typed-memory.js';
export { SharedMemory, type SharedMemoryState } from './objects/shared-memory.js';
export {
  type ForkserverOptions,
  getStartMethod,
  setStartMethod,
  type StartMethod,
} from './process/forkserver.js';
export type {
  ModuleTarget,
  ProcessOptions,
  ProcessOptionsFor,
  TargetArguments,
  TargetResult,
} from './process/options.js';
export type { ProcessStream } from './process/launch.js';
export { activeChildren, Process } from './process/process.js';
export {
  cpuCount,
  type CurrentProcess,
  currentProcess,
  type ParentProcess,
  parentProcess,
} from './process/info.js';
