// The only file that loads the addon. Its interfaces describe native/addon, line by line.
import { createRequire } from 'node:module';
import path from 'node:path';

/** Numbers of `Kind` in native/core/layout.h. */
export const kinds = { Lock: 2, RLock: 3, Semaphore: 4, Queue: 5 } as const;
export type KindName = keyof typeof kinds;

/** Numbers of `OpenFlags` in native/addon/addon.cc. */
export const openFlags = {
  exclusive: 1,
  mustExist: 2,
  persistent: 4,
  anonymous: 8,
  initialGiven: 16,
} as const;

/** What every object can do (native/addon/handle.h, `Common`). */
export interface NativeObject {
  /** `/hf-...`, or '' where there is no semaphore. */
  readonly posixName: string;
  /** False: this thread holds it, acquired it through this handle or has no other. */
  mayClose(): boolean;
  close(): void;
  unlink(): void;
}

/** Something that can be asked for a ring: one wait set (native/core/wait_set.h). */
export interface NativeSource {
  /** What its ring says. */
  readonly tag: number;
  /** Asks for a ring; `index` is what the last call returned, -1 at first. */
  enrol(index: number, waiting: number): number;
  /** False if a ring is on its way already. */
  cancel(index: number): boolean;
  /** Rings somebody else. */
  passOn(): void;
}

/** What can be acquired (native/addon/handle.h, `Acquirable`). */
export interface NativeAcquirable extends NativeObject, NativeSource {
  /** 0: not acquired. n: the number of the hold. -n: the same, and the last holder died. */
  tryAcquire(): number;
  /** Blocks the thread for `ms` or one slice, whichever is shorter; answers like tryAcquire. */
  wait(ms: number): number;
  /** Counts an acquisition that has to wait. */
  contend(): void;
}

export interface NativeOwnedState {
  locked: boolean;
  abandoned: boolean;
  owner: { pid: number; threadId: number; processName: string } | null;
  waiters: number;
  acquisitions: number;
  contentions: number;
  abandonments: number;
}

/** Lock and RLock (native/addon/owned.h). */
export interface NativeOwned extends NativeAcquirable {
  release(): void;
  releaseHold(hold: number): void;
  heldByMe(): boolean;
  depth(): number;
  locked(): boolean;
  inspect(): NativeOwnedState;
}

/** Semaphore (native/addon/semaphore.cc). */
export interface NativeSemaphore extends NativeAcquirable {
  release(count: number): void;
  value(): number;
  inspect(): {
    value: number;
    initial: number;
    waiters: number;
    acquisitions: number;
    contentions: number;
  };
}

/** How a put or get went: numbers of `Moved` in native/core/queue.h. */
export const moved = { yes: 0, notYet: 1, ended: 2, tooLarge: 3, noSpace: 4, corrupt: 5 } as const;

export interface NativeQueueState {
  size: number;
  bytes: number;
  capacity: number;
  maxSize: number;
  maxBytes: number;
  ended: boolean;
  getters: number;
  putters: number;
  puts: number;
  gets: number;
  abandonments: number;
}

/** Queue (native/addon/queue.cc). */
export interface NativeQueue extends NativeObject {
  /** [0] the type of the record that get() took out; [1] how the last call but put() went. */
  readonly meta: Uint32Array;
  readonly codec: number;
  readonly largestItem: number;
  readonly items: NativeSource;
  readonly room: NativeSource;
  put(type: number, payload: unknown): number;
  /** Of `[type, payload, ...]`, from the given pair on; how many were put. */
  putMany(pairs: unknown[], from: number): number;
  get(): unknown;
  getMany(count: number): unknown[];
  /** Block the thread for `ms` or one slice; true if it is worth trying. */
  waitToGet(ms: number): boolean;
  waitToPut(ms: number): boolean;
  end(): void;
  ended(): boolean;
  size(): number;
  full(): boolean;
  inspect(): NativeQueueState;
}

export interface NativeListing {
  kind: number;
  name: string;
  persistent: boolean;
  inUse: boolean;
}

interface NativeAddon {
  readonly defaultDirectory: string;
  readonly maxPermits: number;
  readonly queueItemsMax: number;
  readonly queueBytesMin: number;
  readonly queueBytesMax: number;
  configure(
    directory: string,
    threadId: number,
    processName: string,
    onRings: (tags: number[]) => void,
    makeError: (
      code: number,
      kind: number,
      name: string,
      detail: string,
      errno: number,
      syscall: string,
    ) => Error,
  ): void;
  open(
    kind: number,
    name: string,
    fileKey: string,
    semaphoreKey: string,
    flags: number,
    initial: number,
    maxItems: number,
    maxBytes: number,
    codec: number,
  ): unknown;
  list(): NativeListing[];
  unlink(kind: number, name: string, fileKey: string): void;
}

function load(): NativeAddon {
  const require = createRequire(import.meta.url);
  // Another build of the addon: the posix platform, or one with a sanitizer.
  const chosen = process.env['HOLDFAST_NATIVE'];
  if (chosen) return require(path.resolve(chosen)) as NativeAddon;
  const root = path.resolve(import.meta.dirname, '..');
  const nodeGypBuild = require('node-gyp-build') as (directory: string) => NativeAddon;
  try {
    return nodeGypBuild(root);
  } catch (cause) {
    throw new Error(
      `holdfast has no binary for ${process.platform}-${process.arch} (Node ${process.version}). ` +
        `Looked in ${path.join(root, 'prebuilds')} and ${path.join(root, 'build', 'Release')}. ` +
        `Where a compiler is installed, "npm rebuild holdfast" makes one.`,
      { cause },
    );
  }
}

export const addon = load();
