// The program of a worker: it takes orders of its pool, one after another, and answers each.
import { EndedError } from '../errors.js';
import { startup } from '../identity.js';
import type { Queue } from '../objects/queue.js';
import type { SharedMemory } from '../objects/shared-memory.js';
import type { Found } from '../process/arguments.js';
import { loadTarget } from '../process/load.js';
import type { TargetReference } from '../process/target.js';
import { flatten, messageOf } from '../records/thrown.js';
import { machineTime, setImmediate } from '../waiting/clock.js';
import { type Callee, keyOf, referenceOf } from './callee.js';
import { WorkerPage } from './page.js';
import {
  type AnswerKind,
  MessageReader,
  MessageWriter,
  type Order,
  answerKinds,
  dropped,
  orderKinds,
} from './wire.js';

/** The initializer of a pool. */
export interface Initializer {
  readonly target: TargetReference;
  readonly args: readonly unknown[];
}

/** What a worker is told at its start. */
export type WorkerArguments = [
  orders: Queue<Uint8Array>,
  answers: Queue<Uint8Array>,
  memory: SharedMemory,
  index: number,
  initializer: Initializer | undefined,
  /** What tasks of the pool called lately. */
  callees: readonly Callee[],
];

/** After so many milliseconds of work the event loop has a turn. */
const turn_ms = 10;
/** How often a worker measures its memory at most. */
const measure_ms = 20;

/** The target of a worker's Process. */
export async function work(...args: WorkerArguments): Promise<void> {
  const [orders, answers, memory, index, initializer, callees] = args;
  const worker = new Worker(answers, new WorkerPage(memory, index));
  if (initializer !== undefined && !(await worker.initialize(initializer))) return;
  for (const callee of callees) await worker.prepare(callee);
  worker.answer(answerKinds.ready, 0, []);
  try {
    for (;;) {
      const order = worker.read((orders.tryGet() ?? (await orders.get())) as Buffer);
      if (order === undefined) continue;
      const running = worker.run(order);
      if (running !== undefined) await running;
      if (worker.isTurnOver()) await new Promise((resolve) => setImmediate(resolve));
    }
  } catch (error) {
    if (!(error instanceof EndedError)) throw error;
  }
}

class Worker {
  readonly #answers: Queue<Uint8Array>;
  readonly #page: WorkerPage;
  readonly #reader = new MessageReader<Order>(4, true);
  readonly #writer = new MessageWriter('result', 2);
  readonly #functions = new Map<string, Function>();
  /** Objects in results, until the pool has opened them. */
  #kept: { sequence: number; objects: readonly Found[] }[] = [];
  #turn = machineTime();
  #measured = 0;

  constructor(answers: Queue<Uint8Array>, page: WorkerPage) {
    this.#answers = answers;
    this.#page = page;
    page.pid = process.pid;
    page.memory = process.memoryUsage.rss();
  }

  /** Returns false if the initializer threw. */
  async initialize({ target, args }: Initializer): Promise<boolean> {
    try {
      await (await loadModuleOf(target))(...args);
      return true;
    } catch (error) {
      this.answer(answerKinds.useless, 0, [flatten(error)]);
      return false;
    }
  }

  /** Loads a function before it is called. If it cannot be loaded, a task will tell. */
  async prepare(callee: Callee): Promise<void> {
    await this.#load(callee).catch(() => {});
  }

  async #load(callee: Callee): Promise<Function> {
    const target = await loadModuleOf(referenceOf(callee));
    this.#functions.set(keyOf(callee), target);
    return target;
  }

  read(record: Buffer): Order | undefined {
    return this.#reader.read(record);
  }

  /** Runs an order. Returns a promise if it is not done at once. */
  run(order: Order): Promise<void> | undefined {
    const [, sequence, module, name] = order;
    const page = this.#page;
    if (!page.begin(sequence)) return undefined;
    page.since = machineTime();
    const { failure } = this.#reader;
    if (failure !== undefined) {
      this.#fail(sequence, failure);
      return undefined;
    }
    const target = this.#functions.get(keyOf({ module, name }));
    return target === undefined ? this.#loadAndRun(order) : this.#runWith(target, order);
  }

  async #loadAndRun(order: Order): Promise<void> {
    const [, sequence, module, name] = order;
    let target: Function;
    try {
      target = await this.#load({ module, name });
    } catch (error) {
      return this.#fail(sequence, error);
    }
    await this.#runWith(target, order);
  }

  #runWith(target: Function, [kind, sequence, , , items]: Order): Promise<void> | undefined {
    return kind === orderKinds.each
      ? this.#each(target, sequence, items)
      : this.#call(target, sequence, items);
  }

  #call(target: Function, sequence: number, items: readonly unknown[]): Promise<void> | undefined {
    let value: unknown;
    try {
      value = target(...items);
      if (isThenable(value)) return this.#settle(sequence, value);
    } catch (error) {
      this.#fail(sequence, error);
      return undefined;
    }
    this.#succeed(sequence, [value]);
    return undefined;
  }

  async #settle(sequence: number, pending: PromiseLike<unknown>): Promise<void> {
    let value: unknown;
    try {
      value = await pending;
    } catch (error) {
      return this.#fail(sequence, error);
    }
    this.#succeed(sequence, [value]);
  }

  async #each(target: Function, sequence: number, items: readonly unknown[]): Promise<void> {
    const values: unknown[] = [];
    try {
      for (const item of items) {
        if (values.length > 0) this.#page.since = machineTime(); // the timeout is for each item
        const value: unknown = target(item);
        values.push(isThenable(value) ? await value : value);
      }
    } catch (error) {
      return this.#fail(sequence, error);
    }
    this.#succeed(sequence, values);
  }

  #succeed(sequence: number, values: unknown[]): void {
    this.#end();
    let message;
    try {
      message = this.#writer.write([answerKinds.done, sequence, values, undefined], 2);
    } catch (error) {
      return this.answer(answerKinds.refused, sequence, [messageOf(error)]);
    }
    try {
      this.#put(sequence, ...message);
    } catch (error) {
      this.#refuse(sequence, error); // too large, or there is no storage for it
    }
  }

  #fail(sequence: number, error: unknown): void {
    this.#end();
    try {
      this.answer(answerKinds.failed, sequence, [flatten(error)]);
    } catch (reason) {
      this.#refuse(sequence, reason);
    }
  }

  /** Tells why an answer cannot be sent. */
  #refuse(sequence: number, error: unknown): void {
    this.answer(answerKinds.failed, sequence, [flatten(error)]);
  }

  /** The function has ended. */
  #end(): void {
    const page = this.#page;
    page.since = 0;
    page.done++;
    const now = machineTime();
    if (now - this.#measured < measure_ms) return;
    this.#measured = now;
    page.memory = process.memoryUsage.rss();
  }

  answer(kind: AnswerKind, sequence: number, items: unknown[]): void {
    this.#put(sequence, ...this.#writer.write([kind, sequence, items, undefined], 2));
  }

  /** Puts an answer, and waits for room if the pool reads slowly. */
  #put(sequence: number, record: Uint8Array, large: readonly Uint8Array[]): void {
    const { objects } = this.#writer;
    if (objects.length > 0) this.#keep(sequence, [...objects]);
    this.#answers.putSync(record);
    try {
      for (const bytes of large) this.#answers.putSync(bytes);
    } catch (error) {
      this.#answers.putSync(dropped);
      throw error;
    }
  }

  #keep(sequence: number, objects: readonly Found[]): void {
    const { taken } = this.#page;
    this.#kept = this.#kept.filter((kept) => kept.sequence > taken);
    this.#kept.push({ sequence, objects });
  }

  isTurnOver(): boolean {
    const now = machineTime();
    if (now - this.#turn < turn_ms) return false;
    this.#turn = now;
    return true;
  }
}

/** A module that makes a Pool at its top level meanwhile hears that this is the reason. */
async function loadModuleOf(target: TargetReference): Promise<Function> {
  startup.loading = true;
  try {
    return await loadTarget(target);
  } finally {
    startup.loading = false;
  }
}

function isThenable(value: unknown): value is PromiseLike<unknown> {
  return typeof (value as PromiseLike<unknown> | null | undefined)?.then === 'function';
}
