// Waiting without a thread: pending acquisitions, the bell, and the slice.
//
// One queue an object that is waited for, in each JS thread. Only its head competes with the other
// threads and processes; behind it acquisitions are served first come, first served. The head asks
// for a ring, looks once more (a release between its first look and its asking would be missed
// otherwise: INV-4 of native/core/agents/wait_set.h) and then leaves it to the event loop. Every 50 ms each
// head looks by itself: what a crash has lost is found there (INV-6).
import { ClosedError, TimeoutError, label } from '../errors.js';
import type { NativeAcquirable, NativeSource } from '../native/bindings.js';
import { slice_ms } from '../native/enums.js';
import type { WaitOptions } from '../options.js';

/** Who waits: an open handle. */
export interface Waiter {
  readonly kind: string;
  readonly name: string;
  readonly isOpen: boolean;
}

/** What is waited for. */
export interface Wanted<T> {
  /** Rings when it may be there. */
  readonly source: NativeSource;
  /** Takes it, or returns undefined. Does not block. What it throws, the wait rejects with. */
  take(): T | undefined;
  /**
   * What one has the others can have as well, or each waits for something of its own: then everybody
   * looks, not only the head.
   */
  readonly everybody?: boolean;
  /** Nobody in this thread waits for it any more. */
  done?(): void;
}

class Pending {
  next: Pending | undefined;
  previous: Pending | undefined;
  timer: NodeJS.Timeout | undefined;
  constructor(
    readonly waiter: Waiter,
    readonly wanted: Wanted<unknown>,
    readonly resolve: (value: never) => void,
    readonly reject: (reason: unknown) => void,
    readonly signal: AbortSignal | undefined,
    readonly onAbort: (() => void) | undefined,
  ) {}
}

class WaitQueue {
  head: Pending | undefined;
  tail: Pending | undefined;
  length = 0;
  /** This thread's entry in the object's wait set; -1 without one. */
  entry = -1;
  constructor(readonly tag: number) {}

  append(pending: Pending): void {
    pending.previous = this.tail;
    if (this.tail) this.tail.next = pending;
    else this.head = pending;
    this.tail = pending;
    this.length++;
  }

  unlink(pending: Pending): void {
    if (pending.previous) pending.previous.next = pending.next;
    else this.head = pending.next;
    if (pending.next) pending.next.previous = pending.previous;
    else this.tail = pending.previous;
    pending.previous = undefined;
    pending.next = undefined;
    this.length--;
  }
}

/** Queues that somebody waits in, by the object's tag. */
const queues = new Map<number, WaitQueue>();
/**
 * Referenced while anybody waits, and so keeps the process alive exactly as long. It is taken down at the
 * first slice that finds nobody: waits often follow each other, and making a timer is dear.
 */
let sliceTimer: NodeJS.Timeout | undefined;

/** Does anybody in this thread wait for the object? Then a newcomer has to stand behind. */
export function isWaitedFor(tag: number): boolean {
  return queues.size !== 0 && queues.has(tag);
}

/**
 * Waits for what could not be taken just now, or has to stand behind others.
 * The promise settles in one of four ways: taken, timed out, aborted, closed.
 */
export function waitFor<T>(
  waiter: Waiter,
  wanted: Wanted<T>,
  options: WaitOptions | undefined,
): Promise<T> {
  const timeout = options?.timeout;
  // Closed since the caller looked: rejectAll() would never come for it.
  if (!waiter.isOpen) return Promise.reject(closed(waiter));
  if (timeout === 0) return Promise.reject(timedOut(waiter, 0));
  const taken = takeSoon(wanted);
  if (taken !== undefined) return taken;
  return new Promise((resolve, reject) => {
    const { tag } = wanted.source;
    const signal = options?.signal;
    const onAbort = signal ? () => withdraw(queue, pending, signal.reason) : undefined;
    const pending = new Pending(waiter, wanted, resolve, reject, signal, onAbort);
    const queue = queues.get(tag) ?? new WaitQueue(tag);
    queue.append(pending);
    queues.set(queue.tag, queue);
    if (queues.size === 1) {
      sliceTimer ??= setInterval(onSlice, slice_ms);
      sliceTimer.ref();
    }
    if (signal && onAbort) signal.addEventListener('abort', onAbort, { once: true });
    if (timeout !== undefined) {
      const deadline = performance.now() + timeout;
      const onTimer = () => {
        const left = deadline - performance.now();
        // Node's timers count whole milliseconds of a clock that is read now and then: they may be early.
        if (left > 0) pending.timer = setTimeout(onTimer, Math.ceil(left));
        else withdraw(queue, pending, timedOut(waiter, timeout));
      };
      pending.timer = setTimeout(onTimer, Math.ceil(timeout));
    }
    if (queue.head === pending) serve(queue, true);
    else recount(queue);
  });
}

/** Cheaper than to wait, if it is about to come; and a newcomer has to stand behind who waits. */
function takeSoon<T>(wanted: Wanted<T>): Promise<T> | undefined {
  const { source } = wanted;
  if (isWaitedFor(source.tag) || !source.soon()) return undefined;
  try {
    const taken = wanted.take();
    if (taken === undefined) return undefined;
    wanted.done?.();
    return Promise.resolve(taken);
  } catch (error) {
    wanted.done?.();
    return Promise.reject(error as Error);
  }
}

let betweenSlices: (() => void) | undefined;

/** What a blocked thread does between two slices, because its event loop cannot. */
export function setBetweenSlices(work: () => void): void {
  betweenSlices = work;
}

/**
 * Blocks the thread until `takeWithin(ms)` returns something. That blocks for one slice at most: between
 * slices we are in JavaScript, where a worker can be terminated.
 */
export function waitForSync<T>(
  waiter: Waiter,
  takeWithin: (ms: number) => T | undefined,
  timeout: number | undefined,
): T {
  if (timeout === 0) throw timedOut(waiter, 0);
  const deadline = timeout === undefined ? undefined : performance.now() + timeout;
  for (;;) {
    const left = deadline === undefined ? Infinity : deadline - performance.now();
    if (left <= 0) throw timedOut(waiter, timeout!);
    const taken = takeWithin(Math.min(left, slice_ms));
    if (taken !== undefined) return taken;
    betweenSlices?.();
  }
}

/** The handle is about to be closed: everybody who waits through it is told. */
export function rejectAll(waiter: Waiter): void {
  for (const queue of queues.values()) {
    const { head } = queue;
    const leaving: Pending[] = [];
    for (let pending = head; pending; pending = pending.next) {
      if (pending.waiter === waiter) leaving.push(pending);
    }
    // All of them before anybody is served: nothing may be taken through this handle any more.
    for (const pending of leaving) {
      leave(queue, pending);
      pending.reject(closed(waiter));
    }
    if (queue.head !== head) serve(queue);
  }
}

/** The bell has rung for these objects; 0 is news of a death. The addon calls this. */
export function onRings(tags: number[]): void {
  for (const tag of tags) {
    if (tag === 0) {
      // Somebody died whom somebody here waits for.
      for (const queue of queues.values()) serve(queue);
      continue;
    }
    const queue = queues.get(tag);
    if (!queue?.head) continue; // passed on when its last waiter left
    // The waker took the entry out. If it is still there the ring was for an earlier one; take it
    // out ourselves, serve() asks again if need be.
    queue.head.wanted.source.cancel(queue.entry);
    queue.entry = -1;
    serve(queue);
  }
}

function onSlice(): void {
  if (queues.size === 0) {
    clearInterval(sliceTimer);
    sliceTimer = undefined;
    return;
  }
  for (const queue of queues.values()) serve(queue);
}

/**
 * Gives the object to as many as can have it, from the head on; the rest keeps asking. Nothing here
 * runs code of the caller's: promises settle later.
 */
function serve(queue: WaitQueue, headHasTried = false): void {
  let pending = queue.head;
  for (let tried = headHasTried; pending; tried = false) {
    const { next } = pending;
    if (!settle(queue, pending, tried) && !pending.wanted.everybody) return;
    pending = next;
  }
}

/** Has the wait come to its end? */
function settle(queue: WaitQueue, pending: Pending, tried: boolean): boolean {
  const { wanted, signal } = pending;
  if (signal?.aborted) {
    // The abort has been announced to somebody before us, and our turn to hear of it comes after this.
    leave(queue, pending);
    pending.reject(signal.reason);
    return true;
  }
  let taken: unknown;
  try {
    if (!tried) taken = wanted.take();
    if (taken === undefined) {
      queue.entry = wanted.source.enrol(queue.entry, queue.length);
      taken = wanted.take();
    }
  } catch (error) {
    leave(queue, pending);
    pending.reject(error);
    return true;
  }
  if (taken === undefined) return false;
  leave(queue, pending);
  pending.resolve(taken as never);
  return true;
}

function withdraw(queue: WaitQueue, pending: Pending, reason: unknown): void {
  const wasHead = queue.head === pending;
  leave(queue, pending);
  pending.reject(reason);
  // The next in line may be able to have what the head could not (the entry is still ours).
  if (wasHead && queue.head) serve(queue);
  else recount(queue);
}

/** Tells the others how many wait here; inspect() shows it. */
function recount(queue: WaitQueue): void {
  if (queue.head && queue.entry !== -1) {
    queue.entry = queue.head.wanted.source.enrol(queue.entry, queue.length);
  }
}

function leave(queue: WaitQueue, pending: Pending): void {
  queue.unlink(pending);
  clearTimeout(pending.timer);
  if (pending.signal && pending.onAbort) {
    pending.signal.removeEventListener('abort', pending.onAbort);
  }
  if (queue.head) return;
  queues.delete(queue.tag);
  if (queues.size === 0) sliceTimer?.unref();
  // A ring that is on its way to nobody belongs to somebody else.
  const { source } = pending.wanted;
  if (!source.cancel(queue.entry)) source.passOn();
  pending.wanted.done?.();
}

function timedOut(waiter: Waiter, timeout: number): TimeoutError {
  return new TimeoutError(
    `${label(waiter.kind, waiter.name)}: the wait ended after ${Number(timeout.toFixed(3))} ms`,
    describe(waiter),
  );
}

function closed(waiter: Waiter): ClosedError {
  return new ClosedError(
    `${label(waiter.kind, waiter.name)}: closed while it was waited for`,
    describe(waiter),
  );
}

function describe(waiter: Waiter): { kind: string; objectName: string } {
  return { kind: waiter.kind, objectName: waiter.name };
}

/** The wait for a hold of a Lock, RLock or Semaphore. */
export async function waitForHold(
  waiter: Waiter & { readonly native: NativeAcquirable },
  options: WaitOptions | undefined,
): Promise<number> {
  const { native } = waiter;
  if (options?.timeout !== 0) native.contend();
  const take = () => native.tryAcquire() || undefined;
  return waitFor(waiter, { source: native, take }, options);
}

/** The same, blocking the thread. */
export function waitForHoldSync(
  waiter: Waiter & { readonly native: NativeAcquirable },
  timeout: number | undefined,
): number {
  const { native } = waiter;
  if (timeout !== 0) native.contend();
  return waitForSync(waiter, (ms) => native.wait(ms) || undefined, timeout);
}
