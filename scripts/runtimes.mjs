// The package on every runtime that there is for this machine, each with the prebuilt binary of its
// C library and processor.
//
//   npm run runtimes                  the smoke suite (test/runtimes) from the packed tarball
//   npm run runtimes -- --only=bun    on those whose name contains that
//   npm run runtimes -- --whole       test/ over the Linux addon on each Node, instead
//   npm run runtimes -- some words    the checks of the smoke suite whose title contains them
//
// Prints a table, and last the counts. What a runtime cannot do is skipped: see
// scripts/runtime-list.mjs.

import { cpSync, existsSync, mkdirSync, rmSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { die, killProcessGroup, knowOnly } from './common.mjs';
import { mustRun, option, parseCounts, root, run, say, Tally } from './common.mjs';
import { pack, withTemporary } from './pack-test.mjs';
import { buildLinux, buildWithoutBuffers } from './prebuilds.mjs';
import { runtimes, whyNotHere } from './runtime-list.mjs';
import { Sandbox } from './sandbox.mjs';

const smokeWatchdogMs = 20 * 60_000;
const binaries = path.join(root, 'build/runtimes/prebuilds');

const titleOf = ({ name, libcs, cpu }) => `${name} ${libcs.join(' and ')} ${cpu}`;

/** The binaries that `npm run prebuilds` would make, in build/runtimes/prebuilds. */
async function buildFor({ cpu, libcs, withoutBuffers }) {
  for (const libc of libcs) await buildLinux({ directory: `linux-${cpu}`, libc }, binaries);
  if (withoutBuffers) await buildWithoutBuffers();
}

/** A project with the tarball installed, no script run, and the smoke suite. */
async function makeProject(directory) {
  const { tarball } = await pack(directory);
  writeFileSync(path.join(directory, 'package.json'), '{"private": true, "type": "module"}\n');
  const flags = ['--ignore-scripts', '--no-audit', '--no-fund'];
  await mustRun('npm', ['install', ...flags, tarball], {
    cwd: directory,
    timeoutMs: smokeWatchdogMs,
  });
  const installed = path.join(directory, 'node_modules/holdfast');
  rmSync(path.join(installed, 'prebuilds'), { recursive: true, force: true });
  cpSync(binaries, path.join(installed, 'prebuilds'), { recursive: true });
  cpSync(path.join(root, 'test/runtimes'), path.join(directory, 'smoke'), { recursive: true });
}

/** Runs one command; its counts are in its last line. */
async function countsOf(command, { cwd, env, timeoutMs }) {
  const { code, output, timedOut, group } = await run(command[0], command.slice(1), {
    cwd,
    env,
    capture: true,
    timeoutMs,
  });
  if (timeoutMs !== undefined) killProcessGroup(group);
  const counts = parseCounts(output) ?? { passed: 0, failed: 1, skipped: 0 };
  if (timedOut) say(`stopped by the watchdog after ${timeoutMs / 60_000} min`);
  // A runtime that crashes at its end has printed its counts already.
  if (code !== 0 && counts.failed === 0) {
    console.error(`FAILED: it ended with exit code ${code}`);
    counts.failed = 1;
  }
  return counts;
}

async function smoke(runtime, project, words) {
  const sandbox = new Sandbox();
  const command = await runtime.command();
  try {
    const where = {
      cwd: project,
      env: {
        ...sandbox.env,
        ...(await runtime.env()),
        HOLDFAST_NATIVE: runtime.withoutBuffers ? await buildWithoutBuffers() : '',
        HOLDFAST_SMOKE_COMMAND: JSON.stringify((await runtime.other?.()) ?? command),
        HOLDFAST_SMOKE_SKIP: JSON.stringify(runtime.skip.map(([beginning]) => beginning)),
        HOLDFAST_SMOKE_BUFFERS: runtime.withoutBuffers ? 'refused' : '',
      },
    };
    const counts = await countsOf([...command, `smoke/${runtime.program}`, ...words], {
      ...where,
      timeoutMs: smokeWatchdogMs,
    });
    // Its checks kill programs that hold locks, and those stay for whoever wants to know. Only the
    // same C library finds their semaphores.
    const [program, ...args] = [...command, 'node_modules/holdfast/lib/cli/main.js', 'gc'];
    const quietly = { ...where, capture: true, echo: false };
    await run(program, [...args, '--abandoned', '--foreign'], quietly);
    const left = await sandbox.leftovers();
    for (const entry of left) console.error(`FAILED: left behind: ${entry}`);
    return { ...counts, failed: counts.failed + left.length };
  } finally {
    sandbox.remove();
  }
}

/** That script has a watchdog and a process group of its own. */
async function whole(runtime) {
  return countsOf([...(await runtime.command()), 'scripts/test.mjs', '--only=linux'], {
    cwd: root,
  });
}

function showTable(rows) {
  const head = ['runtime', 'libc', 'cpu', 'passed', 'failed', 'skipped', 'note'];
  const cells = rows.map(({ runtime, counts, note }) => [
    runtime.name,
    runtime.libcs.join(' and '),
    runtime.cpu,
    ...['passed', 'failed', 'skipped'].map((key) => String(counts?.[key] ?? '-')),
    note ?? '',
  ]);
  console.log('');
  for (const row of [head, head.map(() => '---'), ...cells]) console.log(`| ${row.join(' | ')} |`);
}

/** Runs `work` on each runtime. One that cannot run here is a skip, and a failure in CI. */
async function runOnEach(chosen, work) {
  const tally = new Tally();
  const rows = [];
  for (const runtime of chosen) {
    console.log(`\n== ${titleOf(runtime)}`);
    const missing = whyNotHere(runtime);
    let counts;
    try {
      if (missing !== undefined) throw new Error(missing);
      counts = await work(runtime);
      rows.push({
        runtime,
        counts,
        note: [...new Set(runtime.skip.map(([, why]) => why))].join('; '),
      });
    } catch (error) {
      const skips = missing !== undefined && !process.env.CI;
      console.error(`${skips ? 'skipped' : 'FAILED'} ${runtime.name}: ${error.message}`);
      counts = skips ? { skipped: 1 } : { failed: 1 };
      rows.push({ runtime, note: error.message });
    }
    tally.add(titleOf(runtime), counts);
  }
  showTable(rows);
  tally.finish();
}

knowOnly('only', 'whole');
const only = option('only') ?? '';
const isWhole = option('whole') !== undefined;
const words = process.argv.slice(2).filter((arg) => !arg.startsWith('--'));
const chosen = runtimes.filter(
  (runtime) => titleOf(runtime).includes(only) && (!isWhole || runtime.runsWhole),
);
if (chosen.length === 0) die(`no runtime is named like ${only}`);
if (isWhole) {
  await runOnEach(chosen, whole);
} else {
  mkdirSync(binaries, { recursive: true });
  const possible = chosen.filter((runtime) => whyNotHere(runtime) === undefined);
  for (const runtime of possible) await buildFor(runtime);
  if (!existsSync(path.join(root, 'lib'))) die('there is no lib/: npm run build');
  await withTemporary(async (project) => {
    await makeProject(project);
    await runOnEach(chosen, (runtime) => smoke(runtime, project, words));
  });
}
