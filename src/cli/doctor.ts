// `holdfast doctor`: what may be wrong around the objects, and what to do about it.
import { type Stats, lstatSync, readFileSync, readdirSync, statSync, statfsSync } from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { type ObjectEntry, list } from '../index.js';
import { addon } from '../native/load.js';
import { enterDirectory } from '../objects/shared.js';
import { type Command, exit, read } from './command.js';
import { printable } from '../observe/printable.js';
import { bytes } from './text.js';

/** One thing that was looked at. */
export interface Finding {
  readonly level: 'ok' | 'hint' | 'problem';
  readonly what: string;
  /** What to do. */
  readonly cure?: string;
}

const ok = (what: string): Finding => ({ level: 'ok', what });
const hint = (what: string, cure: string): Finding => ({ level: 'hint', what, cure });
const problem = (what: string, cure: string): Finding => ({ level: 'problem', what, cure });

/** The text of a file, or undefined. */
function textOf(file: string): string | undefined {
  try {
    return readFileSync(file, 'utf8');
  } catch {
    return undefined;
  }
}

/** Undefined also if this user may not look there. */
function factsOf(file: string): Stats | undefined {
  try {
    return lstatSync(file);
  } catch {
    return undefined;
  }
}

function isDirectory(file: string): boolean {
  try {
    return statSync(file).isDirectory();
  } catch {
    return false;
  }
}

function checkDirectory(where: string): Finding[] {
  const facts = factsOf(where);
  const parent = path.dirname(where);
  if (facts === undefined && !isDirectory(parent)) {
    return [problem(`${where} cannot be made: there is no directory ${parent}`, 'make that one')];
  }
  if (facts === undefined)
    return [ok(`directory ${where}: not there yet, it is made at first use`)];
  if (!facts.isDirectory()) {
    return [problem(`${where} is no directory`, 'remove it, or set HOLDFAST_DIR to another one')];
  }
  const findings: Finding[] = [];
  const uid = process.geteuid!();
  if (facts.uid !== uid) {
    const cure = 'each user needs a directory of his own: set HOLDFAST_DIR to one';
    findings.push(problem(`${where} belongs to user ${facts.uid}, and this is user ${uid}`, cure));
  }
  if ((facts.mode & 0o077) !== 0) {
    const mode = (facts.mode & 0o777).toString(8);
    findings.push(problem(`${where} has mode ${mode}: others may enter`, `chmod 700 ${where}`));
  }
  return findings.length > 0 ? findings : [ok(`directory ${where}: owner and mode are right`)];
}

function checkSpace(where: string): Finding {
  const { bsize, blocks, bavail } = statfsSync(where);
  const [free, size] = [bsize * bavail, bsize * blocks];
  const what = `space in ${where}: ${bytes(free)} of ${bytes(size)} free`;
  const cure = where.startsWith('/dev/shm/')
    ? 'a container gets more by docker run --shm-size=1g (Kubernetes: an emptyDir with medium ' +
      'Memory at /dev/shm); a machine by mount -o remount,size=1g /dev/shm; or set HOLDFAST_DIR'
    : 'make room there, or set HOLDFAST_DIR to a directory elsewhere';
  if (free < 4 * 2 ** 20) return problem(what, cure);
  if (size <= 64 * 2 ** 20) return hint(`${what}; queues and SharedMemory need more soon`, cure);
  return ok(what);
}

/** Half-made files and doorbells without an agent: the sweep of the next program takes them. */
function checkFiles(where: string, entries: readonly ObjectEntry[]): Finding[] {
  const names = readdirSync(where);
  const objects = names.filter((name) => name.startsWith('object.')).length;
  const findings = [ok(`${entries.length} objects, ${names.length - objects} other files`)];
  const odd = objects - entries.length;
  if (odd > 0) {
    const cure = 'holdfast gc; if they stay, they are no files of holdfast: look at them';
    findings.push(hint(`${odd} files in ${where} are no whole objects`, cure));
  }
  const left = entries.filter(({ inUse, persistent, format }) => {
    return !inUse && !persistent && format === undefined;
  });
  if (left.length > 0) {
    const shown = left.slice(0, 5).map(({ kind, name }) => `${kind} ${printable(name)}`);
    const what = `${left.length} objects were left by a holder that died: ${shown.join(', ')}`;
    findings.push(
      hint(what, 'the next holder is told and has it; holdfast gc --abandoned removes them'),
    );
  }
  const foreign = entries.filter(({ format }) => format !== undefined);
  if (foreign.length > 0) {
    const used = foreign.filter(({ inUse }) => inUse).length;
    const what = `${foreign.length} objects are of another version of holdfast, ${used} in use`;
    findings.push(
      hint(what, 'use one version in all programs that share them; holdfast gc --foreign'),
    );
  }
  return findings;
}

/** systemd removes /dev/shm's files of a user who logs out, unless it is told not to. */
export function checkRemoveIpc(
  where: string,
  uid: number,
  isSystemd: boolean,
  configuration: string,
): Finding | undefined {
  if (!where.startsWith('/dev/shm/') || uid < 1000 || !isSystemd) return undefined;
  const set = [...configuration.matchAll(/^\s*RemoveIPC\s*=\s*(\w+)/gim)].at(-1)?.[1];
  if (set !== undefined && /^(no|false|off|0)$/i.test(set)) return ok('RemoveIPC=no');
  return hint(
    'systemd removes the files of this user from /dev/shm when the last session ends (RemoveIPC)',
    'for a service: run it as a system user, or set HOLDFAST_DIR to a directory elsewhere; or set ' +
      'RemoveIPC=no in /etc/systemd/logind.conf, or loginctl enable-linger',
  );
}

function logindConfiguration(): string {
  const folder = '/etc/systemd/logind.conf.d';
  let more: string[] = [];
  try {
    more = readdirSync(folder).toSorted();
  } catch {
    // there is none
  }
  const files = ['/etc/systemd/logind.conf', ...more.map((name) => path.join(folder, name))];
  return files.map((file) => textOf(file) ?? '').join('\n');
}

/** Each thread needs some descriptors, and each object one. */
function checkLimits(entries: readonly ObjectEntry[]): Finding | undefined {
  const line = /^Max open files\s+(\d+|unlimited)/m.exec(textOf('/proc/self/limits') ?? '')?.[1];
  if (line === undefined) return undefined;
  const limit = line === 'unlimited' ? Infinity : Number(line);
  const what = `open files: ${line} for each process`;
  if (limit >= 1024 && limit > 2 * entries.length) return ok(what);
  return hint(what, 'each open object takes a descriptor: raise it by ulimit -n, or LimitNOFILE=');
}

function* findings(): Generator<Finding> {
  const where = process.env['HOLDFAST_DIR'] || addon.defaultDirectory;
  yield* checkDirectory(where);
  const place = [where, path.dirname(where)].find((one) => factsOf(one) !== undefined);
  if (place !== undefined) yield checkSpace(place);
  let entries: ObjectEntry[];
  try {
    entries = list();
  } catch (error) {
    yield problem((error as Error).message, 'see above');
    return;
  }
  yield* checkFiles(enterDirectory(), entries);
  const isSystemd = factsOf('/run/systemd/system') !== undefined;
  const ipc = checkRemoveIpc(where, process.geteuid!(), isSystemd, logindConfiguration());
  if (ipc) yield ipc;
  const limits = checkLimits(entries);
  if (limits) yield limits;
  yield ok(`node ${process.version} on ${os.platform()} ${os.arch()}, ${os.release()}`);
}

export const doctor: Command = {
  summary: 'look for what may be wrong, and say what to do',
  help: `usage: holdfast doctor [--json]

Looks at the directory (owner, mode, space), at what is left there (by holders that died, by other
versions), at RemoveIPC of systemd, at the size of /dev/shm, at limits. Changes nothing, but every
program that starts removes what killed processes left half-made, and so does this one.

  --json  one JSON array

Exit codes: 0 nothing is wrong (hints may be printed); 1 something is; 64 wrong arguments; 71 the
system refused something.
`,
  run(args) {
    const { values } = read(args, { json: { type: 'boolean' } });
    const found = [...findings()];
    if (values['json']) process.stdout.write(`${JSON.stringify(found, undefined, 2)}\n`);
    else {
      for (const { level, what, cure } of found) {
        process.stdout.write(`${level.padEnd(7)}  ${what}\n`);
        if (cure !== undefined) process.stdout.write(`         -> ${cure}\n`);
      }
    }
    return found.some(({ level }) => level === 'problem') ? exit.negative : exit.ok;
  },
};
