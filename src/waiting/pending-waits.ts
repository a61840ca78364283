// The queue of pending waits: waiting without blocking the thread.
//
// Each thread has one queue for each object that it waits for. Waits of one thread are served first
// come, first served. Only the head of a queue competes with other threads and processes.
//
// The head first enrols in the object's wait set and then tries once more. Without that second try
// it would miss a release that happened between its first try and the enrolment (INV-4,
// native/core/registry/wait_set.h). After that the event loop is free until the object wakes this
// thread through its doorbell.
//
// Every slice (50 ms) each head tries by itself. A wake-up that a crash has lost is made up for
// there (INV-6). A thread whose waits all hear of everything that could end them dozes: from its
// second slice on it looks every second (INV-28).
import { addWaits, isAsked, lookForDeadlocks, patience_ms } from '../deadlocks/detector.js';
import type { Need } from '../deadlocks/record.js';
import { type LongWait, tellsWaits, waitAcquired, waitFailed } from '../deadlocks/told.js';
import { ClosedError, type DeadlockError, label } from '../errors.js';
import { type Holdings, context } from '../holds/context.js';
import { overdue_ms, slice_ms } from '../native/enums.js';
import { once } from '../native/once.js';
import { unwatchAbort, watchAbort } from './abort.js';
import type { Acquirable } from './acquirable.js';
import { Alarm, now } from './clock.js';
import type { StepOptions } from './deadline.js';
import { listeners, loopWaitsFor } from './loop-waits.js';
import { type Recall, calledOff } from './recall.js';
import { isDozing, keepAlive, lookEachSlice, lookNoMore, lookSeldom } from './slices.js';
import type { WaitSet } from './wait-set.js';
import { type Waiter, describe, timedOut } from './waiter.js';

/** Something that a thread can wait for. */
export interface Waitable<T> {
  /** The wait set that wakes this thread when `take()` may succeed. */
  readonly waitSet: WaitSet;
  /**
   * Takes what is waited for, or returns undefined. It must not block. If it throws, the wait
   * rejects with that error.
   */
  take(): T | undefined;
  /** The same directly after this thread has enrolled, if that can be had for less. */
  readonly takeEnrolled?: (() => T | undefined) | undefined;
  /** If true, every waiter retries on each wake-up, because the resource is not exclusive. */
  readonly retryAll?: boolean;
  /** Why a wait lasted so long: the cause of its TimeoutError. */
  cause?(): Error | undefined;
  /** Called when the last wait of this thread has ended. */
  done?(): void;
  /** What is waited for, if somebody can be found who holds it. */
  readonly need?: (() => Need) | undefined;
}

class PendingWait implements LongWait {
  readonly isSync = false;
  readonly holdings: Holdings | undefined = context.getStore();
  next: PendingWait | undefined;
  previous: PendingWait | undefined;
  alarm: Alarm | undefined;
  constructor(
    readonly begun: number,
    readonly waiter: Waiter,
    readonly waitable: Waitable<unknown>,
    readonly resolve: (value: never) => void,
    readonly reject: (reason: unknown) => void,
    readonly signal: AbortSignal | undefined,
    readonly onAbort: (() => void) | undefined,
    readonly recall: Recall | undefined,
    readonly onRecall: (() => void) | undefined,
    readonly queue: WaitQueue,
    readonly looksForDeadlocks: boolean,
    readonly gathered: StepOptions['gathered'],
  ) {}

  need(): Need | undefined {
    return this.looksForDeadlocks ? this.waitable.need?.() : undefined;
  }

  fail(error: DeadlockError): void {
    withdraw(this.queue, this, error);
  }
}

/** The pending waits of this thread for one object: a doubly linked list. */
class WaitQueue {
  head: PendingWait | undefined;
  tail: PendingWait | undefined;
  length = 0;
  /** The index of this thread's entry in the object's wait set; -1 without one. */
  entry = -1;
  /** True if others were told that it has waited for too long. */
  isOverdue = false;
  constructor(
    readonly tag: number,
    /** When this thread began to wait, or was last served. */
    public since: number,
  ) {}

  append(pending: PendingWait): void {
    pending.previous = this.tail;
    if (this.tail) this.tail.next = pending;
    else this.head = pending;
    this.tail = pending;
    this.length++;
  }

  unlink(pending: PendingWait): void {
    if (pending.previous) pending.previous.next = pending.next;
    else this.head = pending.next;
    if (pending.next) pending.next.previous = pending.previous;
    else this.tail = pending.previous;
    pending.previous = undefined;
    pending.next = undefined;
    this.length--;
  }
}

/** The queues that are not empty, by the tag of their wait set. */
const queues = once('queues', () => new Map<number, WaitQueue>());
addWaits('pending', function* (begunBefore) {
  for (const { head } of queues.values()) {
    for (let pending = head; pending; pending = pending.next) {
      if (pending.begun > begunBefore) break;
      yield pending;
    }
  }
});

/** True if a wait of this thread for the object is pending. A new wait has to queue behind it. */
export function isWaitedFor(tag: number): boolean {
  return queues.size !== 0 && queues.has(tag);
}

/**
 * Waits for something that could not be taken at once, or that other waits of this thread are
 * queued for. The promise settles in one of six ways: taken, timed out, aborted, called off,
 * closed, ended as the youngest wait of a deadlock.
 */
export function waitFor<T>(
  waiter: Waiter,
  waitable: Waitable<T>,
  options: StepOptions | undefined,
): Promise<T> {
  const timeout = options?.timeout;
  const given = options?.given ?? timeout;
  // The object may have been closed since the caller looked. Then rejectAll() has already run, and
  // would never reject this wait.
  if (!waiter.isOpen) return Promise.reject(closed(waiter));
  if (timeout === 0) return Promise.reject(timedOut(waiter, given, waitable.cause?.()));
  const taken = takeAfterSpin(waitable);
  if (taken !== undefined) return taken;
  return new Promise((resolve, reject) => {
    const begun = now();
    const { tag } = waitable.waitSet;
    const signal = options?.signal;
    const onAbort = signal ? () => withdraw(queue, pending, signal.reason) : undefined;
    const recall = options?.recall;
    const onRecall = recall ? () => withdraw(queue, pending, calledOff) : undefined;
    const queue = queues.get(tag) ?? new WaitQueue(tag, begun);
    const pending = new PendingWait(
      begun,
      waiter,
      waitable,
      resolve,
      reject,
      signal,
      onAbort,
      recall,
      onRecall,
      queue,
      options?.deadlock !== false,
      options?.gathered,
    );
    queue.append(pending);
    queues.set(queue.tag, queue);
    loopWaitsFor(queues.size);
    lookEachSlice(onSlice);
    keepAlive(true);
    if (signal && onAbort) watchAbort(signal, onAbort);
    if (recall && onRecall) recall.pending.add(onRecall);
    if (timeout !== undefined) {
      const onTimeout = () => withdraw(queue, pending, timedOut(waiter, given, waitable.cause?.()));
      pending.alarm = new Alarm(timeout, onTimeout);
    }
    if (queue.head === pending) serve(queue, true);
    else updateCount(queue);
  });
}

/** Spins before enrolling (WaitSet.spinBriefly), unless a caller in this thread is queued. */
function takeAfterSpin<T>(waitable: Waitable<T>): Promise<T> | undefined {
  const { waitSet } = waitable;
  if (isWaitedFor(waitSet.tag) || !waitSet.spinBriefly()) return undefined;
  try {
    const taken = waitable.take();
    if (taken === undefined) return undefined;
    waitable.done?.();
    return Promise.resolve(taken);
  } catch (error) {
    waitable.done?.();
    return Promise.reject(error as Error);
  }
}

/** Rejects every wait that goes through an object which is about to be closed. */
export function rejectAll(waiter: Waiter): void {
  for (const queue of queues.values()) {
    const { head } = queue;
    const leaving: PendingWait[] = [];
    for (let pending = head; pending; pending = pending.next) {
      if (pending.waiter === waiter) leaving.push(pending);
    }
    // All of them leave before the queue is served: nothing may be taken through this object any
    // more.
    for (const pending of leaving) {
      leave(queue, pending);
      pending.reject(closed(waiter));
    }
    if (queue.head !== head) serve(queue);
  }
}

/**
 * The addon calls this when the doorbell has woken the thread. `tags` names the objects; 0 says
 * that an agent which this thread watches has died.
 */
export function onWakeUps(tags: number[]): void {
  for (const tag of tags) {
    if (tag === 0) {
      for (const queue of queues.values()) serve(queue);
      for (const listener of listeners.values()) listener(true);
      continue;
    }
    listeners.get(tag)?.(false);
    const queue = queues.get(tag);
    if (!queue?.head) continue; // the last wait passed the wake-up on when it left
    // If the entry is still there, the wake-up was for an earlier one, or for all who doze. Then we
    // remove the entry here, and serve() enrols again if need be.
    const { waitSet } = queue.head.waitable;
    waitSet.cancel(queue.entry);
    queue.entry = -1;
    if (isDozing()) waitSet.spinBriefly(); // a release rings for them, and frees it in a moment
    serve(queue);
  }
  if (queues.size !== 0) lookEachSlice(onSlice);
}

function onSlice(): void {
  if (queues.size === 0) return lookNoMore();
  for (const queue of queues.values()) serve(queue);
  lookForDeadlocks();
  if (queues.size === 0) return;
  if (mayDoze()) lookSeldom(onSlice, untilPatienceEnds());
  else lookEachSlice(onSlice);
}

/** After all have been served: to serve one may end what another is watching. */
function mayDoze(): boolean {
  if (tellsWaits()) return false;
  const all = [...queues.values()];
  // After mayDoze() a release wakes all who wait, so it is not asked if one of the waits cannot.
  return (
    all.every(({ head }) => head!.waitable.waitSet.canDoze) &&
    all.every(({ head, entry }) => head!.waitable.waitSet.mayDoze(entry))
  );
}

/**
 * In milliseconds: within which time a thread that looks each slice would find that the next wait
 * has lasted for so long that it is told.
 */
function untilPatienceEnds(): number {
  const at = now();
  let left = Infinity;
  for (const { tail } of queues.values()) {
    for (let pending = tail; pending; pending = pending.previous) {
      if (isAsked(pending.begun)) break;
      left = Math.min(left, pending.begun + patience_ms + slice_ms - at);
    }
  }
  return left;
}

/**
 * Settles as many waits as can be settled now, from the head on; the others stay enrolled. No code
 * of the user runs in here, because promises settle later.
 *
 * @param headHasTried the head has begun to wait, and has called `take()` just now, in vain.
 */
function serve(queue: WaitQueue, headHasTried = false): void {
  let pending = queue.head;
  for (let hasTried = headHasTried; pending; hasTried = false) {
    const { next } = pending;
    if (!trySettle(queue, pending, hasTried) && !pending.waitable.retryAll) return;
    pending = next;
  }
}

/** Settles one wait if it can be settled now. Returns false if the wait goes on. */
function trySettle(queue: WaitQueue, pending: PendingWait, hasTried: boolean): boolean {
  const { waitable, signal, recall } = pending;
  // A signal or a recall ends its waits one after another. The end of an earlier wait led here, and
  // the turn of this wait has not come yet.
  if (signal?.aborted || recall?.called) {
    leave(queue, pending);
    pending.reject(signal?.aborted ? signal.reason : calledOff);
    return true;
  }
  let taken: unknown;
  try {
    if (!hasTried) taken = waitable.take();
    if (taken === undefined) {
      queue.entry = waitable.waitSet.enrol(queue.entry, queue.length);
      if (waitable.waitSet.isFair && !hasTried) announceIfOverdue(queue, waitable.waitSet);
      taken = waitable.takeEnrolled ? waitable.takeEnrolled() : waitable.take();
    }
  } catch (error) {
    leave(queue, pending);
    pending.reject(error);
    return true;
  }
  if (taken === undefined) return false;
  waitAcquired(pending);
  leave(queue, pending);
  if (queue.head) startAnew(queue);
  pending.resolve(taken as never);
  return true;
}

/**
 * A thread that has waited for 3 ms is next: others give way to it. It is one thread that waits,
 * however many of its waits are pending, so it starts anew when one of them was served. The caller
 * tries once more: by now others may have left it free for this thread.
 */
function announceIfOverdue(queue: WaitQueue, waitSet: WaitSet): void {
  const waited_ms = now() - queue.since;
  if (waited_ms < overdue_ms) return;
  waitSet.announce(waited_ms);
  queue.isOverdue = true;
}

function startAnew(queue: WaitQueue): void {
  queue.since = now();
  queue.isOverdue = false;
}

/** Ends a wait by a timeout, an abort or a recall. */
function withdraw(queue: WaitQueue, pending: PendingWait, reason: unknown): void {
  const wasHead = queue.head === pending;
  leave(queue, pending);
  pending.reject(reason);
  // The next wait may be able to take what the head could not. The entry in the wait set stays
  // ours.
  if (wasHead && queue.head) serve(queue);
  else updateCount(queue);
}

/** Writes into the wait set how many waits are pending here. inspect() shows the sum. */
function updateCount(queue: WaitQueue): void {
  if (queue.head && queue.entry !== -1) {
    queue.entry = queue.head.waitable.waitSet.enrol(queue.entry, queue.length);
  }
}

function leave(queue: WaitQueue, pending: PendingWait): void {
  queue.unlink(pending);
  waitFailed(pending); // unless it has acquired
  pending.alarm?.cancel();
  if (pending.signal && pending.onAbort) unwatchAbort(pending.signal, pending.onAbort);
  if (pending.recall && pending.onRecall) pending.recall.pending.delete(pending.onRecall);
  if (queue.head) return;
  queues.delete(queue.tag);
  loopWaitsFor(queues.size);
  if (queues.size === 0) keepAlive(false);
  // cancel() is false if a wake-up is on its way to us. Nobody here needs it, so another waiter
  // gets it.
  const { waitSet } = pending.waitable;
  if (!waitSet.cancel(queue.entry)) waitSet.passOn();
  if (queue.isOverdue) waitSet.withdraw();
  pending.waitable.done?.();
}

function closed(waiter: Waiter): ClosedError {
  return new ClosedError(
    `${label(waiter.kind, waiter.name)}: closed while it was waited for`,
    describe(waiter),
  );
}

/** Waits until this thread has acquired something. */
export async function waitToAcquire<T>(
  waiter: Waiter,
  acquirable: Acquirable<T>,
  options: StepOptions | undefined,
): Promise<T> {
  if (options?.timeout !== 0) acquirable.contend();
  const take = () => acquirable.tryAcquireOrRescue();
  const takeEnrolled = acquirable.tryAcquireEnrolled && (() => acquirable.tryAcquireEnrolled!());
  const need = acquirable.need && (() => acquirable.need!());
  return waitFor(waiter, { waitSet: acquirable.waiters, take, takeEnrolled, need }, options);
}
