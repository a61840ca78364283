// All the statistics of the bench. Medians and quartiles only: on a shared machine the mean and the
// extremes say more about the neighbours than about the code.

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
 * Ratios round by round: both numbers of a ratio were taken within the same minute of the same
 * machine's mood, which the ratio of two overall medians cannot say. Rounds that miss either
 * number are left out.
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
