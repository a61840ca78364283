// Turns what the contestants printed into figures: the JSON document of a run.

import { canPin, machine } from './machine.mjs';
import { median, quantile, ratios, summary } from './stats.mjs';

export function headerOf(found, rounds) {
  return {
    date: new Date().toISOString(),
    machine: machine(),
    pinned: canPin(),
    node: process.version,
    found,
    rounds: rounds ?? 'as many as the time of a suite allows',
  };
}

export function summarise(suite, { outcomes, rounds }) {
  const { name, title, limits = [] } = suite;
  const metrics = Object.entries(suite.metrics).map(([id, metric]) => ({
    id,
    unit: 'ns',
    panel: '',
    ...metric,
  }));
  const contestants = Object.entries(suite.contestants).map(([id, { label, needs }]) => ({
    id,
    label,
    family: [needs].flat()[0],
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
  return { name, title, rounds, metrics, contestants, comparisons, ceilings };
}

function resultsOf(metrics, { skipped, metrics: recorded }) {
  if (skipped !== undefined) return {};
  const played = metrics.filter(({ id }) => recorded[id] !== undefined);
  return Object.fromEntries(played.map((metric) => [metric.id, resultOf(metric, recorded)]));
}

/** With `quantiles` each sample counts, otherwise each round. */
function resultOf({ id, quantiles }, { [id]: { rounds, samples } }) {
  if (quantiles === undefined) return { ...summary(rounds), rounds };
  const at = Object.fromEntries(quantiles.map((q) => [q, quantile(samples, q)]));
  return { ...summary(samples), quantiles: at, rounds };
}

function compare(comparison, suite, outcomes) {
  const { ours, against, metric, againstMetric = metric, ceiling, floor, row } = comparison;
  const roundsOf = (id, which) => roundsIn(outcomes, id, which);
  const perRound = ratios(roundsOf(ours, metric), roundsOf(against, againstMetric));
  // If a contestant is compared with itself, so is the floor.
  const base = ours === against ? floor : against;
  const floorRatios =
    floor === undefined ? [] : ratios(roundsOf(floor, metric), roundsOf(base, againstMetric));
  const { label } = suite.contestants[ours];
  const rival = ours === against ? placeOf(suite, againstMetric) : suite.contestants[against].label;
  return {
    text: `${label} vs ${rival}`,
    place: Object.keys(suite.metrics).length > 1 ? placeOf(suite, metric) : '',
    ours,
    against,
    metric,
    againstMetric,
    ceiling,
    row,
    floor: medianOf(floorRatios),
    ratio: { ...summary(perRound), rounds: perRound },
  };
}

/** None if the contestant was skipped, or does not have that figure. */
function roundsIn(outcomes, id, metric) {
  return outcomes[id].skipped ? [] : (outcomes[id].metrics[metric]?.rounds ?? []);
}

const medianOf = (values) => (values.length > 0 ? median(values) : undefined);

function placeOf(suite, metric) {
  const { panel, title } = suite.metrics[metric];
  return [panel, title].filter((part) => part).join(', ');
}

function ceilingOfRatio({ text, place, ratio, ceiling, floor, row }) {
  const seen = ratio.median;
  return { text, place, row, seen, ceiling, floor, unit: 'x', met: seen <= ceiling };
}

/**
 * The worst sample of `metric`, counted from the same sample of `since`. Without `since` the median
 * of the rounds. `most` is in the unit of the metric.
 */
function ceilingOfLimit({ id, metric, since, most, floor, text, row }, suite, outcomes) {
  const { [metric]: end, [since]: start } = outcomes[id].metrics;
  const seen = start
    ? Math.max(...end.samples.map((sample, i) => sample - start.samples[i]))
    : median(end.rounds);
  return {
    text: suite.contestants[id].label,
    place: text,
    row,
    seen,
    ceiling: most,
    floor: floor === undefined ? undefined : medianOf(roundsIn(outcomes, floor, metric)),
    unit: suite.metrics[metric].unit ?? 'ns',
    met: seen <= most,
  };
}
