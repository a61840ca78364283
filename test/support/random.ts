// Random choices that can be repeated: run the test again with the HOLDFAST_SEED that it printed.
import { chooseSeed, random as choices } from '../programs/random.mjs';

export interface Random {
  readonly seed: number;
  /** 0 <= x < 1 */
  next(): number;
  /** A whole number: 0 <= n < end */
  below(end: number): number;
  /** A whole number: least <= n <= most */
  whole(least: number, most: number): number;
  pick<T>(from: readonly T[]): T;
}

/** Prints its seed under the title of the test. */
export function random(title: string): Random {
  const seed = chooseSeed();
  console.log(`      ${title}: HOLDFAST_SEED=${seed}`);
  return choices(seed);
}
