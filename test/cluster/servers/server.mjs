// @ts-check
// A server of an engine, for tests: on a free port of the loopback, with its data in a temporary
// folder, ended by its process id.
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { accessSync, constants, mkdirSync, mkdtempSync, rmSync } from 'node:fs';
import net from 'node:net';
import os from 'node:os';
import path from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';

/** Far longer than any server takes to start. */
const startWatchdog_ms = 30_000;
const betweenLooks_ms = 5;

/**
 * The path of a program, or undefined if this machine does not have it.
 * @param {string} name
 * @param {string[]} folders where to look besides PATH
 */
export function findProgram(name, folders = []) {
  for (const folder of [...(process.env['PATH'] ?? '').split(':'), ...folders]) {
    const file = path.join(folder, name);
    try {
      accessSync(file, constants.X_OK);
      return file;
    } catch {
      // Not there.
    }
  }
  return undefined;
}

/** A port that nobody listened on just now. */
export async function freePort() {
  const probe = net.createServer().listen(0, '127.0.0.1');
  await once(probe, 'listening');
  const { port } = /** @type {net.AddressInfo} */ (probe.address());
  probe.close();
  await once(probe, 'close');
  return port;
}

/**
 * @typedef {object} Command
 * @property {string} program
 * @property {string[]} args
 * @property {Record<string, string>} [env]
 * @property {number} [uid]
 * @property {number} [gid]
 */

export class Server {
  /** The folder of its data. */
  directory;
  /** What it has printed, for the message when it does not start. */
  log = '';
  /** @type {import('node:child_process').ChildProcess | undefined} */
  #child;
  /** @type {Promise<unknown> | undefined} */
  #ended;

  /** @param {string} [directory] where it is to be made, if not in the temporary folder */
  constructor(directory) {
    this.directory = directory ?? mkdtempSync(path.join(os.tmpdir(), 'hf-server-'));
    if (directory !== undefined) mkdirSync(directory);
  }

  get pid() {
    const pid = this.#child?.pid;
    if (pid === undefined) throw new Error('the server does not run');
    return pid;
  }

  /**
   * Runs the command, and waits until `answers` resolves to true.
   * @param {Command} command
   * @param {() => Promise<boolean>} answers
   */
  async run({ program, args, env, ...user }, answers) {
    const child = spawn(program, args, {
      cwd: this.directory,
      env: { ...process.env, ...env },
      stdio: ['ignore', 'pipe', 'pipe'],
      ...user,
    });
    this.#child = child;
    this.#ended = once(child, 'close');
    this.#ended.catch(() => {});
    const keep = (/** @type {Buffer} */ text) => (this.log = (this.log + text).slice(-10_000));
    child.stdout.on('data', keep);
    child.stderr.on('data', keep);
    const end = performance.now() + startWatchdog_ms;
    while (!(await answers())) {
      if (child.exitCode !== null || child.signalCode !== null) {
        throw new Error(`${program} ended at its start: ${this.log}`);
      }
      if (performance.now() > end) throw new Error(`${program} does not answer: ${this.log}`);
      await sleep(betweenLooks_ms);
    }
  }

  /** Ends it by a signal, and waits until it has ended. Its data stay. */
  async end(/** @type {NodeJS.Signals} */ signal = 'SIGKILL') {
    this.#child?.kill(signal);
    await this.#ended;
    this.#child = undefined;
  }

  /** Stops it as a whole (SIGSTOP): connections stay open, and nobody answers. */
  stop() {
    process.kill(this.pid, 'SIGSTOP');
  }

  /** Lets it go on (SIGCONT). */
  goOn() {
    process.kill(this.pid, 'SIGCONT');
  }

  /** Ends it and removes its data. */
  async remove() {
    await this.end();
    rmSync(this.directory, { recursive: true, force: true });
  }
}

/**
 * True if something accepts connections there.
 * @param {number} port
 * @returns {Promise<boolean>}
 */
export function listens(port) {
  return new Promise((resolve) => {
    const socket = net.connect(port, '127.0.0.1');
    const settle = (/** @type {boolean} */ result) => {
      socket.destroy();
      resolve(result);
    };
    socket.once('connect', () => settle(true));
    socket.once('error', () => settle(false));
  });
}
