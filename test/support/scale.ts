// Returns a number of rounds. In CI it is a third of the given one, so that all suites fit into
// their time.

const part = process.env['CI'] ? 1 / 3 : 1;

export function scaled(count: number): number {
  return Math.ceil(count * part);
}
