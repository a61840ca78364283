// Text for people: columns, and numbers with their units.

/** The first column to the left, the others to the right. */
export function table(head, rows) {
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

const units = [
  ['ms', 1e6],
  ['us', 1e3],
  ['ns', 1],
];

const unitOf = (ns) => units.find(([, scale]) => ns >= scale) ?? units.at(-1);

export function duration(ns) {
  const [unit, scale] = unitOf(ns);
  return `${digits(ns / scale)} ${unit}`;
}

/** "12.3 us [11.9-13.0]", all in the unit of the median. */
export function spread({ median, p25, p75 }) {
  const [unit, scale] = unitOf(median);
  return `${digits(median / scale)} ${unit} [${digits(p25 / scale)}-${digits(p75 / scale)}]`;
}

/** Three significant digits, and never an exponent. */
export function digits(value) {
  if (value >= 100) return value.toFixed(0);
  if (value >= 10) return value.toFixed(1);
  return value.toFixed(value >= 1 ? 2 : 3);
}
