// A limit to how long a step may take.
import { type Timer, clearTimeout, setTimeout } from '../waiting/clock.js';

/**
 * Settles as `step` does, or rejects with what `late` returns, after so many milliseconds. The step
 * itself goes on: the caller has to end it.
 */
export async function inTime<T>(step: Promise<T>, ms: number, late: () => Error): Promise<T> {
  let timer: Timer | undefined;
  const expired = new Promise<never>((_, reject) => {
    timer = setTimeout(() => reject(late()), ms);
  });
  try {
    return await Promise.race([step, expired]);
  } finally {
    clearTimeout(timer);
  }
}
