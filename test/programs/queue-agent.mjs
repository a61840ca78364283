// Opens queues and calls their methods where a test wants it: in the test's own thread, in a worker, or in
// another process. Plain JavaScript, so that nothing stands between a signal and the addon.
import { isMainThread, parentPort } from 'node:worker_threads';
import { crc32 } from 'node:zlib';
import { Queue, attach } from 'holdfast';

/** Codecs travel by name. */
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

export const stampLength = 16;

/** Producer, sequence, length, checksum; then bytes that are the item's own. */
export function stamped(producer, sequence, length) {
  const item = Buffer.allocUnsafe(stampLength + length);
  // Position-dependent, so that a piece of another item or of another place in it is not taken for it.
  const from = (sequence * 131 + producer * 7919) % (patternLength >> 1);
  for (let done = 0; done < length; done += patternLength - from) {
    pattern.copy(item, stampLength + done, from, Math.min(patternLength, from + length - done));
  }
  item.writeUInt32LE(producer, 0);
  item.writeUInt32LE(sequence, 4);
  item.writeUInt32LE(length, 8);
  item.writeUInt32LE(crc32(item.subarray(stampLength), sequence), 12);
  return item;
}

/** Undefined if the item is torn. */
export function readStamp(item) {
  if (item.length < stampLength) return undefined;
  const producer = item.readUInt32LE(0);
  const sequence = item.readUInt32LE(4);
  const length = item.readUInt32LE(8);
  if (item.length !== stampLength + length) return undefined;
  if (item.readUInt32LE(12) !== crc32(item.subarray(stampLength), sequence)) return undefined;
  return { producer, sequence, length };
}

const patternLength = 1 << 20;
const pattern = Buffer.alloc(patternLength);
for (let i = 0, x = 1; i < patternLength; i++) {
  x = (Math.imul(x, 1103515245) + 12345) >>> 0;
  pattern[i] = x >>> 16;
}

export function nowMs() {
  return Number(process.hrtime.bigint()) / 1e6; // CLOCK_MONOTONIC: one clock for all processes
}

/** mulberry32 */
export function randomFrom(seed) {
  let state = seed >>> 0;
  return () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let mixed = Math.imul(state ^ (state >>> 15), state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
}

const pause = (ms) => new Promise((resolve) => setTimeout(resolve, ms));

/** What one call cannot say. Each gets the queue and the arguments of the test. */
const acts = {
  putStamped: (queue, producer, sequence, length) =>
    queue.putSync(stamped(producer, sequence, length), { timeout: 30_000 }),
  getStamped(queue) {
    const item = queue.getSync({ timeout: 30_000 });
    return readStamp(item) ?? null;
  },
  /** Starts all the puts before it waits for the first. */
  putAllAtOnce: (queue, items) => Promise.all(items.map((item) => queue.put(item))),
  /** Gets until EndedError. */
  async drain(queue) {
    const items = [];
    for await (const item of queue) items.push(item);
    return items;
  },
  drainPausing: async (queue, seed, mostMs) => {
    const random = randomFrom(seed);
    const items = [];
    for await (const item of queue) {
      items.push(item);
      if (random() < 0.3) await pause(random() * mostMs);
    }
    return items;
  },
  /** Puts 0, 1, 2, ... until told to stop by an item in the other queue, then ends the queue. */
  async produceUntil(queue, seed, mostMs, stop) {
    const random = randomFrom(seed);
    let next = 0;
    while (stop.empty()) {
      for (let burst = 1 + Math.floor(random() * 4); burst > 0; burst--) await queue.put(next++);
      await pause(random() * mostMs);
    }
    queue.end();
    return next;
  },
  /** The different sizes seen, until the queue is ended. */
  watchSizes(queue) {
    const seen = new Set();
    while (!queue.ended()) seen.add(queue.size());
    seen.add(queue.size());
    return [...seen];
  },
  /** What tryGet() said of a queue that was not empty before and after. */
  tryGetWhileNotEmpty(queue) {
    const before = queue.size();
    const startedAt = nowMs();
    const got = queue.tryGet();
    return { before, got, took: nowMs() - startedAt };
  },
  endedAt: async (queue, method, ...args) => {
    try {
      await queue[method](...args);
      return { error: null, at: nowMs() };
    } catch (error) {
      return { error: error.code, at: nowMs() };
    }
  },
  state: (queue) => ({ size: queue.size(), empty: queue.empty(), full: queue.full() }),
};

export class Host {
  queues = new Map();
  #aborts = new Map();

  open({ key, options }) {
    const codec = codecs[options.codec] ?? options.codec;
    const queue = new Queue({ ...options, codec });
    this.queues.set(key, queue);
    return { name: queue.name, handle: queue.toJSON() };
  }

  attach({ key, handle }) {
    const queue = attach(handle);
    this.queues.set(key, queue);
    return { name: queue.name, handle: queue.toJSON() };
  }

  call({ id, key, method, args, abortable }) {
    if (abortable) {
      const controller = new AbortController();
      this.#aborts.set(id, controller);
      args = [...args, { signal: controller.signal }];
    }
    return this.queues.get(key)[method](...args);
  }

  act({ key, name, args }) {
    // An argument { queue: key } stands for another queue that is open here.
    const given = args.map((arg) => this.queues.get(Object(arg).queue) ?? arg);
    return acts[name](this.queues.get(key), ...given);
  }

  abort({ of }) {
    this.#aborts.get(of).abort(Object.assign(new Error('enough'), { code: 'ENOUGH' }));
  }

  closeAll() {
    for (const queue of this.queues.values()) queue.close();
    this.queues.clear();
  }
}

export function describeError(error) {
  const { name, message, code, done, items, bytes } = error;
  const isTypeError = error instanceof TypeError;
  return { name, message, code, done, items, bytes, isTypeError };
}

function serve(port) {
  const host = new Host();
  port.on('message', async (command) => {
    const { id, op } = command;
    if (op === 'leave') {
      host.closeAll();
      if (isMainThread) process.disconnect();
      else parentPort.close();
      return;
    }
    try {
      if (command.sync) port.send({ id, started: true });
      const result = host[op](command);
      if (!command.sync) port.send({ id, started: true });
      port.send({ id, value: await result });
    } catch (error) {
      port.send({ id, error: describeError(error) });
    }
  });
  port.send({ ready: true });
}

if (!isMainThread && parentPort) {
  serve({
    on: (event, listener) => parentPort.on(event, listener),
    send: (message) => parentPort.postMessage(message),
  });
} else if (process.argv[2] === 'queue-agent' && process.send) {
  serve({
    on: (event, listener) => process.on(event, listener),
    send: (message) => process.send(message),
  });
}
