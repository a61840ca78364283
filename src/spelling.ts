// Which word was meant by one that is not known.

/** @internal The one of `known` that is most like `word`. */
export function nearest(word: string, known: readonly string[]): string | undefined {
  const distances = known.map((one) => distance(word.toLowerCase(), one.toLowerCase()));
  return known[distances.indexOf(Math.min(...distances))];
}

/** How far one name is from another. A beginning of it, such as `max` of `maxSize`, is near. */
function distance(from: string, to: string): number {
  return from.startsWith(to) || to.startsWith(from) ? 1 : editDistance(from, to);
}

/**
 * How many characters to insert, delete, replace or swap with the next to turn one into the other.
 */
function editDistance(from: string, to: string): number {
  // rows[i][j] is the distance of the first i characters of `from` from the first j of `to`.
  const rows = Array.from({ length: from.length + 1 }, (_, i) => [i]);
  for (let j = 1; j <= to.length; j++) rows[0]![j] = j;
  for (let i = 1; i <= from.length; i++) {
    for (let j = 1; j <= to.length; j++) {
      const replace = rows[i - 1]![j - 1]! + (from[i - 1] === to[j - 1] ? 0 : 1);
      rows[i]![j] = Math.min(rows[i - 1]![j]! + 1, rows[i]![j - 1]! + 1, replace);
      const isSwap = i > 1 && j > 1 && from[i - 1] === to[j - 2] && from[i - 2] === to[j - 1];
      if (isSwap) rows[i]![j] = Math.min(rows[i]![j]!, rows[i - 2]![j - 2]! + 1);
    }
  }
  return rows[from.length]![to.length]!;
}
