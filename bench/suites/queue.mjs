import { boost, holdfast, node, python } from './contestants.mjs';

const ours = 'queue/holdfast.mjs';
const send = 'queue/process-send.mjs';
const mp = 'queue/mp.py';

// In messages, or round trips: a warm-up, and a batch; both are whole batches of putMany. What takes a
// millisecond a message has `slow`.
const counts = {
  string: [10_000, 10_000],
  object: [10_000, 10_000],
  kib: [10_000, 10_000],
  kib64: [400, 600],
  roundTrip: [2000, 1000],
};
const slow = { kib: [2000, 2000], kib64: [20, 50] };

const everything = Object.keys(counts);
const messages = everything.filter((payload) => payload !== 'roundTrip');
const buffers = ['kib', 'kib64'];

// Not tied to CPUs: a MessagePort is within one process, and the runtimes have threads of their own.
const placements = everything.map((payload) => ({
  plays: ({ payloads = everything }) => payloads.includes(payload),
  args: ({ turns }) => [payload, ...(turns?.[payload] ?? counts[payload])],
  metrics: { perMessage: payload },
}));

const forms = ['async', 'sync', 'batched'];

// A ceiling is a time, hence the reciprocal of the throughput that the design asks for.
const pairs = [
  { metric: 'object', against: 'send-json', ceiling: 1 / 6 },
  { metric: 'object', against: 'send-advanced', ceiling: 1 / 6 },
  { metric: 'object', against: 'port', ceiling: 1 / 2 },
  { metric: 'kib', against: 'mp-simple', ceiling: 1 / 8 },
  { metric: 'kib', against: 'boost', ceiling: 4 },
  { metric: 'string', against: 'send-json' },
  { metric: 'string', against: 'port' },
  { metric: 'string', against: 'mp-simple' },
  { metric: 'object', against: 'mp-simple' },
  { metric: 'object', against: 'mp-queue' },
  { metric: 'kib64', against: 'mp-simple' },
  { metric: 'kib64', against: 'boost' },
].flatMap((pair) => forms.map((form) => ({ ours: form, ...pair })));

const roundTrips = ['send-json', 'port', 'mp-simple'].flatMap((against) =>
  ['async', 'sync'].map((form) => ({ metric: 'roundTrip', ours: form, against })),
);

export const queue = {
  name: 'queue',
  title: 'queue: one producer, one consumer; time per message, and per round trip of an object',
  placements,
  metrics: {
    string: { title: '16 B string', rate: true },
    object: { title: 'small object', rate: true },
    kib: { title: '1 KiB Buffer', rate: true },
    kib64: { title: '64 KiB Buffer', rate: true },
    roundTrip: { title: 'round trip' },
  },

  contestants: {
    async: holdfast('await put, for await', ours, 'async'),
    sync: holdfast('putSync, getSync', ours, 'sync'),
    batched: {
      ...holdfast('putMany, getMany of 100', ours, 'batched'),
      payloads: messages,
    },
    'send-json': { ...node('process.send, json', send, 'json'), turns: slow },
    'send-advanced': node('process.send, advanced', send, 'advanced'),
    port: node('MessagePort to a worker', 'queue/message-port.mjs', 'port'),
    'mp-queue': python('mp.Queue', mp, 'queue'),
    'mp-simple': python('mp.SimpleQueue', mp, 'simple'),
    boost: { ...boost('message_queue', 'build/queue-boost'), payloads: buffers },
  },

  comparisons: [...pairs, ...roundTrips],
};
