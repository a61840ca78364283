// Time in tests: lower bounds are measured; upper bounds are watchdogs that only end what hangs.
import { setTimeout as sleep } from 'node:timers/promises';
export { now } from '../programs/clock.mjs';

/** Far above everything that is meant to happen, on a slow machine too. */
export const watchdog_ms = 20_000;

/** The same promise, or a failure that says what hung. */
export async function within<T>(promise: Promise<T>, what: string, ms = watchdog_ms): Promise<T> {
  let timer: NodeJS.Timeout | undefined;
  const barked = new Promise<never>((_, reject) => {
    timer = setTimeout(() => reject(new Error(`watchdog: ${what} took over ${ms} ms`)), ms);
  });
  try {
    return await Promise.race([promise, barked]);
  } finally {
    clearTimeout(timer);
  }
}

/** Polls until it holds, for states that no message announces, such as "that thread blocks now". */
export async function until(
  holds: () => boolean | Promise<boolean>,
  what: string,
  ms = watchdog_ms,
): Promise<void> {
  const end = performance.now() + ms;
  while (!(await holds())) {
    if (performance.now() > end) throw new Error(`watchdog: not within ${ms} ms: ${what}`);
    await sleep(1);
  }
}

/**
 * Longer than two slices (100 ms), so that everything that a slice can bring about has happened.
 */
export function twoSlices(): Promise<void> {
  return sleep(130);
}
/** The state of a promise: 'pending' if it does not settle within some turns of the event loop. */
export async function stateOf(promise: Promise<unknown>): Promise<'pending' | 'done' | 'failed'> {
  const turns = (async () => {
    for (let i = 0; i < 5; i++) await new Promise((resolve) => setImmediate(resolve));
    return 'pending' as const;
  })();
  return Promise.race([
    promise.then(
      () => 'done' as const,
      () => 'failed' as const,
    ),
    turns,
  ]);
}

/** How many of them have settled. */
export async function settledOf(promises: readonly Promise<unknown>[]): Promise<number> {
  const states = await Promise.all(promises.map(stateOf));
  return states.filter((state) => state !== 'pending').length;
}
