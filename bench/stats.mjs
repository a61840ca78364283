// All the statistics of the bench. Medians and quartiles only, because on a shared machine the mean
// and the extremes show what other programs did.

/** Linear interpolation between the closest ranks. `q` in 0..1. */
export function quantile(values, q) {
  if (values.length === 0) return NaN;
  const sorted = values.toSorted((a, b) => a - b);
  const rank = q * (sorted.length - 1);
  const low = Math.floor(rank);
  const high = Math.ceil(rank);
  return sorted[low] + (sorted[high] - sorted[low]) * (rank - low);
}

export const median = (values) => quantile(values, 0.5);

export function summary(values) {
  return {
    median: median(values),
    p25: quantile(values, 0.25),
    p75: quantile(values, 0.75),
    min: Math.min(...values),
    max: Math.max(...values),
    count: values.length,
  };
}

/**
 * Ratios round by round. Both numbers of a ratio were taken within a minute of each other, when the
 * machine was equally busy. That is not so for a ratio of two overall medians. A round that lacks a
 * number is left out.
 */
export function ratios(ours, theirs) {
  const perRound = [];
  for (let round = 0; round < Math.min(ours.length, theirs.length); round++) {
    if (ours[round] !== undefined && theirs[round] !== undefined) {
      perRound.push(ours[round] / theirs[round]);
    }
  }
  return perRound;
}
