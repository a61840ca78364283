// One request of a lock or a permit: from the call to the release.
//
//   asked -> waits -> held -> released
//     |        |        +-> lost: with the session, or to a thief
//     +--------+-> aborted, timed out, lost with the session: withdrawn
//
// The engine decides. Its answer to the request and the news of a grant come on two connections, in
// any order. A request that was given up before the engine has answered is ended after the answer.
import { type ClosedError, TimeoutError } from '../errors.js';
import { stolenError } from '../locks/errors.js';
import type { WaitOptions } from '../options.js';
import { unwatchAbort, watchAbort } from '../waiting/abort.js';
import { Alarm } from '../waiting/clock.js';
import { requestsAround } from './around.js';
import type { Answer, Asked, Grant } from './engine.js';
import { LockLostError } from './errors.js';
import { Fence } from './fence.js';
import { type Dependent, type Requester, type Session, lostError } from './session.js';

/** What is asked for, before it has a number. */
export interface Wanted extends Omit<Asked, 'request' | 'inside'> {
  /** False: its wait takes no part in deadlocks. */
  readonly deadlock: boolean;
}

/** A lock or a permit that is held. */
export class Held extends Fence {
  readonly abandoned: boolean | undefined;
  readonly #asked: Asked;
  #released: Promise<void> | undefined;

  constructor(session: Session, asked: Asked, { token, abandoned }: Grant) {
    super(session, token);
    this.abandoned = abandoned;
    this.#asked = asked;
  }

  get request(): number {
    return this.#asked.request;
  }

  /** True from when its release was sent. */
  get isOver(): boolean {
    return this.#released !== undefined || this.lostError !== undefined;
  }

  stolen(): void {
    this.lost(lostError('stolen', this.#asked.name));
  }

  /** Resolves when the engine has released it. Rejects if it had been lost before. */
  release(): Promise<void> {
    this.#released ??= this.#release();
    return this.#released;
  }

  async #release(): Promise<void> {
    this.#throwIfLost();
    let wasHeld: boolean;
    try {
      this.session.check();
      wasHeld = await this.session.engine.end(this.#asked);
    } catch (error) {
      this.#throwIfLost();
      throw error;
    } finally {
      this.session.leave(this.#asked.request);
    }
    // The engine has heard of a loss, and this process not yet.
    if (!wasHeld) this.stolen();
    this.#throwIfLost();
    this.over();
  }

  #throwIfLost(): void {
    if (this.lostError !== undefined) throw reasonOf(this.lostError, this.#asked.name);
  }
}

/** What a promise rejects with: of a theft the standard's own error. */
export function reasonOf(error: LockLostError | ClosedError, name: string): unknown {
  const isTheft = error instanceof LockLostError && error.reason === 'stolen';
  return isTheft ? stolenError(name) : error;
}

/** Waits for a lock or a permit. Null if `ifAvailable` found it taken. */
export function acquire(
  opened: Promise<Session>,
  wanted: Wanted,
  wait: WaitOptions,
): Promise<Held | null> {
  return new Promise((resolve, reject) => {
    new Acquisition(opened, wanted, wait, resolve, reject);
  });
}

class Acquisition implements Requester, Dependent {
  readonly #wanted: Wanted;
  readonly #wait: WaitOptions;
  readonly #resolve: (held: Held | null) => void;
  readonly #reject: (reason: unknown) => void;
  #session: Session | undefined;
  #asked: Asked | undefined;
  /** The engine's answer. */
  #answered: Promise<unknown> | undefined;
  #hasAnswer = false;
  #hasTimedOut = false;
  #isOver = false;
  #held: Held | undefined;
  #alarm: Alarm | undefined;
  #onAbort: (() => void) | undefined;

  constructor(
    opened: Promise<Session>,
    wanted: Wanted,
    wait: WaitOptions,
    resolve: (held: Held | null) => void,
    reject: (reason: unknown) => void,
  ) {
    this.#wanted = wanted;
    this.#wait = wait;
    this.#resolve = resolve;
    this.#reject = reject;
    const { signal, timeout } = wait;
    if (signal !== undefined) {
      this.#onAbort = () => this.#withdraw(signal.reason);
      watchAbort(signal, this.#onAbort);
    }
    if (timeout !== undefined) this.#alarm = new Alarm(timeout, () => this.#timedOut());
    opened.then(
      (session) => this.#ask(session),
      (error: unknown) => this.#end(error),
    );
  }

  #ask(session: Session): void {
    if (this.#isOver) return;
    this.#session = session;
    session.tell(this);
    if (session.lostError !== undefined) return this.lost(session.lostError);
    const { kind, name, mode, permits, ifAvailable, steal, deadlock } = this.#wanted;
    const inside = deadlock ? requestsAround(session) : undefined;
    const request = session.enter(this);
    const asked = { request, kind, name, mode, permits, ifAvailable, steal, inside };
    this.#asked = asked;
    this.#answered = session.engine.ask(asked).then(
      (answer) => this.#hear(answer),
      (error: unknown) => this.#end(session.lostError ?? error),
    );
  }

  #hear(answer: Answer): void {
    this.#hasAnswer = true;
    if (this.#isOver) return;
    if (typeof answer === 'object') this.granted(answer);
    else if (answer === 'unavailable') this.#end(null);
    else if (this.#hasTimedOut) this.#timedOut();
  }

  granted(grant: Grant): void {
    if (this.#isOver) return;
    this.#isOver = true;
    this.#stopWaiting();
    this.#held = new Held(this.#session!, this.#asked!, grant);
    this.#resolve(this.#held);
  }

  stolen(): void {
    this.#held?.stolen();
  }

  failed(error: Error): void {
    this.#end(error);
  }

  lost(error: LockLostError | ClosedError): void {
    this.#end(error);
  }

  /** A timeout ends a wait in the line of the engine. It does not keep from trying once. */
  #timedOut(): void {
    this.#hasTimedOut = true;
    if (this.#asked !== undefined && !this.#hasAnswer) return;
    if (this.#asked === undefined && this.#wait.timeout === 0) return;
    const { name } = this.#wanted;
    this.#withdraw(
      new TimeoutError(`${JSON.stringify(name)}: not acquired in ${this.#wait.timeout} ms`, {
        objectName: name,
      }),
    );
  }

  /** Gives up, and takes the request out of the engine. */
  #withdraw(reason: unknown): void {
    if (this.#isOver) return;
    const [session, asked] = [this.#session, this.#asked];
    this.#end(reason);
    if (session === undefined || asked === undefined) return;
    void this.#answered!.then(async () => {
      if (session.lostError !== undefined) return;
      // If the engine cannot be told, the session is lost, and this request with it.
      await session.engine.end(asked).catch(() => {});
    });
  }

  /** Ends without a hold. Null is not an error: it was not to be had. */
  #end(reason: unknown): void {
    if (this.#isOver) return;
    this.#isOver = true;
    this.#stopWaiting();
    if (this.#asked !== undefined) this.#session!.leave(this.#asked.request);
    if (reason === null) this.#resolve(null);
    else this.#reject(reason);
  }

  #stopWaiting(): void {
    this.#alarm?.cancel();
    if (this.#onAbort !== undefined) unwatchAbort(this.#wait.signal!, this.#onAbort);
    this.#session?.forget(this);
  }
}
