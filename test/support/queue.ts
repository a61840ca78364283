// What the suites of Queue share: a directory of their own, queues that are closed after each test, and
// agents that use queues in a worker or another process.
import assert from 'node:assert/strict';
import { type ChildProcess, spawn } from 'node:child_process';
import { createHash } from 'node:crypto';
import { existsSync, mkdtempSync, rmSync, statSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { Worker } from 'node:worker_threads';
import { type Handle, Queue, type QueueOptions, list, unlink } from 'holdfast';
import { Host, nowMs, randomFrom } from '../programs/queue-agent.mjs';

export { nowMs };

const memory = existsSync('/dev/shm') ? '/dev/shm' : tmpdir();

// Chosen by holdfast when it first opens something, which is after all imports.
let ownDirectory: string | undefined;
if (!process.env['HOLDFAST_DIR']) {
  ownDirectory = mkdtempSync(path.join(memory, 'hfq-test-'));
  process.env['HOLDFAST_DIR'] = ownDirectory;
}

export function holdfastDirectory(): string {
  return process.env['HOLDFAST_DIR']!;
}

/** The file of a queue: header and ring. */
export function fileOf(queue: { name: string }): string {
  const key = createHash('sha256').update(queue.name).digest('hex').slice(0, 26);
  return path.join(holdfastDirectory(), `object.${key}`);
}

/** Before the ring, in the file of a queue. */
export const headerBytes = 4096;

/** Storage that a queue has, header included. */
export function bytesStored(queue: { name: string }): number {
  return statSync(fileOf(queue)).blocks * 512;
}

// ---------------------------------------------------------------- time and chance

/** Rejects when the promise does not settle in time: a hang becomes a failure with a name. */
export async function within<T>(promise: Promise<T>, what: string, ms = 20_000): Promise<T> {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<never>((_, reject) => {
    timer = setTimeout(() => reject(new Error(`${what}: not done after ${ms} ms`)), ms);
  });
  try {
    return await Promise.race([promise, late]);
  } finally {
    clearTimeout(timer);
  }
}

/** Polls a condition that another thread or process makes true. */
export async function until(what: string, condition: () => boolean, ms = 20_000): Promise<void> {
  const deadline = nowMs() + ms;
  while (!condition()) {
    if (nowMs() > deadline) throw new Error(`${what}: not so after ${ms} ms`);
    await new Promise((resolve) => setTimeout(resolve, 1));
  }
}

export const pause = (ms: number) => new Promise<void>((resolve) => setTimeout(resolve, ms));

export interface Random {
  readonly seed: number;
  next(): number;
  /** least <= n <= most */
  whole(least: number, most: number): number;
  pick<T>(from: readonly T[]): T;
}

export function random(title: string): Random {
  const given = process.env['HOLDFAST_SEED'];
  const seed = given ? Number(given) : Math.floor(Math.random() * 2 ** 32);
  console.log(`      ${title}: HOLDFAST_SEED=${seed}`);
  const next = randomFrom(seed) as () => number;
  const whole = (least: number, most: number) => least + Math.floor(next() * (most - least + 1));
  return { seed, next, whole, pick: (from) => from[whole(0, from.length - 1)]! };
}

/** The value below which `share` of the (sorted) numbers are. */
export function quantile(sorted: readonly number[], share: number): number {
  return sorted[Math.min(sorted.length - 1, Math.floor(share * sorted.length))] ?? 0;
}

// ---------------------------------------------------------------- queues

const opened = new Set<Queue<never>>();
const persistentNames = new Set<string>();
let lastName = 0;

/** A name that no other test has. */
export function newName(): string {
  return `queue test ${process.pid}.${++lastName}`;
}

/** A queue that is closed after the test; what is persistent is unlinked. */
export function open<T = unknown>(options: QueueOptions<T> = {}): Queue<T> {
  const queue = new Queue<T>(options);
  opened.add(queue as unknown as Queue<never>);
  if (options.persistent) persistentNames.add(queue.name);
  return queue;
}

export function fails(code: string): (error: unknown) => boolean {
  return (error) => {
    assert.equal((error as { code?: string }).code, code, String((error as Error).stack));
    return true;
  };
}

export const ended = fails('ERR_HOLDFAST_ENDED');
export const closed = fails('ERR_HOLDFAST_CLOSED');
export const timedOut = fails('ERR_HOLDFAST_TIMEOUT');
export const cannotEncode = fails('ERR_HOLDFAST_ENCODE');
export const incompatible = fails('ERR_HOLDFAST_INCOMPATIBLE');

// ---------------------------------------------------------------- agents

export type Place = 'thread' | 'worker' | 'process';
export const places: readonly Place[] = ['thread', 'worker', 'process'];

type Reply = { id: number; started?: true; value?: unknown; error?: object; ready?: true };

interface Asked {
  started(): void;
  resolve(value: unknown): void;
  reject(reason: unknown): void;
}

/** A call on its way: a promise of the result, and when it has begun to wait. */
export interface Call<T> extends Promise<T> {
  readonly id: number;
  readonly started: Promise<void>;
}

let lastId = 0;

const isSync = (method: string) => method.endsWith('Sync') || method.startsWith('try');

/** Uses queues somewhere. */
export abstract class Agent {
  protected readonly asked = new Map<number, Asked>();
  abstract readonly place: Place;
  protected abstract post(command: object): void;
  /** SIGKILL to a process, terminate() to a worker. */
  abstract kill(): Promise<void>;

  ask<T>(command: { op: string; [key: string]: unknown }): Call<T> {
    const id = ++lastId;
    let started!: Promise<void>;
    const result = new Promise<T>((resolve, reject) => {
      started = new Promise((begun) => {
        this.asked.set(id, { started: begun, resolve: resolve as Asked['resolve'], reject });
      });
    });
    result.catch(() => {});
    this.post({ ...command, id });
    return Object.assign(result, { id, started });
  }

  async open(options: object): Promise<RemoteQueue> {
    return this.#opened({ op: 'open', options });
  }
  async attach(handle: Handle): Promise<RemoteQueue> {
    return this.#opened({ op: 'attach', handle });
  }
  abort(call: Call<unknown>): Promise<void> {
    return this.ask({ op: 'abort', of: call.id });
  }
  async closeAll(): Promise<void> {
    await within(this.ask({ op: 'closeAll' }), `closing the queues of a ${this.place}`, 5000);
  }

  protected answer(reply: Reply): void {
    const asked = this.asked.get(reply.id);
    if (reply.started) return asked?.started();
    this.asked.delete(reply.id);
    if (reply.error) asked?.reject(Object.assign(new Error(), reply.error));
    else asked?.resolve(reply.value);
  }
  protected gone(): void {
    for (const asked of this.asked.values()) asked.reject(new Error(`the ${this.place} is gone`));
    this.asked.clear();
  }

  async #opened(command: { op: string; [key: string]: unknown }): Promise<RemoteQueue> {
    const key = ++lastId;
    const call = this.ask<{ name: string }>({ ...command, key });
    const { name } = await within(call, `${command.op} in a ${this.place}`);
    return new RemoteQueue(this, key, name);
  }
}

export class RemoteQueue {
  constructor(
    readonly agent: Agent,
    readonly key: number,
    readonly name: string,
  ) {}
  /** Starts a call; nobody waits for it yet. */
  start<T = unknown>(method: string, ...args: unknown[]): Call<T> {
    return this.agent.ask<T>({ op: 'call', key: this.key, method, args, sync: isSync(method) });
  }
  startAbortable<T = unknown>(method: string, ...args: unknown[]): Call<T> {
    return this.agent.ask<T>({ op: 'call', key: this.key, method, args, abortable: true });
  }
  call<T = unknown>(method: string, ...args: unknown[]): Promise<T> {
    return within(this.start<T>(method, ...args), `${method}() in a ${this.agent.place}`);
  }
  startAct<T = unknown>(name: string, ...args: unknown[]): Call<T> {
    return this.agent.ask<T>({ op: 'act', key: this.key, name, args, sync: true });
  }
  act<T = unknown>(name: string, ...args: unknown[]): Promise<T> {
    return within(this.startAct<T>(name, ...args), `${name} in a ${this.agent.place}`, 60_000);
  }
}

class ThreadAgent extends Agent {
  readonly place = 'thread';
  readonly #host = new Host() as unknown as Record<string, (command: object) => unknown>;
  protected post(command: { op: string; id: number }): void {
    const { id } = command;
    try {
      const result = this.#host[command.op]!(command);
      queueMicrotask(() => this.answer({ id, started: true }));
      Promise.resolve(result).then(
        (value) => this.answer({ id, value }),
        (error) => this.asked.get(id)?.reject(error),
      );
    } catch (error) {
      queueMicrotask(() => this.asked.get(id)?.reject(error));
    }
  }
  kill(): Promise<void> {
    throw new Error('the thread of the test cannot be killed');
  }
}

const agentFile = new URL('../programs/queue-agent.mjs', import.meta.url);

class WorkerAgent extends Agent {
  readonly place = 'worker';
  readonly ready: Promise<void>;
  readonly #worker: Worker;
  constructor() {
    super();
    // Without the loader that mocha runs with.
    this.#worker = new Worker(agentFile, { execArgv: [] });
    this.ready = new Promise((resolve, reject) => {
      this.#worker.on('message', (reply: Reply) => (reply.ready ? resolve() : this.answer(reply)));
      this.#worker.on('error', reject);
    });
    this.#worker.on('exit', () => this.gone());
  }
  protected post(command: object): void {
    this.#worker.postMessage(command);
  }
  async kill(): Promise<void> {
    await this.#worker.terminate();
  }
}

class ProcessAgent extends Agent {
  readonly place = 'process';
  readonly ready: Promise<void>;
  readonly #child: ChildProcess;
  constructor() {
    super();
    this.#child = startChild('queue-agent.mjs', ['queue-agent']);
    this.ready = new Promise((resolve, reject) => {
      this.#child.on('message', (message) => {
        const reply = message as Reply;
        if (reply.ready) resolve();
        else this.answer(reply);
      });
      this.#child.once('exit', (code) => reject(new Error(`an agent ended with ${code}`)));
    });
    this.#child.once('exit', () => this.gone());
  }
  protected post(command: object): void {
    this.#child.send(command, () => {});
  }
  async kill(): Promise<void> {
    await killChild(this.#child);
  }
}

const here = new ThreadAgent();
const agents = new Map<string, Agent & { ready: Promise<void> }>();

/** An agent that tests share; `number` tells those of one place apart. */
export async function agentIn(place: Place, number = 1): Promise<Agent> {
  if (place === 'thread') return here;
  const key = `${place} ${number}`;
  let agent = agents.get(key);
  if (!agent) {
    agent = place === 'worker' ? new WorkerAgent() : new ProcessAgent();
    agents.set(key, agent);
  }
  await within(agent.ready, `starting a ${place}`);
  return agent;
}

/** After a test killed it. */
export function forget(agent: Agent): void {
  for (const [key, known] of agents) if (known === agent) agents.delete(key);
}

// ---------------------------------------------------------------- children

const children = new Set<ChildProcess>();

/** A process of the tests' own, by file name in test/programs/; it gets messages in structured clone. */
export function startChild(file: string, args: readonly string[] = []): ChildProcess {
  const child = spawn(
    process.execPath,
    [fileURLToPath(new URL(`../programs/${file}`, import.meta.url)), ...args],
    { stdio: ['ignore', 'inherit', 'inherit', 'ipc'], serialization: 'advanced' },
  );
  children.add(child);
  child.once('exit', () => children.delete(child));
  return child;
}

export async function killChild(child: ChildProcess): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return;
  const gone = new Promise((resolve) => child.once('exit', resolve));
  child.kill('SIGKILL');
  await within(gone, 'dying of SIGKILL');
}

/** A directory for what a suite writes; removed at its end. */
export function newDirectory(): string {
  const directory = mkdtempSync(path.join(memory, 'hfq-ledger-'));
  directories.add(directory);
  return directory;
}
const directories = new Set<string>();

// ---------------------------------------------------------------- hooks

/** To be called in the describe() of each suite that uses anything of this file. */
export function useQueues(): void {
  afterEach(async () => {
    // A test that failed may have left some. They go first: whoever closes a queue last removes it.
    const stray = [...children].filter((child) => !child.spawnargs.includes('queue-agent'));
    await Promise.all(stray.map(killChild));
    for (const agent of [here, ...agents.values()]) {
      await agent.closeAll().catch(async () => {
        forget(agent);
        if (agent !== here) await agent.kill();
      });
    }
    for (const queue of opened) queue.close();
    opened.clear();
    for (const name of persistentNames) {
      if (list().some((entry) => entry.kind === 'Queue' && entry.name === name)) {
        unlink('Queue', name);
      }
    }
    persistentNames.clear();
  });

  after(async () => {
    for (const directory of directories) rmSync(directory, { recursive: true, force: true });
    directories.clear();
    await Promise.all([...agents.values()].map((agent) => agent.kill()));
    agents.clear();
    await Promise.all([...children].map(killChild));
  });
}

// The registry stays open while this process lives: take the directory away at the very end.
process.on('exit', () => {
  if (ownDirectory) rmSync(ownDirectory, { recursive: true, force: true });
});
