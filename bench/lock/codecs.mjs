// What others need for the work that a queue does with an item, without a queue: the floor of the
// rows of `queue` in which that work is most of the time.
import { Packr } from 'msgpackr';
import { items } from '../queue/stream.mjs';
import { report, variant } from './timed.mjs';

const { object: item, kib: bytes } = items;

const variants = {
  msgpackr() {
    // Keys travel once, as with the shapes of a queue.
    const packr = new Packr({ structures: [] });
    return (n) => {
      for (let i = 0; i < n; i++) packr.unpack(packr.pack(item));
    };
  },

  'msgpackr-pack'() {
    const packr = new Packr({ structures: [] });
    return (n) => {
      for (let i = 0; i < n; i++) packr.pack(item);
    };
  },

  json() {
    return (n) => {
      for (let i = 0; i < n; i++) JSON.parse(JSON.stringify(item));
    };
  },

  // What `await put` and `for await` need besides the put and the get.
  awaits() {
    const nothing = async () => undefined;
    const each = {
      next: async () => ({ done: false, value: item }),
      [Symbol.asyncIterator]: () => each,
    };
    return async (n) => {
      for (let i = 0; i < n; i++) await nothing();
      for await (const _ of each) if (--n === 0) break;
    };
  },

  // The Buffer that a get returns.
  buffer() {
    return (n) => {
      for (let i = 0; i < n; i++) Buffer.allocUnsafe(bytes.length).set(bytes);
    };
  },
};

await report(variant(variants)());
