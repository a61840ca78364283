// The driver: `npm run bench [-- lock|handover|recovery|queue|start ...] [--json] [--rounds N]`.

import { parseArgs } from 'node:util';
import { prepare } from './prepare.mjs';
import { ceilingsText, headerOf, headerText, suiteText, summarise } from './report.mjs';
import { Runner } from './runner.mjs';
import { handover } from './suites/handover.mjs';
import { lock } from './suites/lock.mjs';
import { queue } from './suites/queue.mjs';
import { recovery } from './suites/recovery.mjs';
import { start } from './suites/start.mjs';

const suites = [lock, handover, recovery, queue, start];
const DEFAULT_ROUNDS = 15;

const { names, rounds, json } = parse();
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
  const found = prepare(say);
  const header = headerOf(found, rounds);
  print(headerText(header));
  const results = [];
  for (const suite of suites.filter(({ name }) => names.includes(name))) {
    const result = summarise(suite, await runner.play(suite, found, rounds));
    results.push(result);
    print(suiteText(result));
  }
  print(ceilingsText(results));
  if (json) console.log(JSON.stringify({ ...header, suites: results }, null, 2));
} finally {
  runner.close();
}
// A slow figure is a figure; a contestant that fell over is an error.
process.exitCode = runner.failures > 0 ? 1 : 0;

function parse() {
  const known = suites.map(({ name }) => name);
  const usage = (code) => {
    console.error(`usage: npm run bench [-- ${known.join('|')} ...] [--json] [--rounds N]`);
    process.exit(code);
  };
  let parsed;
  try {
    parsed = parseArgs({
      allowPositionals: true,
      options: { json: { type: 'boolean' }, rounds: { type: 'string' }, help: { type: 'boolean' } },
    });
  } catch (error) {
    console.error(error.message);
    usage(2);
  }
  const { values, positionals } = parsed;
  const rounds = Number(values.rounds ?? DEFAULT_ROUNDS);
  if (values.help) usage(0);
  if (positionals.some((name) => !known.includes(name))) usage(2);
  if (!Number.isInteger(rounds) || rounds < 1) usage(2);
  return {
    names: positionals.length > 0 ? positionals : known,
    rounds,
    json: values.json ?? false,
  };
}
