import { setImmediate as turn } from 'node:timers/promises';
import { SharedMemory, list } from 'holdfast';

const bytesOf = (memory) => new Uint8Array(memory.buffer);

export function readByte({ memory, at }) {
  return bytesOf(memory)[at];
}

export function writeByte({ memory, at, value }) {
  bytesOf(memory)[at] = value;
}

/** Writes until its thread is killed; it does not return. */
export function writeForEver({ memory }) {
  const bytes = bytesOf(memory);
  for (let i = 1; ; i = (i % (bytes.length - 1)) + 1) bytes[i] = 1;
}

/** Keeps views until the end of the thread. */
export function keepViews({ memory }) {
  globalThis.kept = [bytesOf(memory), bytesOf(memory).fill(3)];
}

/**
 * Uses a buffer whose SharedMemory has been collected, and then drops the buffer, too. Needs
 * --expose-gc.
 */
export async function dropMemory({ name, size }) {
  let collected = false;
  const registry = new FinalizationRegistry(() => (collected = true));
  const make = () => {
    const memory = new SharedMemory(size, { name });
    registry.register(memory);
    return memory.buffer;
  };
  const collect = async () => {
    for (let i = 0; i < 10; i++) {
      globalThis.gc();
      await turn();
    }
  };
  const kept = { bytes: new Uint8Array(make()) };
  kept.bytes.fill(7);
  await collect();
  const before = [kept.bytes[0], kept.bytes[size - 1]];
  const share = () => {
    const again = new SharedMemory(undefined, { name });
    new Uint8Array(again.buffer)[1] = 8;
    again.close();
    return kept.bytes[1];
  };
  const sharedStill = share();
  delete kept.bytes;
  await collect();
  const afterDrop = list().some((entry) => entry.name === name);
  return { collected, before, sharedStill, afterDrop };
}
