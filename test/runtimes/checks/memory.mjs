import { ClosedError, HoldfastError, list, SharedMemory } from 'holdfast';
import { places } from '../actors.mjs';
import { deepEqual, equal, freshName, ok, throws } from '../expect.mjs';

export const memory = {
  'SharedMemory: others see the same bytes': async () => {
    const name = freshName();
    const memory = new SharedMemory(4, { name });
    const bytes = new Uint8Array(memory.buffer);
    for (const start of places) {
      bytes.set([1, 2, 3, 4]);
      const other = start('writeBytes', name);
      equal(await other.says(), '1,2,3,4');
      equal(await other.says(), 'written');
      deepEqual([...bytes], [7, 7, 7, 7]);
      other.tell('close');
      await other.ended;
    }
    memory.close();
  },

  'SharedMemory: close() leaves its views without bytes': () => {
    const memory = new SharedMemory(4096);
    const bytes = new Uint8Array(memory.buffer);
    bytes.fill(1);
    equal(memory.size, 4096);
    memory.close();
    equal(bytes.length, 0);
    throws(ClosedError, () => memory.buffer);
  },

  'SharedMemory: many are mapped and given back': () => {
    for (let i = 0; i < 200; i++) {
      const memory = new SharedMemory(65_536);
      new Uint8Array(memory.buffer)[65_535] = 1;
      memory.close();
    }
  },
};

/** Where the runtime lets no memory of the system become a buffer. */
export const noMemory = {
  'SharedMemory says why it cannot be had, and leaves nothing': () => {
    const name = freshName();
    for (const options of [undefined, { name }]) {
      const error = throws(HoldfastError, () => new SharedMemory(8, options));
      equal(error.code, 'ERR_HOLDFAST_UNSUPPORTED');
      ok(error.message.includes('does not let memory of the system become an ArrayBuffer'));
    }
    ok(!list().some(({ kind }) => kind === 'SharedMemory'));
  },
};
