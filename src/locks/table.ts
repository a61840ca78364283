// The table of one namespace as this thread has it open.
//
// The table in shared memory decides everything: it has each request of each thread, in the order
// in which they came. This file tells the requests of this thread what became of them. The addon
// wakes the thread when there is news, and collect() returns the news of all requests at once. Each
// slice (50 ms) the thread looks by itself, so a wake-up that a crash has lost costs no more than
// that.
import { addWaits, lookForDeadlocks } from '../deadlocks/detector.js';
import { addHolds, resourceOf } from '../deadlocks/pins.js';
import type { Need } from '../deadlocks/record.js';
import { type LongWait, waitAcquired, waitFailed } from '../deadlocks/told.js';
import { ClosedError, CorruptError, label } from '../errors.js';
import { type Holdings, context } from '../holds/context.js';
import { requestStatus, slice_ms } from '../native/enums.js';
import type { Native } from '../native/bindings.js';
import { addon } from '../native/load.js';
import { once } from '../native/once.js';
import type { OpenOptions } from '../options.js';
import { type KindOptions, Shared } from '../objects/shared.js';
import { type Timer, clearInterval, now, setInterval, setTimeout } from '../waiting/clock.js';
import { listenForWakeUps, stopListening } from '../waiting/loop-waits.js';
import { type Row, made } from './made.js';

const operations = addon.LockManager;

/** What is asked of the table. */
export interface Asked {
  readonly name: string;
  readonly exclusive: boolean;
  readonly ifAvailable: boolean;
  readonly steal: boolean;
  /** Does its wait take part in the search for deadlocks? Not here if it blocks the thread. */
  readonly looksForDeadlocks: boolean;
}

/** What the table says of a request. */
export interface Answer {
  readonly status: number;
  readonly token: number;
  readonly abandoned: boolean;
  /** Why the table grants nothing any more. */
  readonly error?: unknown;
}

/** A request of this thread, from request() to its end. */
export class Entry implements LongWait {
  /** When it began to wait. */
  begun = 0;
  readonly isSync = false;
  holdings: Holdings | undefined;
  cell = 0;
  /** 0 until the request is in the table. */
  ticket = 0;
  isHeld = false;
  constructor(
    readonly table: Table,
    readonly asked: Asked,
    /** Called with each change of its status. Must not throw, nor run code of the user. */
    readonly tell: (answer: Answer) => void,
  ) {}

  need(): Need | undefined {
    return this.asked.looksForDeadlocks ? this.needInLine() : undefined;
  }

  /** Undefined before it is in the table: nobody is behind it. */
  needInLine(): Need | undefined {
    if (this.ticket === 0) return undefined;
    const { kind, name, tag } = this.table;
    const { name: lock, exclusive } = this.asked;
    const how = exclusive ? 'exclusive' : 'shared';
    return { resource: resourceOf(tag, lock), kind, name, lock, how, ticket: this.ticket };
  }

  fail(error: unknown): void {
    this.table.end(this);
    this.tell({ status: requestStatus.gone, token: 0, abandoned: false, error });
  }
}

/** The requests of this thread in one table, through all objects that it has for the table. */
class ThreadRequests {
  /** Requests in the table, by their tickets. */
  readonly entries = new Map<number, Entry>();
  /** Requests that could not be put into the table yet, because it was busy. */
  waiting: Entry[] = [];
  /** Requests that have ended here, and in the table not yet, because it was busy. */
  ending: Entry[] = [];
  pending = 0;
  slices = 0;
  timer: Timer | undefined;
}

/** By the tag of the table: all objects of this thread for one table have one ThreadRequests. */
const byTag = once('requests', () => new Map<number, ThreadRequests>());

addWaits('requests', function* (begunBefore) {
  for (const ours of byTag.values()) {
    // The event loop of a blocked thread does not hear of thefts and grants.
    anyOf(ours)?.collect();
    const { entries } = ours;
    for (const entry of entries.values()) {
      if (!entry.isHeld && entry.begun <= begunBefore) yield entry;
    }
  }
});

addHolds('requests', function* () {
  for (const { entries } of byTag.values()) {
    for (const { table, asked, ticket, isHeld } of entries.values()) {
      if (!isHeld) continue;
      const resource = resourceOf(table.tag, asked.name);
      yield { resource, hold: ticket, mode: asked.exclusive ? 'exclusive' : 'shared' };
    }
  }
});

/** A thread that only holds locks looks once in so many slices whether one was stolen. */
const slicesOfHolder = 20;

export class Table extends Shared<'LockManager'> {
  readonly tag: number;

  constructor(options: OpenOptions, ofKind: KindOptions) {
    super('LockManager', options, ofKind);
    this.tag = operations.tag(this.native);
  }

  /** Puts a request into the table, and tells it what becomes of it, the first time at once. */
  ask(asked: Asked, tell: (answer: Answer) => void): Entry {
    const entry = new Entry(this, asked, tell);
    entry.holdings = context.getStore();
    void this.native; // closed?
    const ours = this.#ofThread();
    // A request never overtakes those that came before it.
    if (ours.waiting.length > 0 || !this.#put(ours, entry)) {
      ours.waiting.push(entry);
      ours.pending++;
    }
    // Who holds it may be about to release it. To sleep and to be woken takes longer than that.
    const isOnlyWait = ours.pending === 1 && entry.ticket !== 0;
    if (isOnlyWait) operations.spinBriefly(this.native, entry.cell, entry.ticket);
    // The victims of a theft may be requests of this thread.
    if (ours.pending > 0 || asked.steal) this.collect();
    else this.#tend(ours);
    return entry;
  }

  /** Ends a request, whether it waits or holds. Its status until then; `granted`: it held. */
  end(entry: Entry): number {
    const ours = this.#ofThread();
    const { waiting } = ours;
    const place = waiting.indexOf(entry);
    if (place !== -1) {
      waiting.splice(place, 1);
      ours.pending--;
      return requestStatus.pending;
    }
    if (!ours.entries.delete(entry.ticket)) return requestStatus.gone;
    waitFailed(entry);
    if (!entry.isHeld) ours.pending--;
    const status = operations.end(this.native, entry.cell, entry.ticket);
    if (status === requestStatus.busy) ours.ending.push(entry);
    if (ours.pending > 0) this.collect();
    else this.#tend(ours);
    return status === requestStatus.busy ? requestStatus.granted : status;
  }

  /** Blocks the thread until the request holds the lock or is stolen, for `ms` or one slice. */
  wait(entry: Entry, ms: number): void {
    if (entry.ticket !== 0) operations.wait(this.native, entry.cell, entry.ticket, ms);
    this.look();
  }

  /** What is done each slice, and when an agent has died that this thread watches. */
  look(): void {
    if (this.endIfRemoved()) return;
    const ours = this.#ofThread();
    for (const entry of ours.ending.splice(0)) {
      const status = operations.end(this.native, entry.cell, entry.ticket);
      if (status === requestStatus.busy) ours.ending.push(entry);
    }
    while (ours.waiting.length > 0) {
      const [entry] = ours.waiting;
      if (!this.#put(ours, entry!)) break;
      ours.waiting.shift();
      ours.pending--;
    }
    if (ours.pending > 0) operations.look(this.native);
    this.collect();
  }

  /** If somebody removed its files by hand, the requests that wait here end. Holders go on. */
  endIfRemoved(): boolean {
    try {
      addon.common.needFiles(this.native);
      return false;
    } catch (error) {
      const ours = this.#ofThread();
      const pending = this.#takePending(ours);
      for (const entry of pending) {
        if (entry.ticket === 0) continue;
        const status = operations.end(this.native, entry.cell, entry.ticket);
        if (status === requestStatus.busy) ours.ending.push(entry);
      }
      this.#tend(ours);
      for (const { tell } of pending) {
        tell({ status: requestStatus.gone, token: 0, abandoned: false, error });
      }
      return true;
    }
  }

  /** Tells the requests of this thread what the table has to tell them. */
  collect(): void {
    const ours = this.#ofThread();
    const news = operations.collect(this.native);
    if (news === undefined) {
      this.#endPending(ours);
      return;
    }
    for (let i = 0; i < news.length; i += 5) {
      const [status, , ticket, token, abandoned] = news.slice(i, i + 5) as Row;
      const entry = ours.entries.get(ticket);
      if (entry === undefined) continue; // it has ended here
      if (!entry.isHeld) ours.pending--;
      if (status === requestStatus.stolen) ours.entries.delete(ticket);
      this.#tell(entry, status, token, abandoned !== 0);
    }
    this.#tend(ours);
  }

  /** The requests of this thread for a name. */
  *requestsFor(name: string): Generator<Entry> {
    for (const entry of this.#ofThread().entries.values()) {
      if (entry.asked.name === name) yield entry;
    }
  }

  query(): ReturnType<typeof operations.query> {
    const all = operations.query(this.native);
    this.collect();
    return all;
  }

  inspect(): ReturnType<typeof operations.inspect> {
    return operations.inspect(this.native);
  }

  override mayClose(): boolean {
    for (const entry of this.#ofThread().entries.values()) {
      if (entry.table === this && entry.isHeld) return false;
    }
    return true;
  }

  override close(): void {
    if (this.isOpen && this.mayClose()) {
      const ours = this.#ofThread();
      const leaving = [...ours.entries.values(), ...ours.waiting].filter(
        (one) => one.table === this,
      );
      for (const entry of leaving) {
        this.end(entry);
        entry.tell({ status: requestStatus.gone, token: 0, abandoned: false });
      }
      this.#endLater(ours);
    }
    super.close();
  }

  /** Of what could not be ended yet: the native object stays open until that has been done. */
  #endLater(ours: ThreadRequests): void {
    const isOurs = ({ table }: Entry) => table === this;
    const ending = ours.ending.filter(isOurs);
    if (ending.length === 0) return;
    ours.ending = ours.ending.filter((entry) => !isOurs(entry));
    this.#tend(ours);
    void this.retain((native) => endAll(native, ending));
  }

  /** The error of requests that the end of their object has ended. */
  closedError(): ClosedError {
    return new ClosedError(`${label(this.kind, this.name)}: closed while it was waited for`, {
      kind: this.kind,
      objectName: this.name,
    });
  }

  /** A table that cannot be read any more grants nothing. */
  #endPending(ours: ThreadRequests): void {
    const pending = this.#takePending(ours);
    ours.ending.splice(0);
    this.#tend(ours);
    for (const { tell } of pending) {
      tell({ status: requestStatus.corrupt, token: 0, abandoned: false });
    }
  }

  /** The requests of this thread that wait: from here on it knows nothing of them. */
  #takePending(ours: ThreadRequests): Entry[] {
    const pending = [...ours.entries.values()].filter(({ isHeld }) => !isHeld);
    for (const entry of pending) {
      ours.entries.delete(entry.ticket);
      waitFailed(entry);
    }
    ours.pending = 0;
    return [...pending, ...ours.waiting.splice(0)];
  }

  /** False if the table is busy. */
  #put(ours: ThreadRequests, entry: Entry): boolean {
    const { name, exclusive, ifAvailable, steal } = entry.asked;
    const status = operations.request(this.native, name, exclusive, ifAvailable, steal);
    if (status === requestStatus.busy) return false;
    const { cell, ticket, token, abandoned } = made;
    if (ticket !== 0) {
      entry.cell = cell;
      entry.ticket = ticket;
      ours.entries.set(ticket, entry);
    }
    if (status === requestStatus.pending) {
      ours.pending++;
      entry.begun = now();
    } else {
      this.#tell(entry, status, token, abandoned);
    }
    return true;
  }

  #tell(entry: Entry, status: number, token: number, abandoned: boolean): void {
    if (status === requestStatus.granted) {
      entry.isHeld = true;
      waitAcquired(entry);
    } else waitFailed(entry);
    entry.tell({ status, token, abandoned });
  }

  #ofThread(): ThreadRequests {
    let ours = byTag.get(this.tag);
    if (ours === undefined) byTag.set(this.tag, (ours = new ThreadRequests()));
    return ours;
  }

  /**
   * The timer keeps the process alive while a request waits. It is stopped at the first slice that
   * finds nothing to look for, and not earlier: requests often follow each other closely.
   */
  #tend(ours: ThreadRequests): void {
    if (ours.timer === undefined) {
      if (ours.entries.size === 0 && ours.pending === 0 && ours.ending.length === 0) return;
      ours.timer = setInterval(() => onSlice(this.tag, ours), slice_ms);
      listenForWakeUps(this.tag, (isDeath) => {
        if (isDeath) anyOf(ours)?.look();
        else anyOf(ours)?.collect();
      });
    }
    if (ours.pending > 0 || ours.ending.length > 0) ours.timer.ref();
    else ours.timer.unref();
  }
}

async function endAll(native: Native<'LockManager'>, ending: readonly Entry[]): Promise<void> {
  for (const { cell, ticket } of ending) {
    while (operations.end(native, cell, ticket) === requestStatus.busy) {
      await new Promise((resolve) => setTimeout(resolve, slice_ms));
    }
  }
}

function onSlice(tag: number, ours: ThreadRequests): void {
  const table = anyOf(ours);
  if (table === undefined) {
    clearInterval(ours.timer);
    stopListening(tag);
    byTag.delete(tag);
    return;
  }
  const isIdle = ours.pending === 0 && ours.ending.length === 0;
  if (!isIdle) lookForDeadlocks();
  if (!isIdle || ++ours.slices % slicesOfHolder === 0) table.look();
  else table.endIfRemoved(); // warns the process
}

/** An object through which the table can be reached: that of a request. */
function anyOf(ours: ThreadRequests): Table | undefined {
  for (const { table } of ours.entries.values()) return table;
  return (ours.waiting[0] ?? ours.ending[0])?.table;
}

/** @throws CorruptError if the file has been written over. */
export function corrupt(table: Table): CorruptError {
  return new CorruptError(`${label(table.kind, table.name)}: its file has been written over`, {
    kind: table.kind,
    objectName: table.name,
  });
}
