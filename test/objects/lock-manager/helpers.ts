// What the suites of LockManager share: opening one, holding a lock until told otherwise, and
// looking at errors.
import assert from 'node:assert/strict';
import { LockManager, type LockOptions, type WebLock } from 'holdfast';
import {
  type Actor,
  type RemoteObject,
  freshName,
  track,
  until,
  within,
} from '../../support/index.js';

export const kind = 'LockManager';

/** Opens a namespace that no other test has. */
export function open(namespace = freshName(kind)): LockManager {
  return track(new LockManager({ namespace }));
}

/** The same namespace in an actor. */
export function openIn(actor: Actor, { namespace }: LockManager): Promise<RemoteObject> {
  return actor.make(kind, { namespace });
}

/** A promise that the test settles. */
export class Gate<T = void> {
  readonly passed: Promise<T>;
  pass!: (value: T) => void;
  fail!: (reason: unknown) => void;
  constructor() {
    this.passed = new Promise((resolve, reject) => {
      this.pass = resolve;
      this.fail = reject;
    });
  }
}

/** A request whose callback returns a promise that the test settles. */
export class Holding {
  readonly #gate = new Gate<unknown>();
  readonly #called = new Gate<WebLock | null>();
  /** What request() returned. */
  readonly result: Promise<unknown>;
  /** What the callback got; undefined until it is called. */
  lock: WebLock | null | undefined;

  constructor(manager: LockManager, name: string, options: LockOptions = {}) {
    this.result = manager.request(name, options, (lock) => {
      this.lock = lock;
      this.#called.pass(lock);
      return this.#gate.passed;
    });
    this.#called.passed.catch(() => {});
    this.result.catch((reason: unknown) => this.#called.fail(reason));
  }

  /** Resolves to what the callback got. */
  get granted(): Promise<WebLock | null> {
    return within(this.#called.passed, 'a grant');
  }

  get isGranted(): boolean {
    return this.lock !== undefined;
  }

  /** Ends the callback, and resolves to what request() resolves to. */
  release(value?: unknown): Promise<unknown> {
    this.#gate.pass(value);
    return within(this.result, 'the end of a request');
  }

  /** Lets the callback's promise reject. */
  fail(reason: unknown): void {
    this.#gate.fail(reason);
  }
}

/** Holds a lock. */
export async function hold(
  manager: LockManager,
  name: string,
  options?: LockOptions,
): Promise<Holding> {
  const holding = new Holding(manager, name, options);
  await holding.granted;
  return holding;
}

/** What the promise rejects with. Fails if it does not reject. */
export async function rejection(promise: Promise<unknown>): Promise<unknown> {
  let reason: unknown;
  let isRejected = false;
  const settled = promise.catch((caught: unknown) => {
    isRejected = true;
    reason = caught;
  });
  await within(settled, 'a rejection');
  assert.ok(isRejected, 'did not reject');
  return reason;
}

/** Checks that it rejects with a plain TypeError. */
export async function assertTypeError(promise: Promise<unknown>): Promise<void> {
  const error = await rejection(promise);
  assert.equal((error as Error)?.constructor, TypeError, String(error));
}

/** Checks that it rejects with a plain DOMException of that name. */
export async function assertDOMException(promise: Promise<unknown>, name: string): Promise<void> {
  const error = (await rejection(promise)) as DOMException;
  assert.equal(error?.constructor, DOMException, String(error));
  assert.equal(error.name, name, error.message);
}

/** Checks that it rejects because the lock was stolen. */
export async function assertStolen(promise: Promise<unknown>): Promise<void> {
  const error = (await rejection(promise)) as DOMException;
  assert.equal(error?.constructor, DOMException, String(error));
  const { name, code } = error as { name: string; code: unknown };
  assert.deepEqual([name, code], ['AbortError', 'ERR_HOLDFAST_STOLEN']);
}

/** How many requests for a name hold their lock, and how many wait. */
export async function counts(manager: LockManager, name: string): Promise<[number, number]> {
  const { held, pending } = await manager.query();
  const of = (all: typeof held) => all.filter((one) => one.name === name).length;
  return [of(held), of(pending)];
}

/** Resolves when so many requests hold a name, and so many wait for it. */
export function untilCounts(
  manager: LockManager,
  name: string,
  held: number,
  pending: number,
): Promise<void> {
  const what = `${held} hold ${JSON.stringify(name.slice(0, 20))} and ${pending} wait`;
  return until(async () => {
    const [nowHeld, nowPending] = await counts(manager, name);
    return nowHeld === held && nowPending === pending;
  }, what);
}

/** Checks that nobody holds a name or waits for it, and that it can be had at once. */
export async function assertFree(manager: LockManager, name: string): Promise<void> {
  assert.deepEqual(await counts(manager, name), [0, 0]);
  assert.ok(await manager.request(name, { ifAvailable: true }, (lock) => lock !== null));
}
