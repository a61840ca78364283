// Runs the contestants of a suite. In each round every contestant runs once, in a fresh process.
// The order changes from round to round. So other work on the machine disturbs all of them alike.

import { spawn, spawnSync } from 'node:child_process';
import { existsSync, mkdirSync, mkdtempSync, rmSync } from 'node:fs';
import os from 'node:os';
import { join } from 'node:path';
import { allowedCpus, canPin } from './machine.mjs';
import { lastLine } from './prepare.mjs';
import { median } from './stats.mjs';

const WATCHDOG_MS = 60_000;
// For a suite that plays as long as its time allows. With fewer rounds than the first number the
// quartiles would mean little.
const MIN_ROUNDS = 3;
const MAX_ROUNDS = 15;
const cwd = import.meta.dirname;

export class Runner {
  failures = 0;
  #say;
  #scratch;
  #environment;
  #running = new Set();

  constructor(say) {
    this.#say = say;
    // In a file system in memory, if there is one. That is the best case of the rivals that use
    // files.
    const parent = existsSync('/dev/shm') ? '/dev/shm' : os.tmpdir();
    this.#scratch = mkdtempSync(join(parent, 'holdfast-bench-'));
    const holdfastDirectory = join(this.#scratch, 'holdfast');
    mkdirSync(holdfastDirectory, { mode: 0o700 });
    this.#environment = {
      ...process.env,
      HOLDFAST_DIR: holdfastDirectory,
      HOLDFAST_BENCH_SCRATCH: this.#scratch,
    };
  }

  /**
   * `outcomes`: `{ <contestant>: { skipped?, metrics: { <metric>: { rounds, samples } } } }`, and
   * how many rounds there were: as many as `asked`, or as the suite says, or as fit into its
   * seconds.
   */
  async play(suite, found, asked) {
    const isEnough = enough(suite, asked);
    const outcomes = {};
    for (const [id, { needs }] of Object.entries(suite.contestants)) {
      const skipped = [needs].flat().map((need) => found[need].missing);
      outcomes[id] = { skipped: skipped.find((reason) => reason !== undefined), metrics: {} };
    }
    const players = Object.keys(outcomes).filter((id) => outcomes[id].skipped === undefined);
    let rounds = 0;
    for (; !isEnough(rounds); rounds++) {
      this.#say(`${suite.name}: round ${rounds + 1}`);
      for (const id of rotated(players, rounds)) {
        await this.#playRound(suite.contestants[id], suite.placements, outcomes[id], rounds);
      }
    }
    return { outcomes, rounds };
  }

  async #playRound(contestant, placements, outcome, round) {
    for (const placement of placements) {
      if (outcome.skipped !== undefined) return;
      if (placement.plays?.(contestant) === false) continue;
      try {
        record(outcome.metrics, placement, round, await this.#runOnce(contestant, placement));
      } catch (error) {
        this.failures++;
        outcome.skipped = error.message;
        this.#say(`${contestant.label}: ${error.message}`);
      }
    }
  }

  /** Runs a contestant to its end. Returns what its one line of JSON contains. */
  #runOnce(contestant, placement) {
    const { prefix, peerCpu } = pinning(placement);
    const line = [...prefix, ...contestant.command, ...placement.args(contestant).map(String)];
    const [executable, ...args] = line;
    return new Promise((resolve, reject) => {
      const child = spawn(executable, args, {
        cwd,
        env: { ...this.#environment, HOLDFAST_BENCH_PEER_CPU: peerCpu },
        // In a process group of its own, so that a peer that is stuck can be ended with it.
        detached: true,
        stdio: ['ignore', 'pipe', 'pipe'],
      });
      this.#running.add(child);
      const watchdog = setTimeout(() => killGroup(child), WATCHDOG_MS);
      let stdout = '';
      let stderr = '';
      child.stdout.on('data', (chunk) => (stdout += chunk));
      child.stderr.on('data', (chunk) => (stderr += chunk));
      child.on('error', reject);
      child.on('exit', (code) => code !== 0 && killGroup(child));
      child.on('close', (code, signal) => {
        clearTimeout(watchdog);
        this.#running.delete(child);
        if (signal) reject(new Error(`ended by ${signal} (${WATCHDOG_MS} ms is the limit)`));
        else if (code !== 0) reject(new Error(`exit code ${code}: ${lastLine(stderr)}`));
        else resolve(JSON.parse(stdout));
      });
    });
  }

  close() {
    for (const child of this.#running) killGroup(child);
    // A run that was killed may have left objects, and their semaphores are not in `scratch`.
    const script = `
      import { list, unlink } from './holdfast.mjs'
      for (const { kind, name } of list()) unlink(kind, name)`;
    spawnSync(process.execPath, ['--input-type=module', '-e', script], {
      cwd,
      env: this.#environment,
    });
    rmSync(this.#scratch, { recursive: true, force: true });
  }
}

/**
 * Does not begin a round that would end further after the time than the last one ended before it.
 */
function enough({ rounds, seconds }, asked) {
  const fixed = rounds ?? asked;
  if (fixed !== undefined) return (done) => done >= fixed;
  const began = performance.now();
  return (done) => {
    const spent = (performance.now() - began) / 1000;
    if (done < MIN_ROUNDS) return false;
    return done >= MAX_ROUNDS || spent + spent / done / 2 > seconds;
  };
}

const rotated = (list, by) => list.map((_, i) => list[(i + by) % list.length]);

/** A metric of a round is the median of what the contestant printed for it, if anything. */
function record(metrics, placement, round, output) {
  for (const [printed, metric] of Object.entries(placement.metrics)) {
    if (output[printed] === undefined) continue;
    const entry = (metrics[metric] ??= { rounds: [], samples: [] });
    entry.rounds[round] = median(output[printed]);
    entry.samples.push(...output[printed]);
  }
}

function pinning({ cpus }) {
  const allowed = cpus && canPin() ? allowedCpus() : null;
  if (allowed === null) return { prefix: [], peerCpu: '' };
  const named = { last: allowed.at(-1), 'last but one': allowed.at(-2) ?? allowed.at(-1) };
  const [own, peer] = cpus.map((name) => named[name]);
  return { prefix: ['taskset', '-c', String(own)], peerCpu: String(peer) };
}

function killGroup(child) {
  try {
    process.kill(-child.pid, 'SIGKILL');
  } catch {
    // No process of that group is left.
  }
}
