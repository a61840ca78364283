// Processes of other users and in other PID namespaces, where this machine lets a test have them.
import { spawnSync } from 'node:child_process';
import { chmodSync, writeFileSync } from 'node:fs';
import { type ProcessActor, isRoot, newProcess, programFile } from '../support/index.js';

/**
 * A process that may be another user's or in another PID namespace: see
 * programs/actor/acts/neighbours.mjs.
 */
export class Neighbour {
  readonly #actor: Promise<ProcessActor>;

  constructor(directory: string | undefined, wrapper: string[] = []) {
    this.#actor = newProcess({ env: { HOLDFAST_DIR: directory }, wrapper });
    this.#actor.catch(() => {}); // ask() fails with it
  }

  async ask(line: string): Promise<string> {
    return (await this.#actor).act<string>('request', { line }, 30_000);
  }

  /** Its pid, as it sees it. */
  async pid(): Promise<number> {
    return Number(await this.ask('pid'));
  }

  async kill(): Promise<void> {
    await (await this.#actor).kill();
  }

  /** Ends the process by the end of its work. */
  async leave(): Promise<void> {
    await (await this.#actor).leave();
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
// Inside, its own pid is 1. When it is killed, everything that it started is killed, too.
export const elsewhere = ['unshare', '--pid', '--fork', '--kill-child', '--mount-proc', '--'];
export const hasUsers =
  permitted('setpriv', ...as(bob).slice(1), process.execPath, '-e', '0') &&
  // The project may be readable to root only.
  permitted('setpriv', ...as(bob).slice(1), 'test', '-r', programFile('actor/actor.mjs'));

export const strangersSemaphore = Buffer.alloc(32);
strangersSemaphore.writeUInt32LE(5); // glibc: its value
export function plantSemaphore(file: string): void {
  writeFileSync(file, strangersSemaphore);
  chmodSync(file, 0o666);
}

export const hasNamespaces = permitted('unshare', ...elsewhere.slice(1), 'true');
