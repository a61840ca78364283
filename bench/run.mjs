// The driver: `npm run bench [-- <suite> ...] [--json] [--rounds N] [--report]`. Without names it
// plays all suites except those that run only by name; with `--all` it plays those, too, and writes
// the report.

import { parseArgs } from 'node:util';
import { prepare } from './prepare.mjs';
import { headerOf, summarise } from './figures.mjs';
import { ceilingsText, headerText, suiteText } from './report.mjs';
import { Runner } from './runner.mjs';
import { cluster } from './suites/cluster.mjs';
import { busy, contended } from './suites/contended.mjs';
import { family } from './suites/family.mjs';
import { handover } from './suites/handover.mjs';
import { held } from './suites/held.mjs';
import { instructions } from './suites/instructions.mjs';
import { lock } from './suites/lock.mjs';
import { memory } from './suites/memory.mjs';
import { named } from './suites/named.mjs';
import { open } from './suites/open.mjs';
import { pool } from './suites/pool.mjs';
import { queue } from './suites/queue.mjs';
import { recovery } from './suites/recovery.mjs';
import { scale } from './suites/scale.mjs';
import { seen } from './suites/seen.mjs';
import { start } from './suites/start.mjs';
import { writeReport } from './report-file.mjs';

// The suites, in the order in which they run.
const suites = [
  lock,
  named,
  seen,
  held,
  instructions,
  handover,
  family,
  contended,
  busy,
  scale,
  open,
  memory,
  recovery,
  queue,
  start,
  pool,
  cluster,
];

const { names, rounds, json, report } = parse();
const say = (text) => process.stderr.write(`${text}\n`);
const print = (text) => json || console.log(text);
const runner = new Runner(say);

for (const [signal, code] of [
  ['SIGHUP', 129],
  ['SIGINT', 130],
  ['SIGTERM', 143],
]) {
  process.once(signal, () => {
    runner.close();
    process.exit(code);
  });
}

try {
  const played = suites.filter(({ name }) => names.includes(name));
  const found = prepare(played, say);
  const header = headerOf(found, rounds);
  print(headerText(header));
  const results = [];
  for (const suite of played) {
    const result = summarise(suite, await runner.play(suite, found, rounds));
    results.push(result);
    print(suiteText(result));
  }
  print(ceilingsText(results));
  if (report) say(`written: ${writeReport(header, results)}`);
  if (json) console.log(JSON.stringify({ ...header, suites: results }, null, 2));
} finally {
  runner.close();
}
// A slow figure is not an error. A contestant that crashed or hung is.
process.exitCode = runner.failures > 0 ? 1 : 0;

function parse() {
  const known = suites.map(({ name }) => name);
  const usage = (code) => {
    console.error(
      `usage: npm run bench [-- ${known.join('|')} ...] [--json] [--rounds N] [--report] [--all]`,
    );
    process.exit(code);
  };
  let parsed;
  try {
    parsed = parseArgs({
      allowPositionals: true,
      options: {
        json: { type: 'boolean' },
        rounds: { type: 'string' },
        report: { type: 'boolean' },
        all: { type: 'boolean' },
        help: { type: 'boolean' },
      },
    });
  } catch (error) {
    console.error(error.message);
    usage(2);
  }
  const { values, positionals } = parsed;
  const unnamed = suites
    .filter(({ onlyNamed }) => values.all || !onlyNamed)
    .map(({ name }) => name);
  const rounds = values.rounds === undefined ? undefined : Number(values.rounds);
  if (values.help) usage(0);
  if (positionals.some((name) => !known.includes(name))) usage(2);
  if (rounds !== undefined && !(Number.isInteger(rounds) && rounds >= 1)) usage(2);
  return {
    names: positionals.length > 0 ? positionals : unnamed,
    rounds,
    json: values.json ?? false,
    report: values.report ?? positionals.length === 0,
  };
}
