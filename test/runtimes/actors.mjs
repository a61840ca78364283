// Other processes and worker threads of a check. Each runs programs/actor.mjs, which says lines and
// is told one line at most.
//
// The other tests' actors (test/support/actor.ts) are TypeScript under mocha. This suite runs from
// the installed tarball, on runtimes that have neither. So it has actors of its own.
import { spawn } from 'node:child_process';
import process from 'node:process';
import { fileURLToPath } from 'node:url';
import { Worker } from 'node:worker_threads';
import { equal } from './expect.mjs';

const fileOf = (program) => new URL(`programs/${program}.mjs`, import.meta.url);
const running = new Set();

/** The lines that somebody says, for one who asks for them one by one. */
class Lines {
  #said = [];
  #waiting = [];

  say(line) {
    const waiting = this.#waiting.shift();
    if (waiting) waiting.resolve(line);
    else this.#said.push(line);
  }

  /** Nothing more is going to be said. */
  end(reason) {
    this.ended = new Error(reason);
    for (const { reject } of this.#waiting.splice(0)) reject(this.ended);
  }

  next() {
    if (this.#said.length > 0) return Promise.resolve(this.#said.shift());
    if (this.ended) return Promise.reject(this.ended);
    return new Promise((resolve, reject) => this.#waiting.push({ resolve, reject }));
  }
}

/** Starts an act of programs/acts.mjs in another process. */
export function inProcess(act, ...args) {
  return startProgram('actor', act, JSON.stringify(args));
}

/** Starts one of the programs. */
export function startProgram(program, ...args) {
  const [command, ...options] = JSON.parse(
    process.env.HOLDFAST_SMOKE_COMMAND ?? JSON.stringify([process.execPath]),
  );
  const child = spawn(command, [...options, fileURLToPath(fileOf(program)), ...args], {
    stdio: ['pipe', 'pipe', 'inherit'],
  });
  const lines = new Lines();
  let rest = '';
  child.stdout.setEncoding('utf8').on('data', (text) => {
    const parts = (rest + text).split('\n');
    rest = parts.pop();
    for (const line of parts) lines.say(line);
  });
  const ended = new Promise((resolve) => {
    child.on('close', (code, signal) => {
      running.delete(actor);
      lines.end(`the process ended by ${signal ?? code}`);
      resolve(signal ?? code);
    });
  });
  const actor = {
    pid: child.pid,
    ended,
    says: () => lines.next(),
    tell: (line) => child.stdin.end(`${line}\n`),
    kill() {
      child.kill('SIGKILL');
      return ended;
    },
  };
  running.add(actor);
  return actor;
}

/** Starts an act in a worker thread. */
export function inWorker(act, ...args) {
  const worker = new Worker(fileOf('actor'), { workerData: { act, args } });
  const lines = new Lines();
  worker.on('message', (line) => lines.say(line));
  const ended = new Promise((resolve) => {
    worker.on('error', (error) => lines.end(`the worker threw ${error}`));
    worker.on('exit', (code) => {
      running.delete(actor);
      lines.end(`the worker ended with ${code}`);
      resolve(code);
    });
  });
  const actor = {
    ended,
    says: () => lines.next(),
    tell: (line) => worker.postMessage(line),
    async kill() {
      await worker.terminate();
      return ended;
    },
  };
  running.add(actor);
  return actor;
}

/** An act in each of the two places, one after the other. */
export const places = [inProcess, inWorker];

/** An actor in each place, one after the other, that has said `line`; it ends before the next. */
export async function* eachActor(line, act, ...args) {
  for (const start of places) {
    const actor = start(act, ...args);
    equal(await actor.says(), line);
    yield actor;
    await actor.ended;
  }
}

/** The same with actors that hold something. */
export const eachHolder = (what, name) => eachActor('held', 'hold', what, name);

/** Ends what a check has left, as it does when it fails. */
export async function endActors() {
  for (const actor of running) await actor.kill();
}
