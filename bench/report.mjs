// From what the contestants printed to what a reader sees.

import { canPin, machine } from './machine.mjs';
import { median, ratios, summary } from './stats.mjs';
import { digits, duration, spread, table } from './tables.mjs';

// --- figures: this is the JSON document

export function headerOf(found, rounds) {
  return {
    date: new Date().toISOString(),
    machine: machine(),
    pinned: canPin(),
    node: process.version,
    found,
    rounds,
  };
}

export function summarise(suite, outcomes) {
  const { name, title, limits = [] } = suite;
  const metrics = Object.entries(suite.metrics).map(([id, metric]) => ({ id, ...metric }));
  const contestants = Object.entries(suite.contestants).map(([id, { label }]) => ({
    id,
    label,
    skipped: outcomes[id].skipped,
    results: resultsOf(metrics, outcomes[id]),
  }));
  const comparisons = suite.comparisons
    .map((comparison) => compare(comparison, suite, outcomes))
    .filter(({ ratio }) => ratio.count > 0);
  const ceilings = [
    ...comparisons.filter(({ ceiling }) => ceiling !== undefined).map(ceilingOfRatio),
    ...limits
      .filter(({ id }) => outcomes[id].skipped === undefined)
      .map((limit) => ceilingOfLimit(limit, suite, outcomes)),
  ];
  return { name, title, metrics, contestants, comparisons, ceilings };
}

function resultsOf(metrics, { skipped, metrics: recorded }) {
  if (skipped !== undefined) return {};
  const played = metrics.filter(({ id }) => recorded[id] !== undefined);
  const entries = played.map(({ id, pooled }) => {
    const { rounds, samples } = recorded[id];
    return [id, { ...summary(pooled ? samples : rounds), rounds }];
  });
  return Object.fromEntries(entries);
}

function compare(comparison, suite, outcomes) {
  const { ours, against, metric, againstMetric = metric, ceiling, floor } = comparison;
  const roundsOf = (id, which) =>
    outcomes[id].skipped ? [] : (outcomes[id].metrics[which]?.rounds ?? []);
  const perRound = ratios(roundsOf(ours, metric), roundsOf(against, againstMetric));
  const floorRatios =
    floor === undefined ? [] : ratios(roundsOf(floor, metric), roundsOf(against, metric));
  const { label } = suite.contestants[ours];
  const rival =
    ours === against ? suite.metrics[againstMetric].title : suite.contestants[against].label;
  return {
    text: `${label} vs ${rival}`,
    place: Object.keys(suite.metrics).length > 1 ? suite.metrics[metric].title : '',
    ours,
    against,
    metric,
    againstMetric,
    ceiling,
    floor: floorRatios.length > 0 ? median(floorRatios) : undefined,
    ratio: { ...summary(perRound), rounds: perRound },
  };
}

function ceilingOfRatio({ text, place, ratio, ceiling, floor }) {
  const seen = ratio.median;
  return { text, place, seen, ceiling, floor, unit: 'x', met: seen <= ceiling };
}

/** The worst sample of `metric`, counted from the same sample of `since`. */
function ceilingOfLimit({ id, metric, since, maxNs, text }, suite, outcomes) {
  const { [metric]: end, [since]: start } = outcomes[id].metrics;
  const max = Math.max(...end.samples.map((sample, i) => sample - start.samples[i]));
  return {
    text: suite.contestants[id].label,
    place: text,
    seen: max,
    ceiling: maxNs,
    unit: 'ns',
    met: max <= maxNs,
  };
}

// --- text

export function headerText({ date, machine: where, pinned, node, found, rounds }) {
  const line = (what, value) => `${what.padEnd(10)}${value}`;
  const need = ({ version, missing }) => version ?? `skipped: ${missing}`;
  const { cpu, cores, kernel, loadAverage } = where;
  return [
    line('date', date),
    line('machine', `${cpu}, ${cores} cores, ${kernel}, load average ${loadAverage.toFixed(2)}`),
    line('holdfast', need(found.holdfast)),
    line('Node', node),
    line('rivals', need(found.rivals)),
    line('helper', need(found.helperThread)),
    line('Python', need(found.python)),
    line('C', need(found.c)),
    line('Boost', need(found.boost)),
    line('rounds', `${rounds}; figures are the median [p25-p75] of the rounds`),
    ...(pinned ? [] : [line('pinning', 'none: "one core" and "two cores" mean nothing here')]),
  ].join('\n');
}

export function suiteText({ title, metrics, contestants, comparisons }) {
  const shown = contestants.filter(({ skipped }) => skipped === undefined);
  const skipped = contestants.filter(({ skipped }) => skipped !== undefined);
  const parts = ['', title, ''];
  if (shown.length > 0) parts.push(resultTable(metrics, shown));
  if (metrics.some(({ rate }) => rate)) parts.push('', rateTable(metrics, shown));
  for (const { label, skipped: reason } of skipped) parts.push(`skipped: ${label} (${reason})`);
  if (comparisons.length > 0) parts.push('', comparisonTable(comparisons));
  return parts.join('\n');
}

function resultTable(metrics, contestants) {
  const head = ['', ...metrics.flatMap(({ title, pooled }) => (pooled ? [title, 'max'] : [title]))];
  const rows = contestants.map(({ label, results }) => [
    label,
    ...metrics.flatMap(({ id, pooled }) =>
      pooled
        ? [cell(results[id], spread), cell(results[id], ({ max }) => duration(max))]
        : [cell(results[id], spread)],
    ),
  ]);
  return table(head, rows);
}

/** Not every contestant has every figure. */
const cell = (result, show) => (result === undefined ? '-' : show(result));

function rateTable(metrics, contestants) {
  const rated = metrics.filter(({ rate }) => rate);
  const perSecond = ({ median: ns }) => Math.round(1e9 / ns).toLocaleString('en');
  const rows = contestants.map(({ label, results }) => [
    label,
    ...rated.map(({ id }) => cell(results[id], perSecond)),
  ]);
  return table(['messages/s', ...rated.map(({ title }) => title)], rows);
}

function comparisonTable(comparisons) {
  const rows = comparisons.map(({ text, place, ratio }) => [
    text,
    place,
    digits(ratio.median),
    `[${digits(ratio.p25)}-${digits(ratio.p75)}]`,
  ]);
  return table(['ratio, round by round', '', 'median', 'p25-p75'], rows);
}

export function ceilingsText(results) {
  const ceilings = results.flatMap((result) => result.ceilings);
  if (ceilings.length === 0) return '';
  const show = (value, unit) => (unit === 'x' ? digits(value) : duration(value));
  const rows = ceilings.map(({ text, place, seen, ceiling, floor, unit, met }) => [
    text,
    place,
    show(seen, unit),
    show(ceiling, unit),
    floor === undefined ? '' : digits(floor),
    met ? 'met' : 'not met',
  ]);
  return `\n${table(['DESIGN ceilings', '', 'seen', 'ceiling', 'C program', ''], rows)}`;
}
