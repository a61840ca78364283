// Codecs of a test's own. In a command they go by name.
export const codecs = {
  /** Reverses the bytes of strings. */
  reversed: {
    encode: (item) => Buffer.from(item).reverse(),
    decode: (bytes) => Buffer.from(bytes).reverse().toString(),
  },
  /** Cannot read what begins with "bad". */
  picky: {
    encode: (item) => Buffer.from(item),
    decode(bytes) {
      const text = bytes.toString();
      if (text.startsWith('bad')) throw new SyntaxError(`cannot read ${text}`);
      return text;
    },
  },
};
