// What the suites of putting, getting and waiting share.
import { type Place, type RemoteObject, now, sharedActor } from '../../support/index.js';

/**
 * Waits without a timer, so that no tick of one comes between an event and the moment at which the
 * test sees it.
 */
export function spinUntil(condition: () => boolean): void {
  const deadline = now() + 20_000;
  while (!condition()) if (now() > deadline) throw new Error('it did not come to that');
}

export const upTo = (n: number, from = 0) => Array.from({ length: n - from }, (_, i) => from + i);

export async function remoteOf(
  queue: { toJSON(): unknown },
  place: Place,
  number = 1,
): Promise<RemoteObject> {
  return (await sharedActor(place, number)).attach(queue.toJSON() as never);
}

// All forms put or get one item here: [name, wraps an item, unwraps it].
export const puts: [string, (item: unknown) => unknown][] = [
  ['put', (item) => item],
  ['putSync', (item) => item],
  ['tryPut', (item) => item],
  ['putMany', (item) => [item]],
  ['putManySync', (item) => [item]],
];
export const gets: [string, unknown[], (got: unknown) => unknown][] = [
  ['get', [{ timeout: 10_000 }], (got) => got],
  ['getSync', [{ timeout: 10_000 }], (got) => got],
  ['tryGet', [], (got) => got],
  ['getMany', [5, { timeout: 10_000 }], (got) => (got as unknown[])[0]],
  ['getManySync', [5, { timeout: 10_000 }], (got) => (got as unknown[])[0]],
  ['tryGetMany', [5], (got) => (got as unknown[])[0]],
];
