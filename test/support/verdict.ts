// How a driver ends (scripts/drive.mjs).

/** Writes the counts as JSON, then what was wrong, and ends this process. */
export function endWith(counts: object, faults: readonly string[]): never {
  console.log(JSON.stringify(counts));
  for (const text of faults.slice(0, 20)) console.error(`VIOLATION ${text}`);
  process.exit(faults.length === 0 ? 0 : 1);
}
