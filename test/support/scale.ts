// How much of what is random or repeated: in CI a part of it, so that all of it fits into its time.

const part = process.env['CI'] ? 1 / 3 : 1;

export function scaled(count: number): number {
  return Math.ceil(count * part);
}
