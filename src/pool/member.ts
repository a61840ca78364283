// One worker of a Pool, as the pool sees it: its process, the orders that it has, its answers.
import { pathToFileURL } from 'node:url';
import path from 'node:path';
import { ClosedError } from '../errors.js';
import { Queue } from '../objects/queue.js';
import { keepOpen } from '../process/arguments.js';
import { Process } from '../process/process.js';
import type { Callee } from './callee.js';
import type { ReadPool } from './options.js';
import { type Page, type WorkerPage, mostOrders } from './page.js';
import type { Task } from './task.js';
import type { Initializer, WorkerArguments, work } from './worker.js';
import {
  type Answer,
  MessageReader,
  MessageWriter,
  answerKinds,
  dropped,
  orderKinds,
} from './wire.js';

const program = pathToFileURL(path.join(__dirname, 'worker.js')).href;

/** A larger Buffer cannot be a record of its own. */
const mostBytes = 1 << 29;
const queueBytes = 1 << 30;
/** A worker that has so many bytes of orders is given no more ahead. */
const bytesAhead = 4 << 20;

/** An order that was put and not revoked, and whose answer has not been read. */
interface Entry {
  readonly sequence: number;
  readonly task: Task;
  readonly bytes: number;
  /** Closes what keeps the objects in the order open until its worker has opened them. */
  readonly release: () => void;
}

/** What a worker is told at its start. */
export interface Told {
  readonly initializer: Initializer | undefined;
  /** What it loads before its first task. */
  readonly callees: readonly Callee[];
}

/** What a member tells its pool. */
export interface Owner {
  readonly options: ReadPool;
  onReady(member: Member): void;
  /** The initializer threw. */
  onUseless(thrown: unknown): void;
  onAnswers(member: Member): void;
  /** A task cannot be sent to the worker as a whole. */
  onRefused(task: Task, error: unknown): void;
  onEnd(member: Member, exitCode: number): void;
  /** `failure` is why the answer cannot be read. */
  settle(task: Task, answer: Answer, failure: unknown): void;
}

/** Of a call the place of the arguments in a message, of map() that of an item, has a name. */
const writers = {
  [orderKinds.call]: new MessageWriter('args', 1),
  [orderKinds.each]: new MessageWriter('item', 2),
};
const nothing = () => {};

export class Member {
  readonly process: Process<typeof work>;
  readonly page: WorkerPage;
  readonly index: number;
  isReady = false;
  /** True once it gets no further orders. */
  isRetired = false;
  /** Why the pool has killed it: the task that it runs is to end with this error. */
  killedFor: { readonly error: unknown } | undefined;
  /** In the order in which they were put. */
  #entries: Entry[] = [];
  /** How many orders it was given. */
  given = 0;
  readonly #owner: Owner;
  readonly #orders: Queue<Uint8Array>;
  readonly #answers: Queue<Uint8Array>;
  readonly #reader = new MessageReader<Answer>(2, false);
  #bytes = 0;
  /** True while a put waits for room. */
  #isPutting = false;
  #isListening = false;
  #hasEnded = false;

  /** Starts the process. @throws as Process.start() does. */
  constructor(owner: Owner, page: Page, index: number, name: string, told: Told) {
    this.#owner = owner;
    this.index = index;
    this.page = page.worker(index);
    this.page.clear();
    const make = () => new Queue<Uint8Array>({ codec: 'buffer', maxBytes: queueBytes });
    this.#orders = make();
    this.#answers = make();
    const { initializer, callees } = told;
    const args: WorkerArguments = [
      this.#orders,
      this.#answers,
      page.memory,
      index,
      initializer,
      callees,
    ];
    const { surroundings } = owner.options;
    const target = { module: program, export: 'work' };
    try {
      this.process = new Process<typeof work>(target, {
        args,
        name,
        daemon: true,
        ...surroundings,
      }).start();
    } catch (error) {
      this.#close();
      throw error;
    }
    this.process.onceEnded((exitCode) => this.#onEnd(exitCode));
    this.listen();
  }

  /** The tasks that it has, in order. */
  get tasks(): Task[] {
    return this.#entries.map(({ task }) => task);
  }

  /** How many tasks it has. */
  get load(): number {
    return this.#entries.length;
  }

  /** True if it may be given one more order, when it has fewer than `most`. */
  mayTake(most: number): boolean {
    if (!this.isReady || this.isRetired || this.#isPutting) return false;
    const first = this.#entries[0];
    if (first === undefined) return true;
    // The claim word of an order that is under way must not be used again.
    const isFree = this.given - first.sequence < mostOrders - 1;
    return isFree && this.#entries.length < most && this.#bytes < bytesAhead;
  }

  /**
   * Puts an order.
   *
   * @throws TypeError for items that cannot be cloned, RangeError for too many bytes, ProcessError
   * for an object that is gone, NoSpaceError: then the worker has not got it.
   */
  give(task: Task): void {
    const { kind, callee, items } = task;
    const sequence = this.given + 1;
    const writer = writers[kind];
    const message = [kind, sequence, callee.module, callee.name, items, undefined];
    const [record, large] = writer.write(message, 4);
    const records = [record, ...large];
    let bytes = 0;
    for (const { length } of records) {
      if (length > mostBytes)
        throw new RangeError(`${task.title} has an argument of ${length} bytes`);
      bytes += length;
    }
    const release = writer.objects.length === 0 ? nothing : keepOpen(writer.objects);
    this.given = sequence;
    this.page.offer(sequence);
    const entry = { sequence, task, bytes, release };
    this.#entries.push(entry);
    this.#bytes += bytes;
    this.#put(entry, records);
    this.listen();
  }

  /** @throws NoSpaceError; the worker drops the order then. */
  #put(entry: Entry, records: readonly Uint8Array[]): void {
    let put = 0;
    try {
      while (put < records.length && this.#orders.tryPut(records[put]!)) put++;
    } catch (error) {
      this.#takeOut(entry);
      if (put > 0) void this.#putSlowly(entry, [dropped]);
      throw error;
    }
    if (put < records.length) void this.#putSlowly(entry, records.slice(put));
  }

  async #putSlowly(entry: Entry, records: readonly Uint8Array[]): Promise<void> {
    this.#isPutting = true;
    try {
      await this.#orders.putMany(records);
    } catch (error) {
      if (error instanceof ClosedError) return; // the worker has died
      this.#takeOut(entry);
      if (!entry.task.hasEnded) this.#owner.onRefused(entry.task, error);
      return await this.#putSlowly(entry, [dropped]); // it has got half an order
    } finally {
      this.#isPutting = false;
    }
    if (this.isRetired) this.retire();
    this.#owner.onAnswers(this);
  }

  /** An order that has not arrived as a whole. */
  #takeOut(entry: Entry): void {
    const index = this.#entries.indexOf(entry);
    if (index < 0) return; // it was taken back
    this.page.revoke(entry.sequence);
    this.#drop(index);
  }

  /** Takes back the order that it was given last, unless that has begun. */
  takeBack(): Task | undefined {
    const last = this.#entries.at(-1);
    return last !== undefined && this.revoke(last.task) ? last.task : undefined;
  }

  /** Takes an order back. False if it has begun. */
  revoke(task: Task): boolean {
    const index = this.#entries.findIndex((entry) => entry.task === task);
    if (index < 0 || !this.page.revoke(this.#entries[index]!.sequence)) return false;
    this.#drop(index);
    return true;
  }

  /**
   * Takes back all orders that have not begun. Those that are left have, and the last of them is
   * the only one that may still run. Until it is given another order it can begin none.
   */
  takeBackAll(): Task[] {
    return this.tasks
      .reverse()
      .filter((task) => this.revoke(task))
      .reverse();
  }

  /** The last of its tasks. */
  get last(): Task | undefined {
    return this.#entries.at(-1)?.task;
  }

  /** The task that it runs. */
  get running(): Task | undefined {
    const [first] = this.#entries;
    return first !== undefined && this.page.hasBegun(first.sequence) ? first.task : undefined;
  }

  /** Kills the process. `error` is for the task that it runs, if it runs one. */
  kill(error: unknown): void {
    if (this.#hasEnded) return;
    this.killedFor ??= { error };
    this.isRetired = true;
    this.process.kill();
  }

  /** Gives it no further orders. It ends when it has done those that it has. */
  retire(): void {
    this.isRetired = true;
    if (!this.#hasEnded && !this.#isPutting) this.#orders.end();
  }

  /** Waits for answers, which keeps this process alive, while there is one to come. */
  listen(): void {
    if (this.#isListening || this.#hasEnded) return;
    this.#isListening = true;
    void this.#listen();
  }

  async #listen(): Promise<void> {
    try {
      while (!this.#hasEnded && (this.#entries.length > 0 || !this.isReady)) {
        this.#read(await this.#answers.getMany(mostRecords));
        this.#owner.onAnswers(this);
      }
    } catch (error) {
      if (!(error instanceof ClosedError)) this.kill(error);
    } finally {
      this.#isListening = false;
    }
  }

  #read(records: readonly Uint8Array[]): void {
    for (const record of records) {
      const answer = this.#reader.read(record as Buffer);
      if (answer !== undefined) this.#hear(answer);
    }
  }

  #hear(answer: Answer): void {
    const [kind, sequence, items] = answer;
    const { failure } = this.#reader;
    if (kind === answerKinds.ready) {
      this.isReady = true;
      return this.#owner.onReady(this);
    }
    if (kind === answerKinds.useless) return this.#owner.onUseless(items[0]);
    const index = this.#entries.findIndex((entry) => entry.sequence === sequence);
    if (index < 0) return;
    const { task } = this.#drop(index);
    this.page.taken = sequence;
    this.#owner.settle(task, answer, failure);
  }

  #drop(index: number): Entry {
    const entry = this.#entries.splice(index, 1)[0]!;
    this.#bytes -= entry.bytes;
    entry.release();
    return entry;
  }

  #onEnd(exitCode: number): void {
    // What the worker had answered before its death has arrived as a whole.
    for (;;) {
      const records = this.#answers.tryGetMany(mostRecords);
      if (records === undefined) break;
      this.#read(records);
    }
    this.#hasEnded = true;
    this.#owner.onEnd(this, exitCode);
    while (this.#entries.length > 0) this.#drop(0);
    this.#close();
  }

  #close(): void {
    this.#orders.close();
    this.#answers.close();
  }
}

const mostRecords = 4 * mostOrders;
