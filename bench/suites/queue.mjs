import { boost, holdfast, mqueue, node, python, redis, rival } from './contestants.mjs';

const ours = 'queue/holdfast.mjs';
const send = 'queue/process-send.mjs';
const mp = 'queue/mp.py';

// In messages, or round trips: a warm-up, and a batch; both are whole batches of putMany for each
// of the producers. The warm-up fills every backlog once, so that no batch pays for new memory,
// of which a page may take longer than a message. A batch takes about 20 ms or more, and to start
// its producers is a small part of that. What takes a millisecond a message has `slow`.
const counts = {
  string: [24000, 40000],
  object: [24000, 24000],
  kib: [24000, 24000],
  kib64: [2000, 1600],
  mib: [300, 200],
  roundTrip: [10000, 4000],
};
const slow = { kib: [400, 800], kib64: [10, 20], mib: [1, 2] };
// For programs that have no compiler to warm up.
const interpreted = {
  string: [400, 4000],
  object: [400, 4000],
  kib: [400, 4000],
  kib64: [400, 400],
  mib: [100, 100],
};
const overSockets = {
  string: [400, 800],
  object: [400, 800],
  kib: [400, 800],
  kib64: [100, 100],
  mib: [40, 40],
  roundTrip: [200, 300],
};

const everything = Object.keys(counts);
const messages = everything.filter((payload) => payload !== 'roundTrip');
const buffers = ['kib', 'kib64', 'mib'];
const shapes = [
  [4, 1],
  [1, 4],
  [4, 4],
];
// The payload for the other shapes, which every contestant has.
const crowded = ['kib'];

const idOf = (payload, [producers, consumers]) => `${payload}-${producers}-${consumers}`;
const argsOf =
  (payload, shape) =>
  ({ turns }) => [payload, ...shape, ...(turns?.[payload] ?? counts[payload])];

// Not tied to CPUs: a MessagePort is within one process, and the runtimes have threads of their
// own.
const placements = [
  ...everything.map((payload) => ({
    plays: ({ payloads = everything }) => payloads.includes(payload),
    args: argsOf(payload, [1, 1]),
    metrics: { perMessage: payload },
  })),
  ...crowded.flatMap((payload) =>
    shapes.map((shape) => ({
      plays: ({ payloads = everything, shared = true }) => shared && payloads.includes(payload),
      args: argsOf(payload, shape),
      metrics: { perMessage: idOf(payload, shape) },
    })),
  ),
];

const panel = (name) => ({ panel: name, rate: true });
const single = panel('time per message, one producer, one consumer');
const titles = { object: 'small object', kib: '1 KiB Buffer' };
const shapeMetrics = crowded.flatMap((payload) =>
  shapes.map((shape) => [
    idOf(payload, shape),
    {
      title: `${shape[0]} to ${shape[1]}`,
      ...panel(`time per message, ${titles[payload]}, producers to consumers`),
    },
  ]),
);

const forms = ['async', 'sync', 'batched'];

const objectRow = 'Queue, small objects';
const rowOf = { kib: 'Queue, 1 KiB Buffers', kib64: 'Queue, 64 KiB', mib: 'Queue, 1 MiB' };
const crowdRow = 'Queue, 1 KiB Buffers, 4 to 4';

// The floors do the least that each row needs. A get hands its bytes to somebody, so a C++ program
// that does so needs memory for each message. A put of an object has to encode it.
const ownMemory = 'boost-kept';

// A ceiling is a time, hence the reciprocal of the throughput that the design asks for, or less.
const pairs = [
  { metric: 'object', against: 'send-json', ceiling: 0.08, floor: 'codec', row: objectRow },
  { metric: 'object', against: 'send-advanced', ceiling: 1 / 6, floor: 'codec', row: objectRow },
  { metric: 'object', against: 'port', ceiling: 1 / 4, floor: 'codec', row: objectRow },
  { metric: 'kib', against: 'mp-simple', ceiling: 0.08, floor: ownMemory, row: rowOf.kib },
  { metric: 'kib', against: 'boost', ceiling: 1.5, floor: ownMemory, row: rowOf.kib },
  { metric: 'kib64', against: 'boost', ceiling: 2, floor: ownMemory, row: rowOf.kib64 },
  { metric: 'kib64', against: 'port', ceiling: 0.7, floor: ownMemory, row: rowOf.kib64 },
  { metric: 'mib', against: 'boost', ceiling: 1.5, floor: ownMemory, row: rowOf.mib },
  { metric: 'string', against: 'send-json' },
  { metric: 'string', against: 'port' },
  { metric: 'string', against: 'mp-simple' },
  { metric: 'string', against: 'mqueue' },
  { metric: 'object', against: 'mp-simple' },
  { metric: 'object', against: 'mp-queue' },
  { metric: 'object', against: 'redis' },
  { metric: 'kib', against: 'mqueue' },
  { metric: 'kib64', against: 'mp-simple' },
  { metric: 'mib', against: 'mp-simple' },
  ...['kib', 'kib64', 'mib'].map((metric) => ({ metric, against: 'boost-kept' })),
].flatMap((pair) => forms.map((form) => ({ ours: form, ...pair })));

const crowds = shapes.flatMap(([producers, consumers]) =>
  forms.flatMap((ours) => {
    const isLimited = ours === 'sync' && producers === consumers;
    return Object.entries({ boost: 1.5, 'mp-simple': 0.4 }).map(([against, ceiling]) => ({
      ours,
      metric: idOf('kib', [producers, consumers]),
      against,
      ...(isLimited && { ceiling, floor: ownMemory, row: crowdRow }),
    }));
  }),
);

const roundTrips = ['send-json', 'port', 'mp-simple', 'redis'].flatMap((against) =>
  ['async', 'sync'].map((form) => ({ metric: 'roundTrip', ours: form, against })),
);

export const queue = {
  name: 'queue',
  seconds: 55,
  title: 'queue: messages from producers to consumers',
  placements,
  metrics: {
    string: { title: '16 B string', ...single },
    object: { title: titles.object, ...single },
    kib: { title: titles.kib, ...single },
    kib64: { title: '64 KiB Buffer', ...single },
    mib: { title: '1 MiB Buffer', ...single },
    roundTrip: { title: 'small object', ...panel('round trip') },
    ...Object.fromEntries(shapeMetrics),
  },

  contestants: {
    async: holdfast('await put, for await', ours, 'async'),
    sync: holdfast('putSync, getSync', ours, 'sync'),
    batched: {
      ...holdfast('putMany, getMany of 100', ours, 'batched'),
      payloads: messages,
    },
    'send-json': { ...node('process.send, json', send, 'json'), turns: slow, shared: false },
    'send-advanced': { ...node('process.send, advanced', send, 'advanced'), shared: false },
    port: { ...node('MessagePort to a worker', 'queue/message-port.mjs', 'port'), shared: false },
    'mp-queue': { ...python('mp.Queue', mp, 'queue'), turns: interpreted, shared: false },
    'mp-simple': { ...python('mp.SimpleQueue', mp, 'simple'), turns: interpreted },
    redis: { ...redis('RPUSH, BLPOP', 'queue/redis.mjs', 'single'), turns: overSockets },
    'redis-batched': {
      ...redis('RPUSH and LPOP of 100', 'queue/redis.mjs', 'batched'),
      payloads: ['kib'],
    },
    boost: {
      ...boost('message_queue', 'build/queue-boost', 'one-buffer'),
      payloads: ['string', ...buffers],
    },
    'boost-kept': {
      ...boost('message_queue, memory for each message', 'build/queue-boost', 'kept'),
      payloads: buffers,
    },
    codec: {
      ...rival('msgpackr alone, pack beside unpack', 'queue/codec.mjs', 'msgpackr'),
      payloads: ['object'],
      shared: false,
    },
    // An ordinary user does not get larger messages.
    mqueue: { ...mqueue('mq_send, mq_receive', 'build/queue-mqueue'), payloads: ['string', 'kib'] },
  },

  comparisons: [...pairs, ...crowds, ...roundTrips],
};
