// Tables for people: columns, and numbers with their units.

/** Plain text, with the first column to the left and the others to the right. */
export function textTable({ head, rows }) {
  const widths = head.map((title, i) =>
    Math.max(title.length, ...rows.map((row) => row[i].length)),
  );
  const line = (cells) =>
    cells
      .map((cell, i) => (i === 0 ? cell.padEnd(widths[i]) : cell.padStart(widths[i])))
      .join('  ')
      .trimEnd();
  const rule = widths.map((width) => '-'.repeat(width)).join('  ');
  return [line(head), rule, ...rows.map(line)].join('\n');
}

/** The same in Markdown. */
export function markdownTable({ head, rows }) {
  const line = (cells) =>
    `| ${cells.map((cell) => cell.replaceAll('|', String.raw`\|`)).join(' | ')} |`;
  const rule = head.map((_, i) => (i === 0 ? '---' : '---:'));
  return [line(head), line(rule), ...rows.map(line)].join('\n');
}

// By the unit of a metric: names of its scales, largest first.
const scales = {
  ns: [
    ['s', 1e9],
    ['ms', 1e6],
    ['us', 1e3],
    ['ns', 1],
  ],
  bytes: [
    ['MiB', 1 << 20],
    ['KiB', 1 << 10],
    ['B', 1],
  ],
  count: [['', 1]],
  x: [['', 1]],
};

function scaleOf(value, unit) {
  return scales[unit].find(([, scale]) => Math.abs(value) >= scale) ?? scales[unit].at(-1);
}

const joined = (number, name) => (name === '' ? number : `${number} ${name}`);

/** "12.3 us" */
export function quantity(value, unit = 'ns') {
  const [name, scale] = scaleOf(value, unit);
  return joined(digits(value / scale), name);
}

/** "12.3 us [11.9-13.0]", all in the scale of the median. */
export function spread({ median, p25, p75 }, unit = 'ns') {
  const [name, scale] = scaleOf(median, unit);
  const show = (value) => digits(value / scale);
  return `${joined(show(median), name)} [${show(p25)}-${show(p75)}]`;
}

/** Three significant digits, and never an exponent. */
export function digits(value) {
  const size = Math.abs(value);
  if (size >= 1000) return Math.round(value).toLocaleString('en');
  if (size >= 100 || value === 0) return value.toFixed(0);
  if (size >= 10) return value.toFixed(1);
  if (size >= 1) return value.toFixed(2);
  return value.toFixed(Math.min(6, 2 - Math.floor(Math.log10(size))));
}
