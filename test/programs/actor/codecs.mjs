// Codecs of the tests. A command names them.
export const codecs = {
  /** Reverses the bytes of strings. */
  reversed: {
    encode: (item) => Buffer.from(item).reverse(),
    decode: (bytes) => Buffer.from(bytes).reverse().toString(),
  },
  /** Cannot read bytes that begin with "bad". */
  picky: {
    encode: (item) => Buffer.from(item),
    decode(bytes) {
      const text = bytes.toString();
      if (text.startsWith('bad')) throw new SyntaxError(`cannot read ${text}`);
      return text;
    },
  },
};
