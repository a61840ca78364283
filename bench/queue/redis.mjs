// A Redis list as a queue: RPUSH puts, BLPOP takes. Redis has bytes only, so an object travels as
// JSON.

import { connect, serve } from '../redis.mjs';
import { play } from './stream.mjs';

const BATCH = 100;

const encode = (item) =>
  typeof item === 'string' || Buffer.isBuffer(item) ? item : JSON.stringify(item);

/** The consumer knows the payload from its command line. */
function decoder() {
  const payload = process.argv[3];
  if (['object', 'roundTrip'].includes(payload)) return (bytes) => JSON.parse(bytes);
  return payload === 'string' ? (bytes) => bytes.toString() : (bytes) => bytes;
}

/** A blocking command occupies its connection, so each side has one for each direction. */
async function open(name) {
  const [putting, taking] = await Promise.all([connect(name), connect(name)]);
  const decode = decoder();
  return {
    put: (key, item) => putting.rpush(key, encode(item)),
    putMany: (key, items) => putting.rpush(key, ...items),
    get: async (key) => decode((await taking.blpopBuffer(key, 0))[1]),
    async getMany(key, most) {
      const many = await taking.lpopBuffer(key, most);
      return many === null ? [decode((await taking.blpopBuffer(key, 0))[1])] : many.map(decode);
    },
    close() {
      putting.disconnect();
      taking.disconnect();
    },
  };
}

await play(import.meta.filename, {
  single: {
    prepare: serve,
    async first(name) {
      const { put, get, close } = await open(name);
      return {
        async put(n, item) {
          for (let i = 0; i < n; i++) await put('there', item);
        },
        async exchange(n, item) {
          for (let i = 0; i < n; i++) {
            await put('there', item);
            await get('back');
          }
        },
        close,
      };
    },
    async second(name) {
      const { put, get, close } = await open(name);
      return {
        async take(n) {
          for (let i = 0; i < n; i++) await get('there');
        },
        async echo(n) {
          for (let i = 0; i < n; i++) await put('back', await get('there'));
        },
        close,
      };
    },
  },

  batched: {
    prepare: serve,
    async first(name) {
      const { putMany, close } = await open(name);
      return {
        async put(n, item) {
          const items = Array(BATCH).fill(encode(item));
          for (let i = 0; i < n; i += BATCH) await putMany('there', items);
        },
        close,
      };
    },
    async second(name) {
      const { getMany, close } = await open(name);
      return {
        async take(n) {
          while (n > 0) n -= (await getMany('there', Math.min(BATCH, n))).length;
        },
        close,
      };
    },
  },
});
