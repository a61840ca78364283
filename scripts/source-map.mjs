// Joins source maps (https://tc39.es/ecma426/) of files that follow each other in one file. Node
// reads no map that consists of sections.

const digits = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/';

/** A segment of a map has up to five numbers, in base 64: first the sign, then the lowest bits. */
function decode(segment) {
  const numbers = [];
  let [value, shift] = [0, 0];
  for (const digit of segment) {
    const bits = digits.indexOf(digit);
    value |= (bits & 31) << shift;
    shift += 5;
    if (bits & 32) continue;
    numbers.push(value & 1 ? -(value >> 1) : value >> 1);
    [value, shift] = [0, 0];
  }
  return numbers;
}

function encode(number) {
  let rest = number < 0 ? (-number << 1) | 1 : number << 1;
  let text = '';
  do {
    text += digits[(rest & 31) | (rest > 31 ? 32 : 0)];
    rest >>>= 5;
  } while (rest > 0);
  return text;
}

/** Returns one map. Each part has one source, and says on which line its code begins. */
export function joinMaps(file, parts) {
  const lines = [];
  // What a segment says of its source is the difference to the segment before, in any line.
  const before = { source: 0, line: 0, column: 0 };
  parts.forEach(({ line: firstLine, mappings }, source) => {
    while (lines.length < firstLine) lines.push('');
    let [line, column] = [0, 0];
    for (const segments of mappings.split(';')) {
      const joined = segments.split(',').flatMap((segment) => {
        const [generated, , lines_, columns] = decode(segment);
        if (lines_ === undefined) return [];
        line += lines_;
        column += columns;
        const numbers = [
          generated,
          source - before.source,
          line - before.line,
          column - before.column,
        ];
        Object.assign(before, { source, line, column });
        return [numbers.map(encode).join('')];
      });
      lines.push(joined.join(','));
    }
  });
  const sources = parts.map(({ source }) => source);
  return { version: 3, file, sources, names: [], mappings: lines.join(';') };
}
