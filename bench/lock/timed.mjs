// The timing loop of the Node contestants of `lock`. lock/mp.py and lock/posix.c do the same. With
// a number after the variant it runs that many pairs and prints nothing: instructions/count.mjs
// counts what they cost.

const WARM_UP_NS = 200_000_000;
const BATCH_MIN_NS = 20_000_000;
const BATCHES = 5;

/**
 * `body(n)` runs n pairs in a loop of its own, so that nothing but the loop counter is measured
 * with them. The warm-up is by the clock, not by the count: a contestant of 2 us a pair needs as
 * long to be optimised as one of 50 ns.
 */
export async function report(body) {
  const pairs = Number(process.argv[3]);
  if (pairs > 0) return body(pairs);
  let n = 1;
  let warm = 0;
  for (;;) {
    const took = await timed(body, n);
    warm += took;
    if (warm >= WARM_UP_NS && took >= BATCH_MIN_NS) break;
    if (took < BATCH_MIN_NS) n *= 2;
  }
  const pair = [];
  for (let batch = 0; batch < BATCHES; batch++) pair.push((await timed(body, n)) / n);
  console.log(JSON.stringify({ pair }));
}

async function timed(body, n) {
  const start = process.hrtime.bigint();
  // A synchronous body returns undefined; awaiting that once costs one microtask per batch.
  await body(n);
  return Number(process.hrtime.bigint() - start);
}

/** The variant named on the command line. */
export function variant(variants) {
  const make = variants[process.argv[2]];
  if (!make) throw new Error(`variants: ${Object.keys(variants).join(', ')}`);
  return make;
}
