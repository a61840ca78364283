// Waits for news of a child: for its end, or for the result of its target.
import type { ChildProcess } from 'node:child_process';
import type { WaitOptions } from '../options.js';
import { unwatchAbort, watchAbort } from '../waiting/abort.js';
import { type Timer, clearTimeout, setTimeout } from '../waiting/clock.js';
import { countChild } from './launch.js';

export class News {
  /**
   * Functions to call when something has been heard of the child, one for each pending wait. A
   * promise would keep a reaction for every wait that timed out.
   */
  readonly hearers = new Set<() => void>();
  #waits = 0;

  /** Lets every wait look again. */
  tell(): void {
    for (const hear of this.hearers) hear();
  }

  /**
   * Resolves to true when `isSo`, or to false when the timeout has passed before; rejects with the
   * reason of an abort. Meanwhile the child keeps this process alive. A daemon does not afterwards.
   */
  async until(
    isSo: () => boolean,
    child: ChildProcess,
    isDaemon: boolean,
    { timeout, signal }: WaitOptions,
  ): Promise<boolean> {
    if (isSo()) return true;
    let timer: Timer | undefined;
    let onAbort: (() => void) | undefined;
    let hear: (() => void) | undefined;
    this.#waits++;
    countChild(child, true);
    try {
      return await new Promise<boolean>((resolve, reject) => {
        hear = () => {
          if (isSo()) resolve(true);
        };
        this.hearers.add(hear);
        if (timeout !== undefined) timer = setTimeout(resolve, timeout, false);
        onAbort = () => reject(signal?.reason);
        if (signal) watchAbort(signal, onAbort);
      });
    } finally {
      clearTimeout(timer);
      if (signal && onAbort) unwatchAbort(signal, onAbort);
      if (hear) this.hearers.delete(hear);
      if (--this.#waits === 0 && isDaemon) countChild(child, false);
    }
  }
}
