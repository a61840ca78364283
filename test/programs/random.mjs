// The only source of random choices in tests. The same seed makes the same choices.

/** Choices that follow from `seed` alone, by the algorithm mulberry32. */
export function random(seed) {
  let state = seed >>> 0;
  /** 0 <= x < 1 */
  const next = () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let mixed = Math.imul(state ^ (state >>> 15), state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
  /** A whole number: 0 <= n < end */
  const below = (end) => Math.floor(next() * end);
  /** A whole number: least <= n <= most */
  const whole = (least, most) => least + below(most - least + 1);
  const pick = (from) => from[below(from.length)];
  return { seed, next, below, whole, pick };
}

/** The seed that HOLDFAST_SEED gives, or a new one. */
export function chooseSeed() {
  const given = process.env.HOLDFAST_SEED;
  return given ? Number(given) : Math.floor(Math.random() * 2 ** 32);
}
