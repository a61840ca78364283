/** Milliseconds of CLOCK_MONOTONIC: one clock for all processes and threads of the machine. */
export function now() {
  return Number(process.hrtime.bigint()) / 1e6;
}
