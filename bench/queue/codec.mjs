// msgpackr without a queue: one process packs the item, and at the same time another one unpacks
// it. Nothing crosses between them. It is the floor of a queue that has such a codec.
import { once } from 'node:events';
import { Packr } from 'msgpackr';
import { items, play } from './stream.mjs';

// Keys travel once, as with the shapes of a queue.
const structures = [];

await play(import.meta.filename, {
  msgpackr: {
    first(_name, consumer) {
      const packr = new Packr({ structures });
      return {
        put(n, item) {
          consumer.send('begin');
          for (let i = 0; i < n; i++) packr.pack(item);
          consumer.send('end');
        },
        close() {},
      };
    },
    second() {
      const packr = new Packr({ structures });
      const bytes = Buffer.from(packr.pack(items.object));
      return {
        async take(n) {
          await once(process, 'message');
          const end = once(process, 'message');
          for (let i = 0; i < n; i++) packr.unpack(bytes);
          await end; // all are packed
        },
        close() {},
      };
    },
  },
});
