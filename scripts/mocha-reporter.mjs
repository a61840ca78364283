// Mocha's usual output, then a line `FAILED <title>: <message>` for each failure (which `.ci/run`
// shows again at its end), and the counts as JSON in the file named by --reporter-option
// counts=<path>.

import { writeFileSync } from 'node:fs';
import Mocha from 'mocha';

export default class CountingReporter extends Mocha.reporters.Spec {
  constructor(runner, options) {
    super(runner, options);
    const failures = [];
    runner.on('fail', (test, error) => failures.push(`${test.fullTitle()}: ${oneLine(error)}`));
    runner.once('end', () => {
      for (const failure of failures) console.log(`FAILED ${failure}`);
      const { passes: passed, failures: failed, pending: skipped } = this.stats;
      const counts = { passed, failed, skipped };
      const file = options.reporterOption?.counts ?? options.reporterOptions?.counts;
      if (file) writeFileSync(file, JSON.stringify(counts));
    });
  }
}

function oneLine(error) {
  const text = String(error?.stack ?? error).replaceAll(/\s*\n\s*/g, ' | ');
  return text.length > 900 ? `${text.slice(0, 900)}...` : text;
}
