import {
  Barrier,
  BoundedSemaphore,
  BrokenBarrierError,
  JoinableQueue,
  Lock,
  Queue,
  RLock,
  ReadWriteLock,
} from '../holdfast.mjs';
import { play } from './kill.mjs';

/** Acquires by one of the two forms. */
function owned(sync, open, takeSync, take) {
  return (name) => {
    const object = open({ name });
    let guard;
    return {
      sync,
      hold: () => {
        takeSync(object);
      },
      wait: sync
        ? () => {
            guard = takeSync(object);
          }
        : async () => {
            guard = await take(object);
          },
      again: () => guard.release(),
      close: () => object.close(),
    };
  };
}

const lock = (Kind, sync) =>
  owned(
    sync,
    (options) => new Kind(options),
    (it) => it.acquireSync(),
    (it) => it.acquire(),
  );
const permit = (sync) =>
  owned(
    sync,
    (options) => new BoundedSemaphore(1, options),
    (it) => it.acquireSync(),
    (it) => it.acquire(),
  );
const exclusive = (sync) =>
  owned(
    sync,
    (options) => new ReadWriteLock(options),
    (it) => it.acquireExclusiveSync(),
    (it) => it.acquireExclusive(),
  );
const shared = owned(
  false,
  (options) => new ReadWriteLock(options),
  (it) => it.acquireSharedSync(),
  (it) => it.acquireExclusive(),
);

await play(import.meta.filename, {
  'lock-sync': lock(Lock, true),
  'lock-async': lock(Lock, false),
  'rlock-sync': lock(RLock, true),
  'rlock-async': lock(RLock, false),
  'permit-sync': permit(true),
  'permit-async': permit(false),
  'exclusive-sync': exclusive(true),
  'exclusive-async': exclusive(false),
  shared,

  // The dead process waited first. An item that is put just after its death must reach the other
  // consumer.
  consumer(name) {
    const queue = new Queue({ name });
    return {
      async hold() {
        void queue.get();
      },
      wait: () => queue.get(),
      killed: () => queue.putSync('an item'),
      close: () => queue.close(),
    };
  },

  // The queue is full, and the dead process waited first for room.
  producer(name) {
    const queue = new Queue({ name, maxSize: 1 });
    return {
      async hold() {
        queue.tryPut('an item');
        void queue.put('an item');
      },
      wait: () => queue.put('an item'),
      killed: () => queue.getSync(),
      close: () => queue.close(),
    };
  },

  // The item that the dead process had leased is handed out again.
  lease(name) {
    const queue = new JoinableQueue({ name });
    let task;
    return {
      async hold() {
        queue.putSync('a task');
        queue.takeSync();
      },
      async wait() {
        task = await queue.take();
      },
      again: () => task.done(),
      close: () => queue.close(),
    };
  },

  // Three parties, so that two may wait. When one dies, the other is told that the barrier is
  // broken.
  barrier(name) {
    const barrier = new Barrier(3, { name });
    return {
      async hold() {
        void barrier.wait();
      },
      wait: () =>
        barrier.wait().catch((error) => {
          if (!(error instanceof BrokenBarrierError)) throw error;
        }),
      again: () => barrier.reset(),
      close: () => barrier.close(),
    };
  },
});
