// The machine on which the figures were taken, for the header of a report; and the CPUs to which
// processes can be tied.

import { spawnSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import os from 'node:os';

export function machine() {
  const cpus = os.cpus();
  return {
    cpu: cpus[0]?.model.trim() ?? 'unknown',
    cores: cpus.length,
    memory: `${Math.round(os.totalmem() / 2 ** 30)} GiB`,
    kernel: `${os.type()} ${os.release()} ${os.arch()}`,
    loadAverage: os.loadavg()[0],
    freshPage_us: freshPage_us(),
  };
}

/**
 * The first write to a page of new memory. In some virtual machines it takes fifty times as long as
 * elsewhere, and then bounds whatever uses new memory: large messages, and the start of a process.
 */
function freshPage_us() {
  const page = 4096;
  const pages = 8192;
  const bytes = new Uint8Array(pages * page);
  const begun = performance.now();
  for (let i = 0; i < bytes.length; i += page) bytes[i] = 1;
  return ((performance.now() - begun) * 1000) / pages;
}

/** True if processes can be tied to CPUs here. */
export function canPin() {
  hasTaskset ??= spawnSync('taskset', ['--version']).status === 0;
  return hasTaskset && allowedCpus() !== null;
}
let hasTaskset;

/** The CPUs this process may run on, or null where the system does not say. */
export function allowedCpus() {
  let status;
  try {
    status = readFileSync('/proc/self/status', 'utf8');
  } catch {
    return null;
  }
  const list = /^Cpus_allowed_list:\s*(\S+)/m.exec(status)?.[1];
  return list?.split(',').flatMap(expandRange) ?? null;
}

function expandRange(range) {
  const [first, last = first] = range.split('-').map(Number);
  return Array.from({ length: last - first + 1 }, (_, i) => first + i);
}
