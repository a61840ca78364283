import { writeFileSync } from 'node:fs';
import { join } from 'node:path';

/** A path in the directory that runner.mjs made for this run, and removes after it. */
export function scratchPath(name) {
  const directory = process.env.HOLDFAST_BENCH_SCRATCH;
  if (!directory) throw new Error('start me through run.mjs, which makes HOLDFAST_BENCH_SCRATCH');
  return join(directory, name);
}

/** A new file there, of this process alone. */
export function scratchFile(label) {
  const file = scratchPath(`${label}-${process.pid}`);
  writeFileSync(file, '');
  return file;
}
