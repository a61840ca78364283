// One request of LockManager.request(): from the call to the end of its callback.
//
//   asked -> granted -> the callback runs -> released
//     |         |              |
//     |         |              +-> stolen: the promise rejects, the callback runs on
//     |         +-> aborted before the callback runs: released, it is not called
//     +-> aborted, timed out, closed: taken out of the table
//
// The table says when it is granted; that may be at once. The callback runs in a microtask after
// that, in the async context of the call.
import { type Acquisition, beginAcquisition } from '../channels.js';
import { Hold, context, holdingsWith } from '../holds/context.js';
import { requestStatus } from '../native/enums.js';
import { unwatchAbort, watchAbort } from '../waiting/abort.js';
import { Alarm } from '../waiting/clock.js';
import { timedOut } from '../waiting/waiter.js';
import type { ReadRequest } from './arguments.js';
import { publish } from './channels.js';
import { fullError, stolenError } from './errors.js';
import { type Lock, makeLock, setStolen } from './lock.js';
import { type Answer, type Entry, type Table, corrupt } from './table.js';

export class Request {
  readonly #table: Table;
  readonly #read: ReadRequest;
  readonly #resolve: (value: unknown) => void;
  readonly #reject: (reason: unknown) => void;
  /** Settles when the callback is to be called: in the context in which the request was made. */
  readonly #answered: (answer: Answer) => void;
  readonly #entry: Entry;
  #acquisition: Acquisition | undefined;
  #isAnswered = false;
  #alarm: Alarm | undefined;
  #onAbort: (() => void) | undefined;
  #lock: Lock | undefined;
  #hold: Hold | undefined;
  #isOver = false;
  #isStolen = false;
  #isReleased = false;

  constructor(
    table: Table,
    read: ReadRequest,
    resolve: (value: unknown) => void,
    reject: (reason: unknown) => void,
  ) {
    this.#table = table;
    this.#read = read;
    this.#resolve = resolve;
    this.#reject = reject;
    let answered!: (answer: Answer) => void;
    void new Promise<Answer>((settle) => (answered = settle)).then((answer) => this.#run(answer));
    this.#answered = answered;
    publish('start', table.name, read);
    const { name, mode, ifAvailable, steal, signal, timeout, deadlock } = read;
    this.#acquisition = beginAcquisition(table, mode, false, name);
    const exclusive = mode === 'exclusive';
    const asked = { name, exclusive, ifAvailable, steal, looksForDeadlocks: deadlock };
    this.#entry = table.ask(asked, (answer) => this.#hear(answer));
    if (this.#isOver) return;
    if (!this.#isAnswered) this.#acquisition?.waits();
    if (signal !== undefined) {
      this.#onAbort = () => this.#withdraw(signal.reason);
      watchAbort(signal, this.#onAbort);
    }
    if (timeout !== undefined && !this.#entry.isHeld) {
      const onTimeout = () => this.#withdraw(timedOut(this.#table, timeout));
      this.#alarm = new Alarm(timeout, onTimeout);
    }
  }

  /** What the table says. No code of the user runs in here. */
  #hear(answer: Answer): void {
    this.#isAnswered = true;
    switch (answer.status) {
      case requestStatus.granted:
      case requestStatus.unavailable:
        this.#alarm?.cancel();
        this.#answered(answer);
        return;
      case requestStatus.stolen:
        this.#alarm?.cancel();
        this.#isStolen = true;
        this.#reject(stolenError(this.#read.name));
        // Granted and stolen before this thread heard of either: the callback is called all the
        // same.
        if (this.#lock !== undefined) {
          setStolen(this.#lock);
          if (!this.#isReleased) this.#acquisition?.released();
        }
        this.#answered(answer);
        return;
      case requestStatus.full:
        this.#end(fullError());
        return;
      case requestStatus.gone:
        this.#end(answer.error ?? this.#table.closedError());
        return;
      default:
        this.#end(corrupt(this.#table));
    }
  }

  /** Ends it without calling back. */
  #end(reason: unknown): void {
    this.#isOver = true;
    this.#stopWaiting();
    this.#reject(reason);
    const { signal } = this.#read;
    this.#acquisition?.failed(reason, signal?.aborted === true && reason === signal.reason);
    publish('end', this.#table.name, this.#read, { error: reason });
  }

  /** An abort or a timeout before the callback was called. */
  #withdraw(reason: unknown): void {
    if (this.#isOver) return;
    this.#table.end(this.#entry);
    this.#end(reason);
  }

  #stopWaiting(): void {
    this.#alarm?.cancel();
    if (this.#onAbort !== undefined) unwatchAbort(this.#read.signal!, this.#onAbort);
    this.#onAbort = undefined;
  }

  #run({ status, token, abandoned }: Answer): void {
    if (this.#isOver) return;
    this.#isOver = true;
    this.#stopWaiting();
    const { name, mode } = this.#read;
    if (status === requestStatus.unavailable) {
      publish('miss', this.#table.name, this.#read);
      this.#acquisition?.missed();
      this.#call(null, () => {});
      return;
    }
    const lock = (this.#lock = makeLock(name, mode, abandoned, token));
    if (this.#isStolen) setStolen(lock);
    publish('grant', this.#table.name, this.#read);
    this.#acquisition?.acquired(abandoned);
    if (!this.#read.deadlock) {
      this.#call(lock, () => this.release());
      return;
    }
    const hold = (this.#hold = new Hold());
    const { tag } = this.#table;
    const isReleased = () => this.#isStolen || this.#isReleased;
    const { ticket } = this.#entry;
    hold.held = { tag, lock: name, hold: ticket, isShared: mode === 'shared', isReleased };
    context.run(holdingsWith(hold), () => this.#call(lock, () => this.release()));
  }

  #call(lock: Lock | null, release: () => void): void {
    const { callback } = this.#read;
    // A callback that throws rejects the promise in here.
    new Promise((resolve) => resolve(callback(lock))).then(
      (value) => {
        release();
        this.#resolve(value);
        publish('end', this.#table.name, this.#read);
      },
      (reason: unknown) => {
        release();
        this.#reject(reason);
        publish('end', this.#table.name, this.#read, { error: reason });
      },
    );
  }

  /** Ends the hold. A second call does nothing. */
  release(): void {
    if (this.#isStolen || this.#isReleased) return;
    this.#isReleased = true;
    if (this.#hold !== undefined) this.#hold.isOver = true;
    this.#acquisition?.released();
    const status = this.#table.end(this.#entry);
    if (status === requestStatus.granted) return;
    if (status === requestStatus.corrupt) {
      this.#reject(corrupt(this.#table));
      return;
    }
    // Another thread has stolen it, and this one not heard of it yet.
    this.#hear({ status: requestStatus.stolen, token: 0, abandoned: false });
  }
}
