// Short text of ASCII, without a call into C++.

/** The longest text for which this is faster. */
export const longestShort = 32;

type Read = (bytes: Uint8Array, at: number) => string | undefined;

const { fromCharCode } = String;

/**
 * Functions that read a text of so many characters, made when one is first needed. All characters
 * are arguments of one call, because V8 links the parts of a text that is put together.
 */
const readers: (Read | undefined)[] = Array.from({ length: longestShort + 1 }, () => undefined);
readers[0] = () => '';

/** False where the program forbids to make code of text. */
let mayCompile = true;

function readerOf(length: number): Read | undefined {
  if (!mayCompile) return undefined;
  const names = Array.from({ length }, (_, i) => `c${i}`);
  const body = `
    const ${names.map((name, i) => `${name} = bytes[at + ${i}]`).join(', ')};
    if ((${names.join(' | ')}) > 127) return undefined;
    return fromCharCode(${names.join(', ')});`;
  try {
    const make = new Function('fromCharCode', `return (bytes, at) => {${body}\n};`) as (
      from: typeof fromCharCode,
    ) => Read;
    return (readers[length] = make(fromCharCode));
  } catch {
    mayCompile = false;
    return undefined;
  }
}

/** Reads a text. Undefined if it is longer, or not ASCII, or cannot be read in this way. */
export function readShort(bytes: Uint8Array, at: number, length: number): string | undefined {
  if (length > longestShort) return undefined;
  return (readers[length] ?? readerOf(length))?.(bytes, at);
}

/** Writes a text, for which there is room. False if it is not ASCII. */
export function writeAscii(text: string, bytes: Uint8Array, at: number): boolean {
  const { length } = text;
  for (let i = 0; i < length; i++) {
    const code = text.charCodeAt(i);
    if (code > 127) return false;
    bytes[at + i] = code;
  }
  return true;
}
