// What the scripts share: content hashes, running a command, counting results. It needs no
// dependencies, because setup.mjs runs before there are any.

import { spawn } from 'node:child_process';
import { createHash } from 'node:crypto';
import {
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  realpathSync,
  statSync,
  writeFileSync,
} from 'node:fs';
import { availableParallelism, constants } from 'node:os';
import path from 'node:path';

export const root = path.resolve(import.meta.dirname, '..');

/** The compiler's flag that makes warnings errors: all of them in CI, one of them elsewhere. */
export const werror = process.env.CI ? '-Werror' : '-Werror=return-type';

export function say(message) {
  console.log(`holdfast: ${message}`);
}

/** True if the script was started itself, and not imported by another one. */
export function isMain(meta) {
  return process.argv[1] !== undefined && realpathSync(process.argv[1]) === meta.filename;
}

/** Ends the script with a message for a person, without a stack trace. */
export function die(message) {
  console.error(`holdfast: ${message}`);
  process.exit(1);
}

/** Awaits `work` for each of the list, one at a time for each processor. */
export async function onEachProcessor(list, work) {
  const waiting = [...list];
  const one = async () => {
    for (let next = waiting.shift(); next !== undefined; next = waiting.shift()) await work(next);
  };
  await Promise.all(Array.from({ length: availableParallelism() }, one));
}

// ---- content hashes ---------------------------------------------------------------------------

/**
 * Every file under a file or directory of the project, sorted, relative to the root. `skip` names
 * directories by their path from the root, or at any depth as `**` and its name.
 */
export function filesUnder(relative, skip = []) {
  const absolute = path.join(root, relative);
  const skipped = skip.includes(relative) || skip.includes(`**/${path.basename(relative)}`);
  if (skipped || !existsSync(absolute)) return [];
  if (!statSync(absolute).isDirectory()) return [relative];
  return readdirSync(absolute)
    .toSorted()
    .flatMap((name) => filesUnder(path.join(relative, name), skip));
}

/** A hash of the names and contents of files, and of everything else that decides the result. */
export function hashOf(files, ...alsoDepends) {
  const hash = createHash('sha256').update(JSON.stringify(alsoDepends));
  for (const file of files) {
    const content = readFileSync(path.join(root, file));
    hash.update(`\0${file}\0${content.length}\0`).update(content);
  }
  return hash.digest('hex');
}

/**
 * A step is done if its stamp holds the hash of its inputs and its output exists. It uses hashes
 * and not times, because a checkout or a restored cache gives files new times and the same content.
 */
export function isDone(stamp, hash, output) {
  const file = path.join(root, stamp);
  return (
    existsSync(path.join(root, output)) &&
    existsSync(file) &&
    readFileSync(file, 'utf8').trim() === hash
  );
}

export function markDone(stamp, hash) {
  const file = path.join(root, stamp);
  mkdirSync(path.dirname(file), { recursive: true });
  writeFileSync(file, `${hash}\n`);
}

/** True if there is a program of that name on PATH. */
export function hasTool(name) {
  const directories = (process.env.PATH ?? '').split(path.delimiter);
  return directories.some((directory) => existsSync(path.join(directory, name)));
}

// ---- running a command ------------------------------------------------------------------------

/**
 * Runs a command with its output on ours and resolves to {code, output, timedOut, group}; `code` is
 * 128 + the signal when a signal ended it, as in a shell.
 *
 * `capture` also collects its standard output (`echo: false`: and does not show it). `timeoutMs`
 * gives it a process group of its own (`group` is its id), and when the time is over kills that
 * group and nothing else.
 */
export function run(
  command,
  args,
  { cwd = root, env, capture = false, echo = true, timeoutMs } = {},
) {
  return new Promise((resolve, reject) => {
    const detached = timeoutMs !== undefined;
    const child = spawn(command, args, {
      cwd,
      env: { ...process.env, ...env },
      detached,
      stdio: ['ignore', capture ? 'pipe' : 'inherit', 'inherit'],
    });

    let output = '';
    child.stdout?.setEncoding('utf8').on('data', (text) => {
      output += text;
      if (echo) process.stdout.write(text);
    });

    let timedOut = false;
    const killGroup = () => killProcessGroup(child.pid);
    const watchdog = detached
      ? setTimeout(() => {
          timedOut = true;
          killGroup();
        }, timeoutMs)
      : undefined;
    // Ctrl-C in a terminal does not reach another process group.
    const onSignal = (signal) => {
      killGroup();
      process.exit(128 + constants.signals[signal]);
    };
    if (detached) for (const signal of ['SIGINT', 'SIGTERM']) process.on(signal, onSignal);

    const done = () => {
      clearTimeout(watchdog);
      for (const signal of ['SIGINT', 'SIGTERM']) process.off(signal, onSignal);
    };
    child.on('error', (error) => {
      done();
      reject(new Error(`cannot run ${command}: ${error.message}`, { cause: error }));
    });
    // When nothing is captured this waits for 'exit', because a process that the command left
    // running keeps the pipe open.
    child.on(capture ? 'close' : 'exit', (code, signal) => {
      done();
      const status = signal ? 128 + constants.signals[signal] : code;
      resolve({ code: status, output, timedOut, group: child.pid });
    });
  });
}

export function killProcessGroup(group) {
  try {
    process.kill(-group, 'SIGKILL');
  } catch (error) {
    if (error.code !== 'ESRCH') throw error; // ESRCH: nobody is left in it
  }
}

/** Runs a command that must succeed. */
export async function mustRun(command, args, options) {
  const { code } = await run(command, args, options);
  if (code !== 0) throw new Error(`${command} ${args.join(' ')} failed (exit code ${code})`);
}

/** The value of `--name=value` among the arguments, '' for a bare `--name`. */
export function option(name, args = process.argv.slice(2)) {
  const prefix = `--${name}`;
  const found = args.find((arg) => arg === prefix || arg.startsWith(`${prefix}=`));
  return found?.slice(prefix.length + 1);
}

/**
 * Ends the script at an option that it does not know. Otherwise a mistyped option would run the
 * wrong thing.
 */
export function knowOnly(...names) {
  for (const arg of process.argv.slice(2)) {
    const name = /^--([^=]+)/.exec(arg)?.[1];
    if (name !== undefined && !names.includes(name)) {
      die(`unknown option --${name}; there are: ${names.map((n) => `--${n}`).join(' ')}`);
    }
  }
}

// ---- counting ---------------------------------------------------------------------------------

/** Collects the results of several parts, and prints the last line, which CI reads. */
export class Tally {
  #parts = [];

  add(name, { passed = 0, failed = 0, skipped = 0 }) {
    this.#parts.push({ name, passed, failed, skipped });
  }

  /** How many have failed so far. */
  get failed() {
    return this.#parts.reduce((sum, part) => sum + part.failed, 0);
  }

  /** Runs one check; it passes unless it throws. */
  async check(name, fn) {
    console.log(`\n== ${name}`);
    try {
      await fn();
      this.add(name, { passed: 1 });
    } catch (error) {
      console.error(`FAILED ${name}: ${error.message}`);
      this.add(name, { failed: 1 });
    }
  }

  /**
   * Prints the summary and sets the exit code. If nothing ran, that is a failure, because it proves
   * nothing.
   */
  finish() {
    const total = { passed: 0, failed: 0, skipped: 0 };
    const width = Math.max(0, ...this.#parts.map((part) => part.name.length));
    console.log('\nSummary');
    for (const part of this.#parts) {
      console.log(`  ${part.name.padEnd(width)}  ${counts(part)}`);
      for (const key of Object.keys(total)) total[key] += part[key];
    }
    if (total.passed + total.failed === 0) {
      console.log('  nothing was run');
      total.failed = 1;
    }
    console.log(counts(total));
    process.exitCode = total.failed > 0 ? 1 : 0;
  }
}

function counts({ passed, failed, skipped }) {
  return `${passed} passed, ${failed} failed${skipped > 0 ? `, ${skipped} skipped` : ''}`;
}

/**
 * Reads the counts from the last line of a program's output; null if that line is something else.
 */
export function parseCounts(output) {
  const last = output.trimEnd().split('\n').at(-1) ?? '';
  const match = /^(\d+) passed, (\d+) failed(?:, (\d+) skipped)?$/.exec(last);
  if (!match) return null;
  return { passed: Number(match[1]), failed: Number(match[2]), skipped: Number(match[3] ?? 0) };
}
