// The litmus tests of spec/litmus: each handshake that depends on the order of memory, under the
// model of C++ and the models of the processors. Each test has faults, and each must be caught.
//
//   npm run litmus            all of them
//   npm run litmus -- wake    one or more
//   npm run litmus -- --herd=PROGRAM [--herd-library=DIRECTORY]
//                             asks herd7 as well, which must give the same answers
//
// The last line is `N passed, N failed`. Needs nothing but Node.

import { readFileSync } from 'node:fs';
import path from 'node:path';
import { die, filesUnder, isMain, knowOnly, option, root, Tally } from './common.mjs';
import { executions } from './litmus/executions.mjs';
import { askHerd } from './litmus/herd.mjs';
import { models, relationsOf } from './litmus/models.mjs';
import { parseLitmus } from './litmus/parse.mjs';

const directory = 'spec/litmus';

/** The models that allow the outcome of a test, and how many executions would have it. */
export function verdict(test) {
  const allowing = new Set();
  let candidates = 0;
  for (const execution of executions(test)) {
    candidates++;
    const relations = relationsOf(execution);
    for (const [name, allows] of Object.entries(models)) {
      if (!allowing.has(name) && allows(relations)) allowing.add(name);
    }
  }
  return { candidates, allowing: [...allowing].toSorted() };
}

function checkTest({ test, faults, allowed }) {
  const { candidates, allowing } = verdict(test);
  const found = allowing.join(' ') || 'nowhere';
  const expected = allowed?.join(' ') ?? 'nowhere';
  if (found !== expected) throw new Error(`the outcome is possible: ${found}; not: ${expected}`);
  if (candidates === 0) throw new Error('no execution has this outcome, under any order');
  if (!allowed && faults.size === 0) {
    throw new Error('it has no fault, so nothing shows that it can fail');
  }
  console.log(`${candidates} executions have the outcome; models that allow one: ${found}`);
}

function checkFault({ models: expected, test }) {
  const found = verdict(test).allowing.join(' ');
  if (found === '') throw new Error('no model allows the outcome, so it is not caught');
  if (found !== expected.toSorted().join(' ')) throw new Error(`it breaks: ${found}`);
  console.log(`caught under ${found}`);
}

/** herd7 must allow the outcome under the same models, of those that it has. */
async function checkHerd(test, herd) {
  const own = verdict(test)
    .allowing.filter((name) => name !== 'x86')
    .join(' ');
  const its = (await askHerd(test, herd)).join(' ');
  if (own !== its) throw new Error(`herd7 allows it under: ${its}; we: ${own}`);
}

/** `file function` for each call of fence_after_rmw() in native/core. */
function fences() {
  const found = new Set();
  for (const file of filesUnder('native/core').filter((name) => name.endsWith('.cc'))) {
    let current = '';
    for (const line of readFileSync(path.join(root, file), 'utf8').split('\n')) {
      const head = /^\w.*?\b(\w+)\(/.exec(line);
      if (head && !line.startsWith('namespace')) current = head[1];
      if (line.includes('fence_after_rmw()')) found.add(`${file} ${current}`);
    }
  }
  return found;
}

/** Every fence in the code stands in a test, and no test names a fence that is gone. */
function checkCovers(tests) {
  const covered = new Set(tests.flatMap(({ covers }) => covers));
  const wanted = fences();
  const missing = [...wanted].filter((place) => !covered.has(place));
  const surplus = [...covered].filter((place) => !wanted.has(place));
  if (missing.length > 0) throw new Error(`no test has the fence of ${missing.join(', ')}`);
  if (surplus.length > 0) throw new Error(`there is no fence in ${surplus.join(', ')}`);
  console.log(`${wanted.size} functions with a fence`);
}

/** Adds a check for each test and each fault to the tally. */
export async function runLitmus(tally, chosen, herd) {
  const names = filesUnder(directory)
    .filter((file) => file.endsWith('.litmus'))
    .map((file) => path.relative(directory, file).replace('.litmus', ''));
  for (const name of chosen.filter((one) => !names.includes(one))) {
    die(`no litmus test ${name}; there are: ${names.join(', ')}`);
  }
  const all = [];
  for (const name of names) {
    const text = readFileSync(path.join(root, directory, `${name}.litmus`), 'utf8');
    let parsed;
    if (chosen.length > 0 && !chosen.includes(name)) continue;
    await tally.check(`litmus ${name}`, () => {
      parsed = parseLitmus(text);
      all.push(parsed);
      checkTest(parsed);
    });
    if (herd) await tally.check(`herd7 ${name}`, () => checkHerd(parsed.test, herd));
    for (const [fault, broken] of parsed?.faults ?? []) {
      await tally.check(`litmus ${name}: fault ${fault}`, () => checkFault(broken));
      if (herd) await tally.check(`herd7 ${name}: ${fault}`, () => checkHerd(broken.test, herd));
    }
  }
  if (chosen.length === 0) await tally.check('litmus: every fence', () => checkCovers(all));
}

if (isMain(import.meta)) {
  knowOnly('herd', 'herd-library');
  const tally = new Tally();
  const program = option('herd');
  const herd = program && { program, library: option('herd-library') };
  const chosen = process.argv.slice(2).filter((arg) => !arg.startsWith('--'));
  await runLitmus(tally, chosen, herd);
  tally.finish();
}
