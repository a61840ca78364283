// Waiting without a thread: pending acquisitions, the bell, and the slice.
//
// One queue an object that is waited for, in each JS thread. Only its head competes with the other
// threads and processes; behind it acquisitions are served first come, first served. The head asks
// for a ring, looks once more (a release between its first look and its asking would be missed
// otherwise: INV-4 of native/core/wait_set.h) and then leaves it to the event loop. Every 50 ms each
// head looks by itself: what a crash has lost is found there (INV-6).
import { ClosedError, TimeoutError, label } from './errors.js';
import type { NativeObject } from './native.js';
import type { WaitOptions } from './options.js';

/** As kSlice_ns in native/core/waiting.h. */
const slice_ms = 50;

/** Something that can be waited for: an open handle. */
export interface Target {
  readonly native: NativeObject;
  readonly kind: string;
  readonly name: string;
}

/** Zero, or what the acquisition is called: see NativeObject.tryAcquire. */
type Hold = number;

class Pending {
  next: Pending | undefined;
  previous: Pending | undefined;
  timer: NodeJS.Timeout | undefined;
  constructor(
    readonly target: Target,
    readonly resolve: (hold: Hold) => void,
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
/** Runs while anybody waits, and so keeps the process alive exactly as long. */
let sliceTimer: NodeJS.Timeout | undefined;

/** Does anybody in this thread wait for the object? Then a newcomer has to stand behind. */
export function isWaitedFor(tag: number): boolean {
  return queues.size !== 0 && queues.has(tag);
}

/**
 * Waits for an acquisition that has just failed, or has to stand behind others.
 * The promise settles in one of four ways: acquired, timed out, aborted, closed.
 */
export function waitFor(target: Target, options: WaitOptions | undefined): Promise<Hold> {
  const timeout = options?.timeout;
  if (timeout === 0) return Promise.reject(timedOut(target, 0));
  target.native.contend();
  return new Promise((resolve, reject) => {
    const signal = options?.signal;
    const onAbort = signal ? () => withdraw(queue, pending, signal.reason) : undefined;
    const pending = new Pending(target, resolve, reject, signal, onAbort);
    const queue = queues.get(target.native.tag) ?? new WaitQueue(target.native.tag);
    queue.append(pending);
    queues.set(queue.tag, queue);
    sliceTimer ??= setInterval(onSlice, slice_ms);
    if (signal && onAbort) signal.addEventListener('abort', onAbort, { once: true });
    if (timeout !== undefined) {
      pending.timer = setTimeout(() => {
        withdraw(queue, pending, timedOut(target, timeout));
      }, timeout);
    }
    if (queue.head === pending) serve(queue, true);
  });
}

/** Blocks the thread until acquired; returns to JavaScript once a slice, so that it can be terminated. */
export function waitForSync(target: Target, timeout: number | undefined): Hold {
  const { native } = target;
  const deadline = timeout === undefined ? Infinity : performance.now() + timeout;
  if (timeout !== 0) native.contend();
  for (;;) {
    const left = deadline - performance.now();
    if (timeout === 0 || left <= 0) throw timedOut(target, timeout ?? 0);
    const hold = native.wait(Math.min(left, slice_ms));
    if (hold !== 0) return hold;
  }
}

/** The handle is about to be closed: everybody who waits through it is told. */
export function rejectAll(target: Target): void {
  const queue = queues.get(target.native.tag);
  for (let pending = queue?.head; queue && pending; ) {
    const next: Pending | undefined = pending.next;
    if (pending.target === target) withdraw(queue, pending, closed(target));
    pending = next;
  }
}

/** The bell has rung for these objects. The addon calls this. */
export function onRings(tags: number[]): void {
  for (const tag of tags) {
    const queue = queues.get(tag);
    if (!queue?.head) continue; // passed on when its last waiter left
    // The waker took the entry out. If it is still there the ring was for an earlier one; take it
    // out ourselves, serve() asks again if need be.
    queue.head.target.native.cancel(queue.entry);
    queue.entry = -1;
    serve(queue);
  }
}

function onSlice(): void {
  for (const queue of queues.values()) serve(queue);
}

/**
 * Gives the object to as many as can have it, from the head on; the rest keeps asking. Nothing here
 * runs code of the caller's: promises settle later.
 */
function serve(queue: WaitQueue, headHasTried = false): void {
  let tried = headHasTried;
  for (let pending = queue.head; pending; pending = queue.head, tried = false) {
    const { native } = pending.target;
    let hold: Hold;
    try {
      hold = tried ? 0 : native.tryAcquire();
      if (hold === 0) {
        queue.entry = native.enrol(queue.entry, queue.length);
        hold = native.tryAcquire();
      }
    } catch (error) {
      leave(queue, pending);
      pending.reject(error);
      continue;
    }
    if (hold === 0) return;
    leave(queue, pending);
    pending.resolve(hold);
  }
}

function withdraw(queue: WaitQueue, pending: Pending, reason: unknown): void {
  const wasHead = queue.head === pending;
  leave(queue, pending);
  pending.reject(reason);
  // The next in line may be able to have what the head could not (the entry is still ours).
  if (wasHead && queue.head) serve(queue);
}

function leave(queue: WaitQueue, pending: Pending): void {
  queue.unlink(pending);
  clearTimeout(pending.timer);
  if (pending.signal && pending.onAbort) {
    pending.signal.removeEventListener('abort', pending.onAbort);
  }
  if (queue.head) return;
  queues.delete(queue.tag);
  if (queues.size === 0) {
    clearInterval(sliceTimer);
    sliceTimer = undefined;
  }
  // A ring that is on its way to nobody belongs to somebody else.
  const { native } = pending.target;
  if (!native.cancel(queue.entry)) native.passOn();
}

function timedOut(target: Target, timeout: number): TimeoutError {
  return new TimeoutError(
    `${label(target.kind, target.name)}: not acquired within ${timeout} ms`,
    describe(target),
  );
}

function closed(target: Target): ClosedError {
  return new ClosedError(
    `${label(target.kind, target.name)}: closed while it was waited for`,
    describe(target),
  );
}

function describe(target: Target): { kind: string; objectName: string } {
  return { kind: target.kind, objectName: target.name };
}
