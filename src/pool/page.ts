// The page: shared memory in which a Pool and its workers say what they do. inspect() and
// `holdfast top` read it, and it decides who has an order.
//
// A worker may be given orders ahead of the one that it runs. So that no order waits behind a long
// one while another worker is idle, the pool can take an order back that has not begun. Each order
// has a claim word for that:
//
//   offered -> begun     by the worker, before the first instruction of the function
//   offered -> revoked   by the pool; the worker then drops the order
//
// Both are one compare-and-swap, so exactly one of them happens. After the death of a worker the
// word says whether its order had begun.
import { SharedMemory } from '../objects/shared-memory.js';

/** Names of pages begin with this. */
export const pagePrefix = 'holdfast.pool:';

/** How many orders of one worker may be under way. A claim word is used again after so many. */
export const mostOrders = 16;

const magic = 0x6c_6f_6f_70;
const version = 1;
const nameBytes = 256;
const headBytes = 64 + nameBytes;
const workerBytes = 128;

const offered = 0;
const begun = 1;
const revoked = 2;

/** The page of one pool, for the pool and for everybody who looks. */
export class Page {
  readonly memory: SharedMemory;
  readonly #words: Int32Array;
  readonly #numbers: Float64Array;

  private constructor(memory: SharedMemory) {
    this.memory = memory;
    this.#words = new Int32Array(memory.buffer, 0, 8);
    this.#numbers = new Float64Array(memory.buffer, 32, 4);
  }

  static make(name: string, key: string, processes: number): Page {
    const size = headBytes + processes * workerBytes;
    const page = new Page(new SharedMemory(size, { name: pagePrefix + key, exclusive: true }));
    const text = new TextEncoder().encodeInto(name, new Uint8Array(page.memory.buffer, 64));
    page.#words.set([0, version, process.pid, processes, 0, 0, Math.min(text.written, nameBytes)]);
    page.#words[0] = magic; // from here on it is a page
    return page;
  }

  /** Undefined if it is no page of this version. */
  static read(memory: SharedMemory): Page | undefined {
    if (memory.size < headBytes) return undefined;
    const page = new Page(memory);
    const [found, foundVersion, , processes] = page.#words;
    const size = headBytes + (processes ?? 0) * workerBytes;
    return found === magic && foundVersion === version && memory.size === size ? page : undefined;
  }

  get name(): string {
    const length = Math.min(this.#words[6]!, nameBytes);
    return Buffer.from(this.memory.buffer, 64, Math.max(0, length)).toString();
  }

  get pid(): number {
    return this.#words[2]!;
  }

  get processes(): number {
    return this.#words[3]!;
  }

  /** Tasks that wait for a worker, and tasks that are with one. */
  get tasks(): { waiting: number; running: number; done: number; failed: number } {
    const [, , , , waiting, running] = this.#words;
    const [done, failed] = this.#numbers;
    return { waiting: waiting!, running: running!, done: done!, failed: failed! };
  }

  tell(waiting: number, running: number, done: number, failed: number): void {
    this.#words[4] = waiting;
    this.#words[5] = running;
    this.#numbers[0] = done;
    this.#numbers[1] = failed;
  }

  worker(index: number): WorkerPage {
    return new WorkerPage(this.memory, index);
  }
}

/** The part of a page that one worker has. */
export class WorkerPage {
  readonly #claims: Int32Array;
  readonly #words: Int32Array;
  readonly #numbers: Float64Array;

  constructor(memory: SharedMemory, index: number) {
    const start = headBytes + index * workerBytes;
    this.#claims = new Int32Array(memory.buffer, start, mostOrders);
    this.#words = new Int32Array(memory.buffer, start + 64, 4);
    this.#numbers = new Float64Array(memory.buffer, start + 80, 3);
  }

  /** Called by the pool, for another process at this place. */
  clear(): void {
    this.#claims.fill(0);
    this.#words.fill(0);
    this.#numbers.fill(0);
  }

  #claim(sequence: number, state: number): boolean {
    const word = wordOf(sequence, offered);
    const at = sequence % mostOrders;
    return Atomics.compareExchange(this.#claims, at, word, wordOf(sequence, state)) === word;
  }

  /** Called by the pool, before it puts the order. */
  offer(sequence: number): void {
    Atomics.store(this.#claims, sequence % mostOrders, wordOf(sequence, offered));
  }

  /** Called by the worker. False if the order was revoked. */
  begin(sequence: number): boolean {
    return this.#claim(sequence, begun);
  }

  /** Called by the pool. False if the order has begun. */
  revoke(sequence: number): boolean {
    return this.#claim(sequence, revoked);
  }

  hasBegun(sequence: number): boolean {
    return Atomics.load(this.#claims, sequence % mostOrders) === wordOf(sequence, begun);
  }

  get pid(): number {
    return this.#words[0]!;
  }

  set pid(pid: number) {
    this.#words[0] = pid;
  }

  /** The last order whose answer the pool has read. */
  get taken(): number {
    return Atomics.load(this.#words, 1);
  }

  set taken(sequence: number) {
    Atomics.store(this.#words, 1, sequence);
  }

  /** Since when the worker runs a function, as machineTime(); 0 if it runs none. */
  get since(): number {
    return this.#numbers[0]!;
  }

  set since(ms: number) {
    this.#numbers[0] = ms;
  }

  /** The memory that the worker has, in bytes, as it measured lately. */
  get memory(): number {
    return this.#numbers[1]!;
  }

  set memory(bytes: number) {
    this.#numbers[1] = bytes;
  }

  /** How many orders it has answered. */
  get done(): number {
    return this.#numbers[2]!;
  }

  set done(count: number) {
    this.#numbers[2] = count;
  }
}

/** A sequence number keeps 29 bits, so that only orders long ago have the same word. */
function wordOf(sequence: number, state: number): number {
  return ((sequence & 0x1fff_ffff) << 2) | state;
}
