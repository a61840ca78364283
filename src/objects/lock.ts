import { brand } from '../brand.js';
import { publishRelease } from '../channels.js';
import { LockOwnership, type Ownership } from '../holds/ownership.js';
import { addon } from '../native/load.js';
import { type OpenOptions, readOpen } from '../options.js';
import { Owned } from './owned.js';

/**
 * A mutual-exclusion lock: it lets one holder in at a time. It is the same lock in every process
 * and worker thread of the user that opens its name. It is not recursive, like Python's
 * `multiprocessing.Lock`.
 *
 * Its holder is a JS thread: the main thread of a process, or a worker. If the holder dies, even by
 * SIGKILL at any instruction, a waiter has the lock within two slices (100 ms), and its guard says
 * `abandoned`. A worker that ends, is terminated or throws counts as dead, too.
 *
 * Underneath is a POSIX named semaphore (sem_open(3)) of value 1, `posixName`. A program in another
 * language that waits for it is kept out while a Node thread holds the lock. The reverse is not
 * safe: if the semaphore is empty for 100 ms and the lock has no owner, a waiter takes the token
 * for lost and posts a new one. Share a Semaphore with such programs instead.
 */
export class Lock extends Owned<'Lock'> {
  static {
    brand(this, 'Lock');
  }
  readonly #ownership: Ownership;

  /**
   * Opens the lock, or makes it. Blocks only while another process has the directory locked.
   *
   * @throws ExistsError, NotFoundError as `options` ask; IncompatibleError if the name belongs to
   * another kind of object; CorruptError, NoSpaceError, PermissionError; TypeError or RangeError
   * for wrong options.
   */
  constructor(options: OpenOptions = {}) {
    super('Lock', readOpen(options));
    this.#ownership = new LockOwnership(this.native, { kind: 'Lock', name: this.name });
  }

  /**
   * Ends the hold of any holder: any process may release, as in Python. Does not block.
   *
   * @throws NotLockedError if nobody holds it.
   */
  release(): void {
    this.ownership.release();
    publishRelease(this, 'exclusive');
  }

  /** Name of the semaphore underneath, for sem_open(3) in other languages. */
  get posixName(): string {
    return addon.common.posixName(this.native);
  }

  /** @internal */
  reopen(): Lock {
    return new Lock({ name: this.name, mustExist: true });
  }

  /** @internal */
  get ownership(): Ownership {
    void this.native; // closed?
    return this.#ownership;
  }
}
