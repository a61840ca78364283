// Checks of the errors of this package, in one place.
import assert from 'node:assert/strict';
import { getSystemErrorMap } from 'node:util';
import { DeadlockError, type DeadlockedWait } from 'holdfast';
import { now } from './time.js';

/** Codes are stable, so the tests have their own list of them. */
const codes = {
  TimeoutError: 'ERR_HOLDFAST_TIMEOUT',
  NotLockedError: 'ERR_HOLDFAST_NOT_LOCKED',
  NotOwnerError: 'ERR_HOLDFAST_NOT_OWNER',
  OverReleaseError: 'ERR_HOLDFAST_OVER_RELEASE',
  DeadlockError: 'ERR_HOLDFAST_DEADLOCK',
  ClosedError: 'ERR_HOLDFAST_CLOSED',
  HeldError: 'ERR_HOLDFAST_HELD',
  ExistsError: 'ERR_HOLDFAST_EXISTS',
  NotFoundError: 'ERR_HOLDFAST_NOT_FOUND',
  IncompatibleError: 'ERR_HOLDFAST_INCOMPATIBLE',
  CorruptError: 'ERR_HOLDFAST_CORRUPT',
  NoSpaceError: 'ERR_HOLDFAST_NO_SPACE',
  PermissionError: 'ERR_HOLDFAST_PERMISSION',
  EndedError: 'ERR_HOLDFAST_ENDED',
  BrokenBarrierError: 'ERR_HOLDFAST_BROKEN_BARRIER',
  RemovedError: 'ERR_HOLDFAST_REMOVED',
  DecodeError: 'ERR_HOLDFAST_DECODE',
  LockLostError: 'ERR_HOLDFAST_LOCK_LOST',
  EngineUnavailableError: 'ERR_HOLDFAST_ENGINE_UNAVAILABLE',
  UnsupportedEngineError: 'ERR_HOLDFAST_UNSUPPORTED_ENGINE',
} as const;
export type ErrorName = keyof typeof codes;

export interface About {
  kind?: string;
  objectName?: string;
  /** Of the system call that failed: a name such as ENOSPC. */
  errno?: string;
  syscall?: string | RegExp;
}

/** Fails unless `error` is that error, about that object, because of that system call. */
export function assertError(error: unknown, name: ErrorName, about: About = {}): void {
  assert.ok(error instanceof Error, `not an Error: ${String(error)}`);
  const { code, kind, objectName, errno, syscall, cause } = error as Partial<
    Record<'code' | 'kind' | 'objectName' | 'errno' | 'syscall', unknown>
  > & { cause?: unknown };
  assert.equal(error.name, name, error.stack);
  assert.equal(code, codes[name]);
  if ('kind' in about) assert.equal(kind, about.kind);
  if ('objectName' in about) assert.equal(objectName, about.objectName);
  if (error instanceof DeadlockError) assertCycle(error);
  if (about.errno === undefined) return;
  assert.equal(errno, errnoOf(about.errno), `errno of ${error.message}`);
  assert.equal(typeof syscall, 'string');
  if (about.syscall !== undefined) assert.match(String(syscall), new RegExp(about.syscall));
  assert.ok(cause instanceof Error, 'a cause');
  assert.equal((cause as NodeJS.ErrnoException).code, about.errno);
}

/** Every DeadlockError says who waits for what, and who holds it. Each waits for the next one. */
function assertCycle({ kind, objectName, cycle }: DeadlockError): void {
  assert.deepEqual([cycle[0]?.kind, cycle[0]?.name], [kind, objectName]);
  for (const [i, { heldBy }] of cycle.entries()) {
    const next = cycle[(i + 1) % cycle.length]!;
    const isNext = ({ pid, threadId }: DeadlockedWait['heldBy'][number]) =>
      pid === next.pid && threadId === next.threadId;
    assert.ok(heldBy.some(isNext), JSON.stringify(cycle));
  }
}

function errnoOf(name: string): number {
  for (const [number, [known]] of getSystemErrorMap()) if (known === name) return -number;
  throw new Error(`no such errno: ${name}`);
}

export async function assertRejects(
  promise: Promise<unknown>,
  name: ErrorName,
  about?: About,
): Promise<void> {
  let error: unknown;
  try {
    await promise;
  } catch (caught) {
    error = caught;
  }
  assert.notEqual(error, undefined, `did not reject; ${name} was expected`);
  assertError(error, name, about);
}

export function assertThrows(fn: () => unknown, name: ErrorName, about?: About): void {
  let error: unknown;
  try {
    fn();
  } catch (caught) {
    error = caught;
  }
  assert.notEqual(error, undefined, `did not throw; ${name} was expected`);
  assertError(error, name, about);
}

/** Checks that a wait, blocking or not, lasts its timeout and ends with TimeoutError. */
export async function assertTimesOut(
  wait: (options: { timeout: number }) => unknown,
  timeout: number,
  about: About,
): Promise<void> {
  const began = now();
  await assertRejects((async () => wait({ timeout }))(), 'TimeoutError', about);
  assert.ok(now() - began >= timeout, `it waits for ${timeout} ms`);
}

/**
 * Checks that an abort ends waits, and that an aborted signal lets none begin. Calls `meanwhile`
 * when two waits are pending, before the abort.
 */
export async function assertAborts(
  wait: (options: { signal: AbortSignal; timeout?: number }) => Promise<unknown>,
  meanwhile: () => void = () => {},
): Promise<void> {
  const controller = new AbortController();
  const { signal } = controller;
  const waits = [wait({ signal }), wait({ signal, timeout: 60_000 })];
  meanwhile();
  const reason = new Error('enough');
  controller.abort(reason);
  for (const pending of waits) await assert.rejects(pending, reason);
  await assert.rejects(wait({ signal }), reason);
}
