// What the driver and the players share beside the objects under test: plain words in a
// SharedMemory that no lock guards. They are the witnesses.
//
// Every player is a seat: a JS thread with a number, its slot here. The driver raises `killed`
// before it kills the seat's process and lowers it when another has taken the seat, so a witness
// never counts the dead as inside.

export const seats = 64;
export const items = 1 << 22;

/** Offsets in Int32 words. */
export const words = {
  /** What the seat's thread was killed or terminated at, if it was: 0 alive, 1 not. */
  killed: 0,
  /** One row a seat for each kind of section: 0 outside, 1 reading, 2 inside alone. */
  lock: seats,
  rlock: 2 * seats,
  bounded: 3 * seats,
  readWrite: 4 * seats,
  condition: 5 * seats,
  memory: 6 * seats,
  /** Operations that have come to an end, by kind; see kinds. */
  progress: 7 * seats,
  /** Unprotected: what is produced and not yet consumed under the condition's lock. */
  stock: 8 * seats,
  /** The next item's number: queue, jobs. */
  nextItem: 8 * seats + 1,
  nextJob: 8 * seats + 2,
  end: 9 * seats,
};

/**
 * Bytes after the words. One byte an item: bit 0 the put began, bit 1 it returned, then 4 for each
 * arrival.
 */
export const ledger = {
  queue: words.end * 4,
  jobs: words.end * 4 + items,
  length: words.end * 4 + 2 * items,
};
export const began = 1;
export const put = 2;
export const arrived = 4;

/** Kinds that are a section, with a row each. */
export const sections = ['lock', 'rlock', 'bounded', 'readWrite', 'condition', 'memory'];
export const kinds = [...sections, 'event', 'barrier', 'queue', 'jobs', 'semaphore'];
export const permits = 3;
export const parties = 3;
