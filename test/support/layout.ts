// The places of the words of native/core/layout.h in a file, for tests that forge one.

export const header = {
  magic: 0, // u64
  version: 8,
  kind: 12,
  signature: 16, // u64
  byteLength: 24, // u64
  state: 32,
  flags: 36,
  tag: 40, // u64
  initial: 60,
  posixName: 64, // 32 bytes with the final NUL
  nameLength: 96,
  name: 100, // 256 bytes with the final NUL; "" if the name is longer
  nameOffset: 356, // where a longer name is
  ownersOffset: 360, // and two words more: see native/core/layout.h
  home: 376, // two u64: see native/core/layout.h
  length: 512,
} as const;

export const owned = { owner: header.length } as const;

/** WaitSet::overdue of a Lock or RLock. */
export const overdueOfOwned = header.length + 128 + 24; // u64

/** The number of readers that a writer has let go first. */
export const readWrite = { turn: header.length + 48 } as const; // u64

/** u32, and behind it the length of the lock's name. */
export const conditionBody = { lockKind: header.length + 24 } as const;

/** QueueBody: u64. */
export const queueBody = { counts: header.length + 72, ready: header.length + 80 } as const;

export const registry = {
  slots: header.length + 64,
  slotLength: 64,
  slotCount: 4096,
  /** Within a slot. */
  id: 0, // u64
  startTime: 8, // u64
  pidNamespace: 16,
  pid: 24,
  length: header.length + 64 + 64 * 4096,
} as const;

export const objectLength = 4096;
export const state = { making: 1, ready: 2 } as const;
export const kinds = { registry: 1, Lock: 2, RLock: 3, Semaphore: 4 } as const;
