// What the suites of RLock share: running code in a task or outside all tasks, and checking who
// holds the lock.
import assert from 'node:assert/strict';
import { AsyncLocalStorage } from 'node:async_hooks';
import { setImmediate as turn } from 'node:timers/promises';
import { type Guard, type RLockOptions, type RLockScope, RLock } from 'holdfast';
import { assertThrows, sharedActor, track, until } from '../../support/index.js';

/** An RLock that is closed after the test. */
export function open(name?: string, scope: RLockScope = 'async'): RLock {
  return track(new RLock({ name, scope }));
}

/** Calls `fn` outside of every task. */
export const outside = AsyncLocalStorage.snapshot() as <R>(fn: () => R) => R;

export async function openIn(
  place: 'thread' | 'worker' | 'process',
  options: RLockOptions,
  number = 1,
) {
  return (await sharedActor(place, number)).open('RLock', options);
}

export function options(name: string, scope: RLockScope): RLockOptions {
  return { name, scope };
}

/** Fails if the running task is the holder, or if the lock is free. */
export function assertOutside(lock: RLock, where = ''): void {
  assert.equal(lock.locked(), true, `nobody holds it: ${where}`);
  assert.equal(lock.depth(), 0, `holds it: ${where}`);
  assert.equal(lock.tryAcquire(), null, `entered: ${where}`);
  assertThrows(() => lock.acquireSync(), 'DeadlockError');
  assertThrows(() => lock.release(), 'NotOwnerError');
}

/** Fails if the running task is not the holder. Leaves the depth as it was. */
export function assertInside(lock: RLock, depth = 1, where = ''): void {
  assert.equal(lock.depth(), depth, `depth ${where}`);
  lock.tryAcquire()!.release();
  lock.acquireSync().release();
  lock.acquireSync({ timeout: 0 });
  lock.release();
  assert.equal(lock.depth(), depth, `depth after nested holds ${where}`);
}

/** The ways to run code later, and the context in which each runs it. */
export const deferrals: Record<string, (callback: () => void) => void> = {
  setTimeout: (callback) => void setTimeout(callback, 1),
  setImmediate: (callback) => void setImmediate(callback),
  nextTick: (callback) => process.nextTick(callback),
  queueMicrotask: (callback) => queueMicrotask(callback),
  'a promise': (callback) => void Promise.resolve().finally(callback),
  await: (callback) =>
    void (async () => {
      await undefined;
      callback();
    })(),
  'MessagePort and back': (callback) => {
    const { port1, port2 } = new MessageChannel();
    port1.once('message', () => {
      port1.close();
      callback();
    });
    port2.postMessage(0);
  },
};

/** Runs `check` in each of them. All are made now. */
export async function everywhere(check: (where: string) => void): Promise<void> {
  const checks = Object.entries(deferrals).map(
    ([where, defer]) =>
      new Promise<void>((resolve, reject) => {
        defer(() => {
          try {
            check(where);
            resolve();
          } catch (error) {
            reject(error);
          }
        });
      }),
  );
  await Promise.all(checks);
}

export type Body = (guard: Guard) => Promise<void>;

/** The ways in which a task becomes the holder. */
export const ways: Record<string, (lock: RLock, body: Body) => Promise<void>> = {
  async 'using await acquire()'(lock, body) {
    using guard = await lock.acquire();
    await body(guard);
  },
  'acquire().then()': (lock, body) =>
    lock.acquire().then(async (guard) => {
      await body(guard);
      guard.release();
    }),
  async 'acquire(), awaited late'(lock, body) {
    const wait = lock.acquire({ timeout: 20_000, signal: new AbortController().signal });
    wait.catch(() => {});
    await until(() => lock.locked(), 'somebody holds it');
    await turn();
    using guard = await wait;
    await body(guard);
  },
  'runExclusive()': (lock, body) => lock.runExclusive(body),
};
