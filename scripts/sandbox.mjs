// A new HOLDFAST_DIR for one test run, and the check afterwards that the run left nothing behind.

import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';

const shm = '/dev/shm';
const looks = 10;
const betweenLooks_ms = 3000;

/**
 * The places outside HOLDFAST_DIR in which objects could be left: POSIX semaphores, and the default
 * directories.
 */
function outside() {
  const found = [];
  const look = (directory, pattern) => {
    if (!existsSync(directory)) return;
    for (const name of readdirSync(directory)) {
      if (pattern.test(name)) found.push(path.join(directory, name));
    }
  };
  look(shm, /^(sem\.hf-|holdfast-|hf-[0-9a-f]{10}-?m[0-9a-f]{26}$)/);
  look(os.tmpdir(), /^holdfast/);
  return found;
}

/**
 * Those of `entries` that a live process has mapped. They are no left-overs: another run beside
 * this one may keep an object for minutes.
 */
function inUse(entries) {
  const used = new Set();
  if (process.platform !== 'linux' || entries.length === 0) return used;
  for (const pid of readdirSync('/proc').filter((name) => /^\d+$/.test(name))) {
    try {
      const maps = readFileSync(`/proc/${pid}/maps`, 'utf8');
      for (const entry of entries) if (maps.includes(entry)) used.add(entry);
    } catch {
      // The process ended between the two looks.
    }
  }
  return used;
}

/** The live processes of a process group, which the tests started and forgot. Linux only. */
function processesOf(group) {
  if (process.platform !== 'linux') return [];
  const found = [];
  for (const pid of readdirSync('/proc').filter((name) => /^\d+$/.test(name))) {
    try {
      // "pid (command) state parent group ..."; the command may hold spaces and parentheses.
      const stat = readFileSync(`/proc/${pid}/stat`, 'utf8');
      const [state, , itsGroup] = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
      if (Number(itsGroup) === group && state !== 'Z') {
        found.push(`process ${readFileSync(`/proc/${pid}/cmdline`, 'utf8').replaceAll('\0', ' ')}`);
      }
    } catch {
      // The process ended between the two looks.
    }
  }
  return found;
}

export class Sandbox {
  #before = new Set(outside());
  // Its name does not begin with holdfast-, because then it would count as left behind. mkdtemp
  // gives it mode 0700.
  directory = mkdtempSync(path.join(existsSync(shm) ? shm : os.tmpdir(), 'hf-test-'));
  env = { HOLDFAST_DIR: this.directory };

  /** What the run left behind: files, semaphores, processes of its group. */
  async leftovers(group) {
    const look = () => {
      const others = outside().filter((entry) => !this.#before.has(entry));
      const used = inUse(others);
      return [
        ...readdirSync(this.directory).map((name) => path.join(this.directory, name)),
        ...others.filter((entry) => !used.has(entry)),
        ...processesOf(group),
      ];
    };
    // More looks. What another program on this machine has just made or closed is mapped, or gone,
    // at one of them.
    let left = look();
    for (let more = 0; more < looks && left.length > 0; more++) {
      await sleep(betweenLooks_ms);
      const now = new Set(look());
      left = left.filter((entry) => now.has(entry));
    }
    return left;
  }

  remove() {
    rmSync(this.directory, { recursive: true, force: true });
  }
}
