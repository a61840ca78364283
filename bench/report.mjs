// Turns figures into tables, the same for the terminal and for REPORT.md.

import { digits, quantity, spread, textTable } from './tables.mjs';

/** Pairs of a word and what was found: the machine, and whose figures these are. */
export function headerRows({ date, machine: where, pinned, node, found, rounds }) {
  const need = ({ version, missing }) => version ?? `skipped: ${missing}`;
  const { cpu, cores, kernel, memory, loadAverage, freshPage_us } = where;
  return [
    ['date', date],
    ['machine', `${cpu}, ${cores} cores, ${memory}, ${kernel}`],
    ['load', `${loadAverage.toFixed(2)} when the run began (1-minute average)`],
    ['new memory', `${freshPage_us.toFixed(2)} us for the first write to a page of 4 KiB`],
    ['holdfast', need(found.holdfast)],
    ['Node', node],
    ['rivals', need(found.rivals)],
    ['of cluster', need(found.clusterRivals)],
    ['Redis', need(found.redis)],
    ['helper', need(found.helperThread)],
    ['Python', need(found.python)],
    ['C', need(found.c)],
    ['Boost', need(found.boost)],
    ['Valgrind', need(found.valgrind)],
    ['rounds', `${rounds}; figures are the median [p25-p75] of the rounds`],
    ...(pinned ? [] : [['pinning', 'none: "one core" and "two cores" mean nothing here']]),
  ];
}

export function headerText(header) {
  return headerRows(header)
    .map(([what, value]) => `${what.padEnd(12)}${value}`)
    .join('\n');
}

export function suiteText(result) {
  const parts = ['', `${result.title} (rounds: ${result.rounds})`];
  for (const panel of panelsOf(result)) parts.push('', textTable(panel));
  const skipped = skippedLines(result);
  if (skipped.length > 0) parts.push('', ...skipped);
  const comparisons = comparisonTable(result);
  if (comparisons.rows.length > 0) parts.push('', textTable(comparisons));
  return parts.join('\n');
}

export const skippedLines = ({ contestants }) =>
  contestants
    .filter(({ skipped }) => skipped !== undefined)
    .map(({ label, skipped: reason }) => `skipped: ${label} (${reason})`);

/** The tables of a suite: one for each panel of its metrics, and one for that panel's rates. */
export function panelsOf({ metrics, contestants }) {
  const names = [...new Set(metrics.map(({ panel }) => panel))];
  return names
    .flatMap((name) => {
      const own = metrics.filter(({ panel }) => panel === name);
      const rated = own.filter(({ rate }) => rate);
      return [panelTable(name, own, contestants), rateTable(name, rated, contestants)];
    })
    .filter(({ rows }) => rows.length > 0);
}

function panelTable(name, metrics, contestants) {
  const columns = metrics.flatMap(columnsOf);
  return {
    name,
    metrics,
    head: [name, ...columns.map(({ title }) => title)],
    rows: rowsOf(contestants, metrics, (results) => columns.map(({ cell }) => cell(results))),
  };
}

/** A metric is one column, or one for each of its quantiles. */
function columnsOf({ id, title, unit, quantiles }) {
  if (quantiles === undefined) return [{ title, cell: cellOf(id, (it) => spread(it, unit)) }];
  return [
    ...quantiles.map((q) => ({
      title: `${title} ${q === 1 ? 'max' : `p${Number((100 * q).toFixed(2))}`}`.trim(),
      cell: cellOf(id, (result) => quantity(result.quantiles[q], unit)),
    })),
    { title: 'n', cell: cellOf(id, ({ count }) => String(count)) },
  ];
}

/** Some contestants lack some figures. */
const cellOf = (id, show) => (results) => (results[id] === undefined ? '-' : show(results[id]));

function rowsOf(contestants, metrics, cells) {
  return contestants
    .filter(({ results }) => metrics.some(({ id }) => results[id] !== undefined))
    .map(({ label, results }) => [label, ...cells(results)]);
}

function rateTable(panel, rated, contestants) {
  const name = panel ? `${panel}, per second` : 'per second';
  const columns = rated.map(({ id }) => cellOf(id, ({ median: ns }) => digits(1e9 / ns)));
  return {
    name,
    metrics: [],
    head: [name, ...rated.map(({ title }) => title)],
    rows: rowsOf(contestants, rated, (results) => columns.map((cell) => cell(results))),
  };
}

export function comparisonTable({ comparisons }) {
  return {
    head: ['ratio, round by round', '', 'median', 'p25-p75'],
    rows: comparisons.map(({ text, place, ratio }) => [
      text,
      place,
      digits(ratio.median),
      `[${digits(ratio.p25)}-${digits(ratio.p75)}]`,
    ]),
  };
}

/** `row` is what the table of the design calls the work. */
export function ceilingTable(results) {
  const all = results.flatMap((result) => result.ceilings);
  const names = [...new Set(all.map(({ row }) => row))];
  const ceilings = names.flatMap((name) => all.filter(({ row }) => row === name));
  return {
    head: ['ceilings', '', '', 'seen', 'ceiling', 'floor', ''],
    rows: ceilings.map(({ row, text, place, seen, ceiling, floor, unit, met }, i) => [
      row === ceilings[i - 1]?.row ? '' : row,
      text,
      place,
      quantity(seen, unit),
      quantity(ceiling, unit),
      floor === undefined ? '' : quantity(floor, unit),
      met ? 'met' : 'not met',
    ]),
  };
}

export function ceilingsText(results) {
  const ceilings = ceilingTable(results);
  return ceilings.rows.length === 0 ? '' : `\n${textTable(ceilings)}`;
}
