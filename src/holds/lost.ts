// Guards that were garbage-collected while they held: nobody can release them any more.
//
// To watch a guard costs several times what an acquisition does: it has to be registered with the
// garbage collector. Even a reference to the last guard, from which a later look could register it,
// would cost a tenth of an acquisition. So guards are watched only where the user asks for it.
import type { Acquisition } from '../channels.js';
import { once } from '../native/once.js';

/** With HOLDFAST_DEBUG, or --trace-warnings of Node, guards are watched. */
export const watchesGuards: boolean =
  Boolean(process.env['HOLDFAST_DEBUG']) ||
  [...process.execArgv, ...(process.env['NODE_OPTIONS'] ?? '').split(/\s+/)].includes(
    '--trace-warnings',
  );

/** What is to be known of a guard when it is gone. It must not lead to the guard. */
export class GuardRecord {
  /** Somebody listens to the acquisition. */
  acquisition: Acquisition | undefined;
  isOver = false;
  readonly #stack = new Error('acquired').stack;

  constructor(
    /** In words, such as `Lock "name"`. */
    readonly what: string,
    /** False: this thread holds it still. Throws if the object was closed. */
    readonly mayClose: () => boolean,
  ) {}

  released(): void {
    this.isOver = true;
  }

  /** A release by name leaves the guard unreleased; then nothing is lost. */
  get isLost(): boolean {
    if (this.isOver) return false;
    try {
      return !this.mayClose();
    } catch {
      return false;
    }
  }

  warn(): void {
    process.emitWarning(
      `${this.what}: a guard was garbage-collected before its release, so it stays held`,
      { code: 'ERR_HOLDFAST_LOST_GUARD', ...(this.#stack && { detail: this.#stack }) },
    );
  }
}

const lost = once('lost guards', () => ({ count: 0 }));

const registry = new FinalizationRegistry((record: GuardRecord) => {
  if (!record.isLost) return;
  lost.count++;
  record.acquisition?.lost();
  record.warn();
});

/** Notices when the guard is collected before its release. */
export function watchGuard(guard: object, record: GuardRecord): GuardRecord {
  registry.register(guard, record);
  return record;
}

/**
 * How many guards of this thread were garbage-collected although they had not been released and the
 * thread still held what they stood for. Guards are watched only with `HOLDFAST_DEBUG=1` in the
 * environment or with `--trace-warnings` of Node; otherwise it is 0. Code that calls
 * `lock.release()` and drops the guard may be counted as well, if the collector comes in between.
 * Does not block.
 */
export function lostGuards(): number {
  return lost.count;
}
