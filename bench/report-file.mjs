// REPORT.md and its plots, from the figures of a run.

import { mkdirSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { plot } from './plot.mjs';
import { ceilingTable, comparisonTable, headerRows, panelsOf, skippedLines } from './report.mjs';
import { markdownTable } from './tables.mjs';

const bench = import.meta.dirname;
const plots = 'plots';

/** Returns the file's name, relative to the package. */
export function writeReport(header, results) {
  rmSync(join(bench, plots), { recursive: true, force: true });
  mkdirSync(join(bench, plots));
  writeFileSync(join(bench, 'REPORT.md'), reportText(header, results));
  return 'bench/REPORT.md';
}

function reportText(header, results) {
  const parts = [
    '# What was measured',
    'Written by `npm run bench`. [README.md](README.md) says what each figure means and how it is taken. In the ' +
      'plots blue is holdfast, green are programs in C and C++, grey the others.',
    markdownTable({ head: ['run', ''], rows: headerRows(header) }),
  ];
  const ceilings = ceilingTable(results);
  if (ceilings.rows.length > 0) {
    parts.push(
      '## Ceilings',
      'A ratio is of times, so below 1 is faster. "Floor" is the same figure of another program that does no more than the work ' +
        'needs. It is a yardstick: [README.md](README.md#floors) says what that program is. On two cores holdfast looks for 20 us before it sleeps, and the C programs sleep at once.',
      markdownTable(ceilings),
    );
  }
  for (const result of results) parts.push(...suiteParts(result));
  return `${parts.join('\n\n')}\n`;
}

function suiteParts(result) {
  const { name, title, rounds } = result;
  const parts = [`## ${title[0].toUpperCase()}${title.slice(1)}`, `Rounds: ${rounds}.`];
  panelsOf(result).forEach((panel, i) => {
    if (panel.name !== '') parts.push(`### ${panel.name[0].toUpperCase()}${panel.name.slice(1)}`);
    const drawing = plot(panel, result.contestants);
    if (drawing !== null) {
      const file = `${plots}/${name}-${i + 1}.svg`;
      writeFileSync(join(bench, file), drawing);
      parts.push(`![${panel.name || name}](${file})`);
    }
    parts.push(markdownTable(panel));
  });
  const skipped = skippedLines(result);
  if (skipped.length > 0) parts.push(skipped.map((line) => `- ${line}`).join('\n'));
  const comparisons = comparisonTable(result);
  if (comparisons.rows.length > 0) parts.push('### Ratios', markdownTable(comparisons));
  return parts;
}
