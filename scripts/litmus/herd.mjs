// Asks herd7, the reference tool for memory models, for its own answer to a litmus test.

import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { run } from '../common.mjs';
import { assemblyOf } from './assembly.mjs';

const watchdogMs = 60_000;

/** Our models that herd7 has, too: how it is told the test, and the file of its model. */
const inputs = {
  c11: { model: 'rc11.cat', write: (test) => test.text },
  aarch64: { model: 'aarch64.cat', write: (test) => assemblyOf(test, false) },
  aarch64_lse: { model: 'aarch64.cat', write: (test) => assemblyOf(test, true) },
};

/** Which of those models allow the outcome, by herd7. `library` is the folder of its models. */
export async function askHerd(test, { program, library }) {
  const directory = mkdtempSync(path.join(os.tmpdir(), 'hf-litmus-'));
  const allowing = [];
  try {
    for (const [name, { model, write }] of Object.entries(inputs)) {
      const file = path.join(directory, `${name}.litmus`);
      writeFileSync(file, write(test));
      const where = library ? ['-I', library] : [];
      const { output } = await run(program, [...where, '-model', model, file], {
        capture: true,
        echo: false,
        timeoutMs: watchdogMs,
      });
      const answer = /^Observation \S+ (Never|Sometimes|Always)/m.exec(output)?.[1];
      if (answer === undefined) throw new Error(`herd7 with ${model} has no answer:\n${output}`);
      if (answer !== 'Never') allowing.push(name);
    }
  } finally {
    rmSync(directory, { recursive: true, force: true });
  }
  return allowing.toSorted();
}
