// What the driver and the players share beside the objects under test: plain words in a
// SharedMemory, without a lock. They record what happened.
//
// Every JS thread that plays has a seat: a number, and a slot here. The driver raises `killed`
// before it kills the process of a seat, and lowers it when another process takes the seat. So the
// dead never count as inside.

export const seats = 64;
export const items = 1 << 22;

/** Offsets in Int32 words. */
export const words = {
  /** Whether the thread of the seat was killed or terminated: 0 it lives, 1 it was. */
  killed: 0,
  /** A row of seats for each kind of section: 0 outside, 1 reading, 2 inside alone. */
  lock: seats,
  rlock: 2 * seats,
  bounded: 3 * seats,
  readWrite: 4 * seats,
  condition: 5 * seats,
  memory: 6 * seats,
  request: 7 * seats,
  /** How many operations have ended, by kind; see kinds. */
  progress: 8 * seats,
  /** What is produced and not yet consumed, under the lock of the condition. */
  stock: 9 * seats,
  /** The next item's number: queue, jobs. */
  nextItem: 9 * seats + 1,
  nextJob: 9 * seats + 2,
  end: 10 * seats,
};

/**
 * The bytes behind the words. Each item has one: bit 0 its put began, bit 1 its put returned, and 4
 * is added for each arrival.
 */
export const ledger = {
  queue: words.end * 4,
  jobs: words.end * 4 + items,
  length: words.end * 4 + 2 * items,
};
export const began = 1;
export const put = 2;
export const arrived = 4;

/** Kinds of sections, each with a row. */
export const sections = ['lock', 'rlock', 'bounded', 'readWrite', 'condition', 'memory', 'request'];
export const kinds = [...sections, 'steal', 'event', 'barrier', 'queue', 'jobs', 'semaphore'];
/** The names of the LockManager's locks. */
export const calmName = 'one';
export const stolenNames = ['stolen 0', 'stolen 1', 'stolen 2', 'stolen 3'];
export const lockNames = [calmName, ...stolenNames];
export const permits = 3;
export const parties = 3;
