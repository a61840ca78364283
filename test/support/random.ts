// Random numbers that can be had again: HOLDFAST_SEED=<what the test printed>.

export interface Random {
  readonly seed: number;
  /** 0 <= x < 1 */
  next(): number;
  /** least <= n <= most */
  whole(least: number, most: number): number;
  pick<T>(from: readonly T[]): T;
}

/** mulberry32 */
export function random(title: string): Random {
  const given = process.env['HOLDFAST_SEED'];
  const seed = given ? Number(given) : Math.floor(Math.random() * 2 ** 32);
  console.log(`      ${title}: HOLDFAST_SEED=${seed}`);
  let state = seed >>> 0;
  const next = () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let mixed = Math.imul(state ^ (state >>> 15), state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
  const whole = (least: number, most: number) => least + Math.floor(next() * (most - least + 1));
  return { seed, next, whole, pick: (from) => from[whole(0, from.length - 1)]! };
}
