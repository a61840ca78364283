// Mocha's usual output, and the counts as JSON in the file named by --reporter-option counts=<path>.

import { writeFileSync } from 'node:fs';
import Mocha from 'mocha';

export default class CountingReporter extends Mocha.reporters.Spec {
  constructor(runner, options) {
    super(runner, options);
    runner.once('end', () => {
      const { passes, failures, pending } = this.stats;
      const counts = { passed: passes, failed: failures, skipped: pending };
      const file = options.reporterOption?.counts ?? options.reporterOptions?.counts;
      if (file) writeFileSync(file, JSON.stringify(counts));
    });
  }
}
