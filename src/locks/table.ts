// The table of one namespace as this thread has it open.
//
// The table in shared memory decides everything: it has each request of each thread, in the order
// in which they came. This file tells the requests of this thread what became of them. The addon
// wakes the thread when there is news, and collect() returns the news of all requests at once. Each
// slice (50 ms) the thread looks by itself, so a wake-up that a crash has lost costs no more than
// that.
import { ClosedError, CorruptError, label } from '../errors.js';
import type { NativeRequest } from '../native/lock-manager.js';
import { requestStatus, slice_ms } from '../native/enums.js';
import { addon } from '../native/load.js';
import { once } from '../native/once.js';
import type { OpenOptions } from '../options.js';
import { type KindOptions, Shared } from '../objects/shared.js';
import { type Timer, clearInterval, setInterval } from '../waiting/clock.js';
import { listenForWakeUps, stopListening } from '../waiting/pending-waits.js';

const operations = addon.LockManager;

/** What is asked of the table. */
export interface Asked {
  readonly name: string;
  readonly exclusive: boolean;
  readonly ifAvailable: boolean;
  readonly steal: boolean;
}

/** What the table says of a request. */
export interface Answer {
  readonly status: number;
  readonly token: number;
  readonly abandoned: boolean;
}

/** A request of this thread, from request() to its end. */
export class Entry {
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
}

/** The requests of this thread in one table, through all objects that it has for the table. */
class Desk {
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

/** By the tag of the table: all objects of this thread for one table have one Desk. */
const desks = once('desks', () => new Map<number, Desk>());

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
    void this.native; // closed?
    const desk = this.#desk();
    // A request never overtakes those that came before it.
    if (desk.waiting.length > 0 || !this.#put(desk, entry)) {
      desk.waiting.push(entry);
      desk.pending++;
    }
    // The victims of a theft may be requests of this thread.
    if (desk.pending > 0 || asked.steal) this.collect();
    else this.#tend(desk);
    return entry;
  }

  /** Ends a request, whether it waits or holds. True if it held the lock until then. */
  end(entry: Entry): boolean {
    const desk = this.#desk();
    const { waiting } = desk;
    const place = waiting.indexOf(entry);
    if (place !== -1) {
      waiting.splice(place, 1);
      desk.pending--;
      return false;
    }
    if (!desk.entries.delete(entry.ticket)) return false;
    if (!entry.isHeld) desk.pending--;
    const status = operations.end(this.native, entry.cell, entry.ticket);
    if (status === requestStatus.busy) desk.ending.push(entry);
    if (desk.pending > 0) this.collect();
    else this.#tend(desk);
    return status === requestStatus.granted || status === requestStatus.busy;
  }

  /** Blocks the thread until the request holds the lock or is stolen, for `ms` or one slice. */
  wait(entry: Entry, ms: number): void {
    if (entry.ticket !== 0) operations.wait(this.native, entry.cell, entry.ticket, ms);
    this.look();
  }

  /** What is done each slice, and when an agent has died that this thread watches. */
  look(): void {
    const desk = this.#desk();
    for (const entry of desk.ending.splice(0)) {
      const status = operations.end(this.native, entry.cell, entry.ticket);
      if (status === requestStatus.busy) desk.ending.push(entry);
    }
    while (desk.waiting.length > 0) {
      const [entry] = desk.waiting;
      if (!this.#put(desk, entry!)) break;
      desk.waiting.shift();
      desk.pending--;
    }
    if (desk.pending > 0) operations.look(this.native);
    this.collect();
  }

  /** Tells the requests of this thread what the table has to tell them. */
  collect(): void {
    const desk = this.#desk();
    const news = operations.collect(this.native);
    if (news === undefined) {
      this.#endPending(desk);
      return;
    }
    for (let i = 0; i < news.length; i += 5) {
      const one = news.slice(i, i + 5) as unknown as NativeRequest;
      const entry = desk.entries.get(one[2]);
      if (entry === undefined) continue; // it has ended here
      if (!entry.isHeld) desk.pending--;
      if (one[0] === requestStatus.stolen) desk.entries.delete(one[2]);
      this.#tell(entry, one);
    }
    this.#tend(desk);
  }

  /** The requests of this thread for a name. */
  *requestsFor(name: string): Generator<Entry> {
    for (const entry of this.#desk().entries.values()) {
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
    for (const entry of this.#desk().entries.values()) {
      if (entry.table === this && entry.isHeld) return false;
    }
    return true;
  }

  override close(): void {
    if (this.isOpen && this.mayClose()) {
      const desk = this.#desk();
      const leaving = [...desk.entries.values(), ...desk.waiting].filter(
        (one) => one.table === this,
      );
      for (const entry of leaving) {
        this.end(entry);
        entry.tell({ status: requestStatus.gone, token: 0, abandoned: false });
      }
    }
    super.close();
  }

  /** The error of requests that the end of their object has ended. */
  closedError(): ClosedError {
    return new ClosedError(`${label(this.kind, this.name)}: closed while it was waited for`, {
      kind: this.kind,
      objectName: this.name,
    });
  }

  /** A table that cannot be read any more grants nothing. */
  #endPending(desk: Desk): void {
    const pending = [...desk.entries.values()].filter(({ isHeld }) => !isHeld);
    for (const { ticket } of pending) desk.entries.delete(ticket);
    const leaving = [...pending, ...desk.waiting.splice(0)];
    desk.ending.splice(0);
    desk.pending = 0;
    this.#tend(desk);
    for (const { tell } of leaving) {
      tell({ status: requestStatus.corrupt, token: 0, abandoned: false });
    }
  }

  /** False if the table is busy. */
  #put(desk: Desk, entry: Entry): boolean {
    const { name, exclusive, ifAvailable, steal } = entry.asked;
    const made = operations.request(this.native, name, exclusive, ifAvailable, steal);
    const [status, cell, ticket] = made;
    if (status === requestStatus.busy) return false;
    if (ticket !== 0) {
      entry.cell = cell;
      entry.ticket = ticket;
      desk.entries.set(ticket, entry);
    }
    if (status === requestStatus.pending) desk.pending++;
    else this.#tell(entry, made);
    return true;
  }

  #tell(entry: Entry, [status, , , token, abandoned]: NativeRequest): void {
    if (status === requestStatus.granted) entry.isHeld = true;
    entry.tell({ status, token, abandoned: abandoned !== 0 });
  }

  #desk(): Desk {
    let desk = desks.get(this.tag);
    if (desk === undefined) desks.set(this.tag, (desk = new Desk()));
    return desk;
  }

  /**
   * The timer keeps the process alive while a request waits. It is stopped at the first slice that
   * finds nothing to look for, and not earlier: requests often follow each other closely.
   */
  #tend(desk: Desk): void {
    if (desk.timer === undefined) {
      if (desk.entries.size === 0 && desk.pending === 0 && desk.ending.length === 0) return;
      desk.timer = setInterval(() => onSlice(this.tag, desk), slice_ms);
      listenForWakeUps(this.tag, (isDeath) => {
        if (isDeath) anyOf(desk)?.look();
        else anyOf(desk)?.collect();
      });
    }
    if (desk.pending > 0 || desk.ending.length > 0) desk.timer.ref();
    else desk.timer.unref();
  }
}

function onSlice(tag: number, desk: Desk): void {
  const table = anyOf(desk);
  if (table === undefined) {
    clearInterval(desk.timer);
    stopListening(tag);
    desks.delete(tag);
    return;
  }
  const isIdle = desk.pending === 0 && desk.ending.length === 0;
  if (!isIdle || ++desk.slices % slicesOfHolder === 0) table.look();
}

/** An object through which the table can be reached: that of a request. */
function anyOf(desk: Desk): Table | undefined {
  for (const { table } of desk.entries.values()) return table;
  return (desk.waiting[0] ?? desk.ending[0])?.table;
}

/** @throws CorruptError if the file has been written over. */
export function corrupt(table: Table): CorruptError {
  return new CorruptError(`${label(table.kind, table.name)}: its file has been written over`, {
    kind: table.kind,
    objectName: table.name,
  });
}
