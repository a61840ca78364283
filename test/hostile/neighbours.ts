// Processes of other users and of other PID namespaces, as far as this machine lets a test have them.
import { spawnSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { chmodSync, writeFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { Program, isRoot } from '../support/index.js';

export const kin = fileURLToPath(new URL('../programs/kin.mjs', import.meta.url));

/** A process that is told what to do in lines: see programs/kin.mjs. */
export class Kin {
  readonly program: Program;
  #asked = 0;
  constructor(directory: string | undefined, wrapper: string[] = []) {
    const [command, ...args] = [...wrapper, process.execPath, kin];
    this.program = new Program(command!, args, { HOLDFAST_DIR: directory });
  }
  /** Its pid, as it sees it. */
  async ready(): Promise<number> {
    return Number((await this.program.line('ready ')).split(' ')[1]);
  }
  async ask(command: string): Promise<string> {
    const start = `${++this.#asked}: `;
    this.program.write(`${command}\n`);
    return (await this.program.line(start)).slice(start.length);
  }
}

export function permitted(command: string, ...args: string[]): boolean {
  return isRoot && process.platform === 'linux' && spawnSync(command, args).status === 0;
}
export const [alice, bob] = [65533, 65534];
export const as = (user: number) => [
  'setpriv',
  `--reuid=${user}`,
  `--regid=${user}`,
  '--clear-groups',
  '--',
];
// Its own pid is 1 in there, and it takes what it has started with it.
export const elsewhere = ['unshare', '--pid', '--fork', '--kill-child', '--mount-proc', '--'];
export const hasUsers =
  permitted('setpriv', ...as(bob).slice(1), process.execPath, '-e', '0') &&
  // The project itself may be where only root can read.
  permitted('setpriv', ...as(bob).slice(1), 'test', '-r', kin);

/** What Linux shows of the semaphore of a name: see semaphoreKey in src/objects.ts. */
export function semaphoreName(user: number, directory: string, name: string): string {
  const parts = [String(user), directory, name].join('\0');
  return `hf-${createHash('sha256').update(parts).digest('hex').slice(0, 26)}`;
}
export const strangersSemaphore = Buffer.alloc(32);
strangersSemaphore.writeUInt32LE(5); // glibc: its value
export function plantSemaphore(file: string): void {
  writeFileSync(file, strangersSemaphore);
  chmodSync(file, 0o666);
}

export const hasNamespaces = permitted('unshare', ...elsewhere.slice(1), 'true');
