// A program without a channel to the test, so that nothing but its own waits keeps it running. It
// speaks in lines on its standard output.
import { type ChildProcess, spawn } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import type { End } from './actor.js';
import { until, within } from './time.js';

const running = new Set<Program>();

export class Program {
  readonly lines: string[] = [];
  readonly ended: Promise<End>;
  errors = '';
  hasEnded = false;
  readonly #child: ChildProcess;

  /** `command` runs `args`; a .mjs file of te../programs/ is run by this Node. */
  constructor(command: string, args: string[] = [], env: NodeJS.ProcessEnv = {}) {
    const [program, ...before] = command.endsWith('.mjs')
      ? [process.execPath, fileURLToPath(new URL(`../programs/${command}`, import.meta.url))]
      : [command];
    this.#child = spawn(program!, [...before, ...args], {
      env: { ...process.env, ...env },
      stdio: ['pipe', 'pipe', 'pipe'],
    });
    running.add(this);
    let rest = '';
    this.#child.stdout!.setEncoding('utf8').on('data', (text: string) => {
      const lines = (rest + text).split('\n');
      rest = lines.pop()!;
      this.lines.push(...lines);
    });
    this.#child.stderr!.setEncoding('utf8').on('data', (text: string) => (this.errors += text));
    // 'close' comes when all of its output has.
    this.ended = new Promise((resolve, reject) => {
      this.#child.on('error', reject);
      this.#child.on('close', (code, signal) => {
        this.hasEnded = true;
        running.delete(this);
        resolve({ code, signal });
      });
    });
    this.ended.catch(() => {});
  }

  get pid(): number {
    return this.#child.pid!;
  }

  /** Resolves when it has printed that line (or something that begins so), to the line. */
  async line(start: string, ms?: number): Promise<string> {
    const find = () => this.lines.find((line) => line.startsWith(start));
    await until(() => find() !== undefined || this.hasEnded, `a line "${start}" of a program`, ms);
    const found = find();
    if (found === undefined)
      throw new Error(`ended without "${start}": ${this.lines} ${this.errors}`);
    return found;
  }

  write(text: string): void {
    this.#child.stdin!.write(text);
  }

  closeInput(): void {
    this.#child.stdin!.end();
  }

  end(): Promise<End> {
    return within(this.ended, 'the end of a program');
  }

  kill(): Promise<End> {
    this.#child.kill('SIGKILL');
    return this.end();
  }
}

export async function endPrograms(): Promise<void> {
  await Promise.all([...running].map((program) => program.kill()));
}
