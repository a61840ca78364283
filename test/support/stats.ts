/** The value below which the given part of the samples lies: 0.5 is the median, 1 the largest. */
export function quantile(samples: readonly number[], part: number): number {
  if (samples.length === 0) throw new Error('no samples');
  const sorted = samples.toSorted((a, b) => a - b);
  return sorted[Math.min(sorted.length - 1, Math.floor(part * sorted.length))]!;
}

export function median(samples: readonly number[]): number {
  return quantile(samples, 0.5);
}

/** `p50 1.20 p90 3.40 p99 5.60 max 7.80` */
export function summary(samples: readonly number[], digits = 2): string {
  return ['p50', 'p90', 'p99', 'max']
    .map((what, i) => `${what} ${quantile(samples, [0.5, 0.9, 0.99, 1][i]!).toFixed(digits)}`)
    .join('  ');
}
