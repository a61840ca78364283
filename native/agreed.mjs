// The numbers that C++ and TypeScript must agree on. `node scripts/agreed.mjs` writes them into
// native/core/agreed.h and src/native/enums.ts; with --check it only tells whether those differ.
//
// C++ has the names as they stand here; TypeScript has them in camel case, or as `ts` says.
// The numbers of kinds and codecs never change: they are in the files in shared memory.

export const enums = [
  {
    name: 'Kind',
    table: 'kinds',
    comment: 'Kinds of objects. In every file: part of the format.',
    values: [
      // The registry has no class in JavaScript.
      { name: 'registry', number: 1, cppOnly: true },
      { name: 'lock', number: 2, ts: 'Lock' },
      { name: 'rlock', number: 3, ts: 'RLock' },
      { name: 'semaphore', number: 4, ts: 'Semaphore' },
      { name: 'queue', number: 5, ts: 'Queue' },
      { name: 'bounded_semaphore', number: 6, ts: 'BoundedSemaphore' },
      { name: 'condition', number: 7, ts: 'Condition' },
      { name: 'event', number: 8, ts: 'Event' },
      { name: 'barrier', number: 9, ts: 'Barrier' },
      { name: 'joinable_queue', number: 10, ts: 'JoinableQueue' },
      { name: 'shared_memory', number: 11, ts: 'SharedMemory' },
      { name: 'read_write_lock', number: 12, ts: 'ReadWriteLock' },
      { name: 'lock_manager', number: 13, ts: 'LockManager' },
    ],
  },
  {
    name: 'OpenFlag',
    table: 'openFlags',
    comment: 'What open() of the addon is asked for: bits.',
    values: [
      { name: 'exclusive', number: 1 },
      { name: 'must_exist', number: 2 },
      { name: 'persistent', number: 4 },
      { name: 'anonymous', number: 8 },
      { name: 'initial_given', number: 16 },
      { name: 'lock_given', number: 32 },
    ],
  },
  {
    name: 'HoldMode',
    table: 'holdModes',
    comment: 'How an agent holds something. claim: of a writer that waits for readers to leave.',
    values: [
      { name: 'exclusive', number: 0 },
      { name: 'shared', number: 1 },
      { name: 'claim', number: 2 },
    ],
  },
  {
    name: 'Code',
    table: 'errorCodes',
    comment:
      'What a core operation came to. src/errors.ts has a class of error for every code but ok.',
    values: [
      { name: 'ok', number: 0 },
      { name: 'closed', number: 1 },
      { name: 'not_locked', number: 2, comment: 'release of what nobody holds' },
      { name: 'not_owner', number: 3, comment: 'release by another agent than the holder' },
      { name: 'over_release', number: 4, comment: 'a semaphore would pass its largest value' },
      { name: 'deadlock', number: 5 },
      { name: 'exists', number: 6 },
      { name: 'not_found', number: 7 },
      {
        name: 'incompatible',
        number: 8,
        comment: 'the same name with another kind, limit or layout',
      },
      { name: 'corrupt', number: 9, comment: 'a file that is not ours, or was ours once' },
      { name: 'no_space', number: 10, comment: 'storage, descriptors or slots have run out' },
      {
        name: 'permission',
        number: 11,
        comment: 'a directory or object that this user must not trust, or may not use',
      },
      {
        name: 'busy',
        number: 12,
        comment: 'another process kept the directory locked for longer than an open may wait',
      },
      { name: 'ended', number: 13, comment: 'a put after end(), or a get when all is drained' },
      { name: 'system', number: 14, comment: 'anything else that the operating system refused' },
      {
        name: 'removed',
        number: 15,
        comment: 'somebody removed files of the directory while processes were using them',
      },
    ],
  },
  {
    name: 'WritersToBypass',
    table: 'writersToBypass',
    comment:
      'Which waiting writers a reader of a ReadWriteLock does not give way to. A thread that ' +
      'blocks would otherwise wait for itself: for its own claim, which nothing serves ' +
      'meanwhile; and, if it reads already, for the claim of any writer.',
    values: [
      { name: 'nobody', number: 0 },
      { name: 'myself', number: 1 },
      { name: 'waiting', number: 2 },
    ],
  },
  {
    name: 'WaitStatus',
    table: 'waitStatus',
    comment: 'What has become of a wait of a Condition.',
    values: [
      { name: 'none', number: 0 },
      { name: 'notified', number: 1 },
      {
        name: 'rescue',
        number: 2,
        comment: 'a waiter died after it was notified: rescue() passes the notification on',
      },
    ],
  },
  {
    name: 'ArrivalStatus',
    table: 'arrivalStatus',
    comment: 'How far an arrival at a Barrier has come.',
    values: [
      { name: 'not_yet', number: 0 },
      { name: 'passed', number: 1, comment: 'the round is over and all were there' },
      { name: 'act', number: 2, comment: 'last to arrive: run the action, then finish()' },
      { name: 'arrived', number: 3 },
      { name: 'broken', number: 4 },
    ],
  },
  {
    name: 'TransferStatus',
    table: 'transferStatus',
    comment: 'How a put or get of a queue went.',
    values: [
      { name: 'yes', number: 0 },
      {
        name: 'not_yet',
        number: 1,
        comment: 'empty, full, or its mutex was taken for longer than a call may wait',
      },
      { name: 'ended', number: 2 },
      { name: 'too_large', number: 3, comment: 'for this queue, ever' },
      { name: 'no_space', number: 4, comment: 'the ring has to grow and the storage is full' },
      { name: 'corrupt', number: 5 },
      {
        name: 'storage_full',
        number: 6,
        comment: 'as not_yet: the ring would have to grow, and there is no storage for that now',
      },
    ],
  },
  {
    name: 'RequestStatus',
    table: 'requestStatus',
    comment: 'What has become of a request to a LockManager.',
    values: [
      { name: 'pending', number: 0 },
      { name: 'granted', number: 1 },
      { name: 'stolen', number: 2, comment: 'it was granted, and another request stole the lock' },
      { name: 'unavailable', number: 3, comment: 'not at once; nothing was queued' },
      { name: 'full', number: 4, comment: 'the table has no room, or the storage' },
      { name: 'gone', number: 5, comment: 'there is no such request of this thread' },
      {
        name: 'busy',
        number: 6,
        comment: 'the critical section was taken for longer than a call may wait: try again',
      },
      { name: 'corrupt', number: 7 },
    ],
  },
  {
    name: 'Codec',
    table: 'codecs',
    comment: "How a queue's items are encoded. In every queue's file: part of the format.",
    values: [
      { name: 'structured', number: 1, comment: 'what a new queue has unless told otherwise' },
      { name: 'json', number: 2 },
      { name: 'buffer', number: 3 },
      { name: 'custom', number: 4 },
    ],
  },
];

export const constants = [
  {
    name: 'kNameMax',
    type: 'size_t',
    ts: 'longestName',
    number: 4096,
    comment: 'Bytes of the longest name of an object, in UTF-8, the NUL not counted.',
  },
  {
    name: 'kRequestsMax',
    type: 'uint32_t',
    ts: 'mostRequests',
    number: 2 ** 20,
    comment: 'The most requests of one table of a LockManager.',
  },
  {
    name: 'kPriorityMax',
    type: 'uint32_t',
    ts: 'greatestPriority',
    number: 9,
    comment: 'The greatest priority of an item of a JoinableQueue.',
  },
  {
    name: 'kWaitRecordMax',
    ts: 'waitRecordMax',
    number: 2 ** 20,
    comment: 'Bytes of what an agent tells of its long waits (core/agents/told_waits.h).',
  },
  {
    name: 'kSlice_ms',
    ts: 'slice_ms',
    number: 50,
    comment: 'A waiter retries by itself after this long at the latest (INV-6).',
  },
  {
    name: 'kDoze_ms',
    ts: 'doze_ms',
    number: 1000,
    comment: 'The same of a waiter that hears of everything that could end its wait (INV-28).',
  },
  {
    name: 'kOverdue_ms',
    ts: 'overdue_ms',
    number: 3,
    comment: 'Others give way to an agent that has waited in vain for this long (INV-23).',
  },
];
