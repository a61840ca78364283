// A program that a test starts: a process without a channel to the test, so that only its own waits
// keep it running. It prints lines on its standard output.
import { type ChildProcess, spawn } from 'node:child_process';
import { randomUUID } from 'node:crypto';
import { readFileSync, readdirSync } from 'node:fs';
import { createRequire } from 'node:module';
import path from 'node:path';
import { pathToFileURL } from 'node:url';
import type { End } from './actor.js';
import { until, within } from './time.js';

/** Set in the environment of every program, and so in all processes that the program starts. */
const mark = { HOLDFAST_TEST_PROGRAM: randomUUID() };

const running = new Set<Program>();

export interface ProgramOptions {
  args?: string[];
  env?: NodeJS.ProcessEnv;
  cwd?: string;
  /** Its standard input, whole. Without it the input stays open until closeInput(). */
  input?: string;
  /** Options of node, for a program that it runs. */
  nodeArgs?: string[];
  /** How the program should start Processes, if it reads $METHOD. */
  method?: Method;
}

/** The ways to start a Process. */
export const methods = ['spawn', 'forkserver'] as const;
export type Method = (typeof methods)[number];

/** The TypeScript loader of the tests, by a name that is right in every directory. */
export const tsx = pathToFileURL(createRequire(import.meta.url).resolve('tsx')).href;

/** How a program ended, and what it left. */
export interface Outcome extends End {
  stdout: string;
  stderr: string;
  /** The lines of its standard output. A line of JSON is here as its value. */
  said: unknown[];
}

/** The path of a file in test/programs/. */
export function programFile(name: string): string {
  return path.join(import.meta.dirname, '../programs', name);
}

export class Program {
  stdout = '';
  stderr = '';
  hasEnded = false;
  readonly #child: ChildProcess;
  readonly #ended: Promise<End>;

  /**
   * A file of test/programs/ for this Node to run; or another command; or '' if nodeArgs name what
   * to run.
   */
  constructor(command: string, options: ProgramOptions = {}) {
    const { args = [], env, cwd, nodeArgs = [], method, input } = options;
    const isOurs = command === '' || /\.[cm]?[jt]s$/.test(command);
    const file = command === '' ? [] : [programFile(command)];
    const [program, ...before] = isOurs ? [process.execPath, ...nodeArgs, ...file] : [command];
    this.#child = spawn(program!, [...before, ...args], {
      cwd,
      env: { ...process.env, NODE_OPTIONS: '', METHOD: method, ...env, ...mark },
      stdio: ['pipe', 'pipe', 'pipe'],
    });
    running.add(this);
    this.#child.stdin!.on('error', () => {}); // not every program reads all of it
    if (input !== undefined) this.#child.stdin!.end(input);
    this.#child.stdout!.setEncoding('utf8').on('data', (text: string) => (this.stdout += text));
    this.#child.stderr!.setEncoding('utf8').on('data', (text: string) => (this.stderr += text));
    // 'close' comes when the program has ended, and all processes that have its standard output.
    this.#ended = new Promise((resolve, reject) => {
      this.#child.on('error', reject);
      this.#child.on('close', (code, signal) => {
        this.hasEnded = true;
        running.delete(this);
        resolve({ code, signal });
      });
    });
    this.#ended.catch(() => {});
  }

  get pid(): number {
    return this.#child.pid!;
  }

  /** The whole lines that the program has printed. */
  get lines(): string[] {
    return this.stdout.split('\n').slice(0, -1);
  }

  /** Resolves to the first line that begins with `start`. */
  async line(start: string, ms?: number): Promise<string> {
    const find = () => this.lines.find((line) => line.startsWith(start));
    await until(() => find() !== undefined || this.hasEnded, `a line "${start}" of a program`, ms);
    const found = find();
    if (found === undefined) throw new Error(`no line "${start}":\n${this.stdout}${this.stderr}`);
    return found;
  }

  closeInput(): void {
    this.#child.stdin!.end();
  }

  end(ms?: number): Promise<End> {
    return within(this.#ended, `the end of a program\n${this.stdout}\n${this.stderr}`, ms);
  }

  async outcome(): Promise<Outcome> {
    const { code, signal } = await this.end();
    const { stdout, stderr } = this;
    return { code, signal, stdout, stderr, said: this.lines.map(parse) };
  }

  signal(signal: NodeJS.Signals): void {
    this.#child.kill(signal);
  }

  kill(): Promise<End> {
    this.signal('SIGKILL');
    return this.end();
  }
}

function parse(line: string): unknown {
  try {
    return JSON.parse(line);
  } catch {
    return line;
  }
}

/** Runs a program to its end. */
export function run(command: string, options?: ProgramOptions): Promise<Outcome> {
  return new Program(command, options).outcome();
}

export async function endPrograms(): Promise<void> {
  await Promise.all([...running].map((program) => program.kill()));
}

/** The processes of programs, and of what they started, that still run. Linux only. */
export function survivors(): number[] {
  if (process.platform !== 'linux') return [];
  return readdirSync('/proc')
    .filter((entry) => /^\d+$/.test(entry) && Number(entry) !== process.pid)
    .filter((pid) => {
      try {
        return readFileSync(`/proc/${pid}/environ`, 'utf8').includes(mark.HOLDFAST_TEST_PROGRAM);
      } catch {
        return false; // it ended meanwhile, or is another user's
      }
    })
    .map(Number);
}

/** Fails unless everything that was started ends within a moment. Kills what is left. */
export async function nobodySurvives(): Promise<void> {
  let left: number[] = [];
  const isEmpty = () => (left = survivors()).length === 0;
  await until(isEmpty, 'the end of all processes that were started', 5000).catch((error: Error) => {
    for (const pid of left) process.kill(pid, 'SIGKILL');
    throw new Error(`processes left behind: ${left.join(', ')}`, { cause: error });
  });
}
