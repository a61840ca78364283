// Time in tests. Lower bounds are measured. Upper bounds are watchdogs, which only end a test that
// hangs.
import { setTimeout as sleep } from 'node:timers/promises';
export { now } from '../programs/clock.mjs';

/** Far longer than anything should take, even on a slow machine. */
export const watchdog_ms = 20_000;

/**
 * Settles like the promise. If that takes too long, it rejects with an error that says what hung.
 */
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

/**
 * Polls until `holds` returns true, for a state that no message announces, such as "that thread is
 * blocked now".
 */
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

/** Waits for more than two slices (100 ms). Then everything that a slice can do has been done. */
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
