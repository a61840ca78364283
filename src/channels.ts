// What node:diagnostics_channel hears of waits and holds, of queues and of processes.
//
// There are four channels, each with one kind of message; docs/diagnostics.md describes them.
// While nobody listens to a channel, an operation asks that once and does nothing else.
//
// A message is published by the thread that acts, in the middle of its operation. A subscriber must
// not throw: Node reports what it throws as an uncaught exception.
import { type Channel, channel } from 'node:diagnostics_channel';
import { performance } from 'node:perf_hooks';
import type { DeadlockedWait } from './errors.js';

export const acquireChannel: Channel = channel('holdfast.acquire');
export const queueChannel: Channel = channel('holdfast.queue');
export const processChannel: Channel = channel('holdfast.process');
export const deadlockChannel: Channel = channel('holdfast.deadlock');

/** What is acquired. */
export interface Subject {
  /** The class of the object. */
  readonly kind: string;
  /** The name of the object. */
  readonly name: string;
}

/** What is acquired: a lock, in one of two modes, or a permit. */
export type AcquireMode = 'exclusive' | 'shared' | 'permit';

/**
 * The steps of an acquisition. `start`: it was asked for. `wait`: it was not to be had at once.
 * `acquired`: it is held. `abandoned`: it is held, and the last holder died; after `acquired`.
 * `timeout`, `abort`, `deadlock`, `error`: the wait ended without it. `released`: the hold has
 * ended. `lost`: its guard was garbage-collected, so nobody can release it.
 */
export type AcquireEvent =
  | 'start'
  | 'wait'
  | 'acquired'
  | 'abandoned'
  | 'timeout'
  | 'abort'
  | 'deadlock'
  | 'error'
  | 'released'
  | 'lost';

/** A message of `holdfast.acquire`. */
export interface AcquireMessage extends Subject {
  /** Which step it is. */
  readonly event: AcquireEvent;
  /**
   * The same in all messages of one acquisition, and unique in the thread. 0: a release by name,
   * not by a guard.
   */
  readonly id: number;
  /** How it is to be held. */
  readonly mode: AcquireMode;
  /** True if the caller blocks its thread. */
  readonly sync: boolean;
  /** Of a LockManager: the name of the lock in its namespace. */
  readonly lock?: string;
  /** On `timeout`, `abort`, `deadlock` and `error`: what the wait ends with. */
  readonly error?: unknown;
}

/** A message of `holdfast.queue`. */
export interface QueueMessage extends Subject {
  /** What happened: `take` is a get on lease. */
  readonly event: 'put' | 'get' | 'take';
  /** Items that went in or came out at once. */
  readonly count: number;
  /** When that was, on the clock of performance.now(). */
  readonly time: number;
}

/** A message of `holdfast.process`. */
export interface ProcessMessage {
  /** It has been started, or it has ended. */
  readonly event: 'start' | 'end';
  /** The name of the Process. */
  readonly name: string;
  /** The process id. */
  readonly pid: number | undefined;
  /** On `end`: as Process.exitCode has it. */
  readonly exitCode?: number | null;
}

/** What an error with such a code is told as. */
const eventOfCode = new Map<unknown, AcquireEvent>([
  ['ERR_HOLDFAST_TIMEOUT', 'timeout'],
  ['ERR_HOLDFAST_DEADLOCK', 'deadlock'],
]);

/** A message of `holdfast.deadlock`. */
export interface DeadlockMessage {
  /** False: it is only a suspicion, because some holds are guards in variables. */
  readonly certain: boolean;
  /** The waits, as DeadlockError has them. */
  readonly cycle: readonly DeadlockedWait[];
}

let lastId = 0;

/** An acquisition that somebody listens to, from its start to its release. */
export class Acquisition {
  readonly #subject: Subject;
  readonly #mode: AcquireMode;
  readonly #sync: boolean;
  readonly #lock: string | undefined;
  readonly #id = ++lastId;

  constructor(subject: Subject, mode: AcquireMode, sync: boolean, lock?: string) {
    this.#subject = { kind: subject.kind, name: subject.name };
    this.#mode = mode;
    this.#sync = sync;
    this.#lock = lock;
    this.#publish('start');
  }

  waits(): void {
    this.#publish('wait');
  }

  acquired(abandoned: boolean): void {
    this.#publish('acquired');
    if (abandoned) this.#publish('abandoned');
  }

  released(): void {
    this.#publish('released');
  }

  /** Its guard was garbage-collected, and had not been released. */
  lost(): void {
    this.#publish('lost');
  }

  /** A single try found it taken. */
  missed(): void {
    this.#publish('timeout');
  }

  /** The wait ended with this error. */
  failed(error: unknown, isAbort: boolean): void {
    const event = eventOfCode.get((error as { code?: unknown } | null)?.code);
    this.#publish(event ?? (isAbort ? 'abort' : 'error'), error);
  }

  #publish(event: AcquireEvent, error?: unknown): void {
    const lock = this.#lock;
    const message: AcquireMessage = {
      event,
      id: this.#id,
      ...this.#subject,
      ...(lock !== undefined && { lock }),
      mode: this.#mode,
      sync: this.#sync,
      ...(error !== undefined && { error }),
    };
    acquireChannel.publish(message);
  }
}

/** Begins an acquisition; undefined if nobody listens. */
export function beginAcquisition(
  subject: Subject,
  mode: AcquireMode,
  sync: boolean,
  lock?: string,
): Acquisition | undefined {
  return acquireChannel.hasSubscribers ? new Acquisition(subject, mode, sync, lock) : undefined;
}

/** A release by name, not by a guard: nobody knows of which acquisition. */
export function publishRelease({ kind, name }: Subject, mode: AcquireMode): void {
  if (!acquireChannel.hasSubscribers) return;
  const message = { event: 'released', id: 0, kind, name, mode, sync: false } as const;
  acquireChannel.publish(message satisfies AcquireMessage);
}

/**
 * Items went into a queue, or came out of it. That may be while waits are served, and no code of
 * the user may run there. So the message is published in a microtask, and says when it was.
 */
export function publishItems(subject: Subject, event: QueueMessage['event'], count = 1): void {
  if (!queueChannel.hasSubscribers) return;
  const { kind, name } = subject;
  const message: QueueMessage = { event, kind, name, count, time: performance.now() };
  void Promise.resolve().then(() => queueChannel.publish(message));
}

/** In a microtask, because waits are being looked through. */
export function publishDeadlock(message: DeadlockMessage): void {
  if (!deadlockChannel.hasSubscribers) return;
  void Promise.resolve().then(() => deadlockChannel.publish(message));
}

export function publishProcess(message: ProcessMessage): void {
  if (processChannel.hasSubscribers) processChannel.publish(message);
}
