// Reads what a macOS binary of 64 bits asks of others, from its table of symbols.

const magic64 = 0xfeedfacf;
const headerBytes = 32;
const symtabCommand = 2;
const symbolBytes = 16; // struct nlist_64
const debugMask = 0xe0;
const typeMask = 0x0e; // 0: undefined
const lookUpEverywhere = 0xfe; // instead of the number of a library

/**
 * The undefined symbols: their C names, and whether a library that the binary was linked with has
 * them. What none of them has is looked for at load time, in the program that loads the binary.
 */
export function undefinedSymbols(bytes) {
  if (bytes.readUInt32LE(0) !== magic64) throw new Error('no macOS binary of 64 bits');
  const symbols = [];
  let at = headerBytes;
  for (let left = bytes.readUInt32LE(16); left > 0; left--) {
    if (bytes.readUInt32LE(at) === symtabCommand) symbols.push(...symbolsOf(bytes, at));
    at += bytes.readUInt32LE(at + 4);
  }
  return symbols;
}

function* symbolsOf(bytes, command) {
  const [table, count, strings] = [8, 12, 16].map((offset) => bytes.readUInt32LE(command + offset));
  for (let i = 0; i < count; i++) {
    const symbol = table + i * symbolBytes;
    const type = bytes[symbol + 4];
    if ((type & debugMask) !== 0 || (type & typeMask) !== 0) continue;
    const start = strings + bytes.readUInt32LE(symbol);
    const name = bytes.toString('latin1', start, bytes.indexOf(0, start));
    yield { name: name.replace(/^_/, ''), inLibrary: bytes[symbol + 7] !== lookUpEverywhere };
  }
}
