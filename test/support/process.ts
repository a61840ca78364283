// Programs that the tests of Process run: files of test/children, each in a Node of its own.
import { type ChildProcess, spawn } from 'node:child_process';
import { randomUUID } from 'node:crypto';
import { readdirSync, readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import path from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { pathToFileURL } from 'node:url';

/** In the environment of everything that these tests start. */
const mark = `HOLDFAST_PROCESS_TEST=${randomUUID()}`;

const watchdog_ms = 25_000;

export const methods = ['spawn', 'forkserver'] as const;
export type Method = (typeof methods)[number];

/** The TypeScript loader of the tests, by a name that is right in every directory. */
export const tsx = pathToFileURL(createRequire(import.meta.url).resolve('tsx')).href;

export function childFile(name: string): string {
  return path.join(import.meta.dirname, '../programs', name);
}

export interface ProgramOptions {
  args?: string[];
  nodeArgs?: string[];
  env?: Record<string, string>;
  cwd?: string;
  method?: Method;
}

/** What a program left: `said` are the lines of its standard output, each of which is JSON. */
export interface Outcome {
  code: number | null;
  signal: NodeJS.Signals | null;
  stdout: string;
  stderr: string;
  said: unknown[];
}

export class Program {
  readonly child: ChildProcess;
  /** When it and everybody else who has its standard output has ended. */
  readonly outcome: Promise<Outcome>;
  #stdout = '';
  #stderr = '';
  #onOutput = () => {};

  /** `file` is a file of test/children, or '' if nodeArgs says what to run. */
  constructor(file: string, { args = [], nodeArgs = [], env, cwd, method }: ProgramOptions = {}) {
    const [key, value] = mark.split('=') as [string, string];
    const command = [...nodeArgs, ...(file ? [childFile(file)] : []), ...args];
    this.child = spawn(process.execPath, command, {
      cwd,
      env: { ...process.env, NODE_OPTIONS: '', METHOD: method, ...env, [key]: value },
      stdio: ['ignore', 'pipe', 'pipe'],
    });
    this.child.stdout?.setEncoding('utf8').on('data', (text: string) => {
      this.#stdout += text;
      this.#onOutput();
    });
    this.child.stderr?.setEncoding('utf8').on('data', (text: string) => {
      this.#stderr += text;
    });
    this.outcome = new Promise((resolve, reject) => {
      const timer = setTimeout(() => {
        for (const pid of survivors()) process.kill(pid, 'SIGKILL');
        reject(new Error(`${command.join(' ')} hangs\n${this.#stdout}\n${this.#stderr}`));
      }, watchdog_ms);
      this.child.on('close', (code, signal) => {
        clearTimeout(timer);
        const said = this.#lines().map((line) => parse(line));
        resolve({ code, signal, stdout: this.#stdout, stderr: this.#stderr, said });
      });
    });
    this.outcome.catch(() => {}); // whoever awaits it is told
  }

  /** Waits for a line of standard output, the first one being number 1. */
  async line(number: number): Promise<unknown> {
    const come = new Promise<void>((resolve) => {
      this.#onOutput = () => {
        if (this.#lines().length >= number) resolve();
      };
      this.#onOutput();
    });
    await Promise.race([come, this.outcome]);
    const line = this.#lines()[number - 1];
    if (line === undefined) throw new Error(`no line ${number}:\n${this.#stdout}${this.#stderr}`);
    return parse(line);
  }

  #lines(): string[] {
    return this.#stdout.split('\n').slice(0, -1);
  }
}

function parse(line: string): unknown {
  try {
    return JSON.parse(line);
  } catch {
    return line;
  }
}

export function run(file: string, options?: ProgramOptions): Promise<Outcome> {
  return new Program(file, options).outcome;
}

/** Processes that these tests have started, and that run. Linux only. */
export function survivors(): number[] {
  if (process.platform !== 'linux') return [];
  return readdirSync('/proc')
    .filter((entry) => /^\d+$/.test(entry) && Number(entry) !== process.pid)
    .filter((pid) => {
      try {
        return readFileSync(`/proc/${pid}/environ`, 'utf8').includes(mark);
      } catch {
        return false; // it ended meanwhile, or is another user's
      }
    })
    .map(Number);
}

/** Fails unless everything that was started has ended, or does so soon. */
export async function nobodySurvives(): Promise<void> {
  for (let i = 0; i < 100 && survivors().length > 0; i++) await sleep(50);
  const left = survivors();
  if (left.length > 0) throw new Error(`processes left behind: ${left.join(', ')}`);
}
