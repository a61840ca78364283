// A limit to how long a step may take.
import { type Timer, clearTimeout, setImmediate, setTimeout } from '../waiting/clock.js';

/**
 * Calls back once, after so many milliseconds, unless it is cancelled. What has arrived by then is
 * read before: an answer is not late because this thread was busy.
 */
export class Deadline {
  readonly #timer: Timer;
  #isOver = false;

  constructor(ms: number, onLate: () => void) {
    // Node runs timers, then reads from sockets, then runs the callbacks of setImmediate().
    const onTimer = (): void => {
      setImmediate(() => {
        if (!this.#isOver) onLate();
      });
    };
    this.#timer = setTimeout(onTimer, Math.ceil(ms));
  }

  /** Keeps the process alive, which it does until unref(). */
  ref(): void {
    this.#timer.ref();
  }

  unref(): void {
    this.#timer.unref();
  }

  cancel(): void {
    this.#isOver = true;
    clearTimeout(this.#timer);
  }
}

/**
 * Settles as `step` does, or rejects with what `late` returns, after so many milliseconds. The step
 * itself goes on: the caller has to end it.
 */
export async function inTime<T>(step: Promise<T>, ms: number, late: () => Error): Promise<T> {
  let deadline: Deadline | undefined;
  const expired = new Promise<never>((_, reject) => {
    deadline = new Deadline(ms, () => reject(late()));
  });
  try {
    return await Promise.race([step, expired]);
  } finally {
    deadline?.cancel();
  }
}
