// What every hold of a session has: its token, and the news that it is lost.
import { type ClosedError, NotLockedError } from '../errors.js';
import type { Fenced } from './cluster.js';
import type { LockLostError } from './errors.js';
import type { Dependent, Session } from './session.js';

export class Fence implements Fenced, Dependent {
  readonly token: bigint;
  readonly session: Session;
  #controller: AbortController | undefined;
  #error: LockLostError | ClosedError | undefined;
  #isOver = false;
  /** Called when the hold is lost. */
  onLost: ((error: LockLostError | ClosedError) => void) | undefined;

  constructor(session: Session, token: bigint) {
    this.session = session;
    this.token = token;
    session.tell(this);
  }

  get signal(): AbortSignal {
    if (this.#controller === undefined) {
      this.#controller = new AbortController();
      if (this.#error !== undefined) this.#controller.abort(this.#error);
    }
    return this.#controller.signal;
  }

  check(): void {
    if (this.#error === undefined && this.#isOver) {
      throw new NotLockedError('it was released, and holds nothing any more');
    }
    if (this.#error === undefined) this.session.check();
    if (this.#error !== undefined) throw this.#error;
  }

  /** Why it is lost. Undefined while it is held. */
  get lostError(): LockLostError | ClosedError | undefined {
    return this.#error;
  }

  lost(error: LockLostError | ClosedError): void {
    if (this.#isOver || this.#error !== undefined) return;
    this.#error = error;
    this.session.forget(this);
    this.onLost?.(error);
    this.#controller?.abort(error);
  }

  /** It was released. Nothing is lost with the session any more. */
  protected over(): void {
    this.#isOver = true;
    this.session.forget(this);
  }
}
