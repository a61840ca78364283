import { Queue } from '../holdfast.mjs';
import { items, play } from './stream.mjs';

const BATCH = 100;

// The room that boost.cc has.
const room = Math.min(10_000, (16 << 20) / (items[process.argv[3]].length ?? 1));

function open(name) {
  const [there, back] = ['there', 'back'].map(
    (way) => new Queue({ name: `${name}-${way}`, maxSize: room }),
  );
  const close = () => [there, back].forEach((queue) => queue.close());
  return { there, back, close };
}

await play(import.meta.filename, {
  async: {
    first(name) {
      const { there, back, close } = open(name);
      return {
        async put(n, item) {
          for (let i = 0; i < n; i++) await there.put(item);
        },
        async exchange(n, item) {
          for (let i = 0; i < n; i++) {
            await there.put(item);
            await back.get();
          }
        },
        close,
      };
    },
    second(name) {
      const { there, back, close } = open(name);
      return {
        async take(n) {
          for await (const _ of there) if (--n === 0) break;
        },
        async echo(n) {
          for (let i = 0; i < n; i++) await back.put(await there.get());
        },
        close,
      };
    },
  },

  batched: {
    first(name) {
      const { there, close } = open(name);
      return {
        async put(n, item) {
          const items = Array(BATCH).fill(item);
          for (let i = 0; i < n; i += BATCH) await there.putMany(items);
        },
        close,
      };
    },
    second(name) {
      const { there, close } = open(name);
      return {
        async take(n) {
          while (n > 0) n -= (await there.getMany(Math.min(BATCH, n))).length;
        },
        close,
      };
    },
  },

  sync: {
    first(name) {
      const { there, back, close } = open(name);
      return {
        put(n, item) {
          for (let i = 0; i < n; i++) there.putSync(item);
        },
        exchange(n, item) {
          for (let i = 0; i < n; i++) {
            there.putSync(item);
            back.getSync();
          }
        },
        close,
      };
    },
    second(name) {
      const { there, back, close } = open(name);
      return {
        take(n) {
          for (let i = 0; i < n; i++) there.getSync();
        },
        echo(n) {
          for (let i = 0; i < n; i++) back.putSync(there.getSync());
        },
        close,
      };
    },
  },
});
