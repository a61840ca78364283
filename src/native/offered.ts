// Does the addon offer what this version of the package calls? One of another version may not.
import type { NativeAddon } from './bindings.js';

/** The names that every addon has: macOS has no shmDirectory. */
type Certain = {
  [Name in keyof NativeAddon]-?: undefined extends NativeAddon[Name] ? never : Name;
}[keyof NativeAddon];

/** The compiler finds one that is missing here. */
const offered: Record<Certain, true> = {
  Lock: true,
  RLock: true,
  Semaphore: true,
  BoundedSemaphore: true,
  Condition: true,
  Event: true,
  Barrier: true,
  Queue: true,
  JoinableQueue: true,
  SharedMemory: true,
  ReadWriteLock: true,
  LockManager: true,
  endWithParent: true,
  detachBuffer: true,
  allowsExternalBuffers: true,
  useMailbox: true,
  useOutbox: true,
  useLoopWaits: true,
  configure: true,
  enter: true,
  open: true,
  lookAtHeld: true,
  heldHere: true,
  agentId: true,
  tellWaits: true,
  takeBackWaits: true,
  hearWaits: true,
  tellWaitsIfUnchanged: true,
  sweep: true,
  list: true,
  unlink: true,
  common: true,
  subject: true,
  number: true,
  defaultDirectory: true,
  maxPermits: true,
  maxOwnedPermits: true,
  maxParties: true,
  maxConditionWaits: true,
  maxSharedMemory: true,
  queueItemsMax: true,
  queueBytesMin: true,
  queueBytesMax: true,
};

/** The names that are missing in what was loaded. */
export function missingIn(addon: object): string[] {
  return Object.keys(offered).filter((name) => !Object.hasOwn(addon, name));
}
