/** Waits until a condition is true; the watchdog of the check ends it otherwise. */
export async function until(condition) {
  while (!(await condition())) await new Promise((resolve) => setTimeout(resolve, 2));
}
