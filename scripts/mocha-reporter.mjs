// Mocha's usual output, then the files that took most of the time, a line `FAILED <title>: ...` for
// each failure (`.ci/run` shows it again at its end), and the counts as JSON in the file named by
// --reporter-option counts=<path>.

import { writeFileSync } from 'node:fs';
import path from 'node:path';
import Mocha from 'mocha';

export default class CountingReporter extends Mocha.reporters.Spec {
  constructor(runner, options) {
    super(runner, options);
    const failures = [];
    runner.on('fail', (test, error) => failures.push(`${test.fullTitle()}: ${oneLine(error)}`));
    // Up to the end of each test, so that what its hooks took counts, too.
    const spent_ms = new Map();
    let since = performance.now();
    runner.on('test end', ({ file }) => {
      const now = performance.now();
      spent_ms.set(file, (spent_ms.get(file) ?? 0) + now - since);
      since = now;
    });
    runner.once('end', () => {
      showSlowest(spent_ms);
      for (const failure of failures) console.log(`FAILED ${failure}`);
      const { passes: passed, failures: failed, pending: skipped } = this.stats;
      const counts = { passed, failed, skipped };
      const file = options.reporterOption?.counts ?? options.reporterOptions?.counts;
      if (file) writeFileSync(file, JSON.stringify(counts));
    });
  }
}

function showSlowest(spent_ms) {
  console.log('  the slowest files');
  const slowest = [...spent_ms].toSorted(([, one], [, other]) => other - one).slice(0, 10);
  for (const [file, ms] of slowest) {
    const seconds = (ms / 1000).toFixed(1).padStart(6);
    console.log(`  ${seconds} s  ${path.relative(process.cwd(), file)}`);
  }
}

function oneLine(error) {
  const text = String(error?.stack ?? error).replaceAll(/\s*\n\s*/g, ' | ');
  return text.length > 900 ? `${text.slice(0, 900)}...` : text;
}
