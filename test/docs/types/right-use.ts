// What an expression is, exactly. This file is only type-checked (npm run check).
import {
  type Barrier,
  type BoundedSemaphore,
  type Condition,
  type Connection,
  type DecodeError,
  type Event,
  type Guard,
  type Handle,
  HoldfastError,
  type Holder,
  type JoinableQueue,
  type KindName,
  Lock,
  type LockManager,
  Queue,
  type RLock,
  type ReadWriteLock,
  Semaphore,
  type SharedArray,
  type SharedMemory,
  type SharedValue,
  type Task,
  attach,
  isPutManyError,
} from 'holdfast';

type Same<A, B> =
  (<T>() => T extends A ? 1 : 2) extends <T>() => T extends B ? 1 : 2 ? true : false;
/** Compiles only if `T` is exactly the type of the argument. */
type Exactly<T, U> = Same<T, U> extends true ? unknown : never;
const is = <T>() => ({ of: <U>(value: U & Exactly<T, U>): void => void value });

/** attach() gives the class of its handle's kind. */
export function attaching(lock: Lock, queue: Queue<number>, jobs: JoinableQueue<number>): void {
  is<Lock>().of(attach(lock.toJSON()));
  is<Lock>().of(attach({ holdfast: 'Lock', name: 'x' }));
  is<Lock>().of(attach<'Lock'>(JSON.parse('')));
  is<JoinableQueue>().of(attach(jobs.toJSON()));
  is<Queue | JoinableQueue>().of(attach(queue.toJSON()));
  is<Lock | Event>().of(attach({} as Handle<'Lock' | 'Event'>));
  is<Lock | Event>().of(attach({} as Handle<'Lock'> | Handle<'Event'>));
  type Every =
    | Lock
    | RLock
    | Semaphore
    | BoundedSemaphore
    | Condition
    | Event
    | Barrier
    | Queue
    | JoinableQueue
    | SharedMemory
    | ReadWriteLock
    | LockManager
    | Connection
    | SharedArray
    | SharedValue;
  is<Every>().of(attach({} as Handle));
  const every: Record<KindName, (handle: never) => Every> = {
    Lock: (handle: Handle<'Lock'>): Lock => attach(handle),
    RLock: (handle: Handle<'RLock'>): RLock => attach(handle),
    Semaphore: (handle: Handle<'Semaphore'>): Semaphore => attach(handle),
    BoundedSemaphore: (handle: Handle<'BoundedSemaphore'>): BoundedSemaphore => attach(handle),
    Condition: (handle: Handle<'Condition'>): Condition => attach(handle),
    Event: (handle: Handle<'Event'>): Event => attach(handle),
    Barrier: (handle: Handle<'Barrier'>): Barrier => attach(handle),
    Queue: (handle: Handle<'Queue'>): Queue => attach(handle),
    JoinableQueue: (handle: Handle<'JoinableQueue'>): JoinableQueue => attach(handle),
    SharedMemory: (handle: Handle<'SharedMemory'>): SharedMemory => attach(handle),
    ReadWriteLock: (handle: Handle<'ReadWriteLock'>): ReadWriteLock => attach(handle),
    LockManager: (handle: Handle<'LockManager'>): LockManager => attach(handle),
  };
  void every;
}

export async function items(queue: Queue<Date>, jobs: JoinableQueue<Date>): Promise<void> {
  is<Date>().of(await queue.get());
  is<Date | undefined>().of(queue.tryGet());
  is<Date[]>().of(await queue.getMany(2));
  is<Task<Date>>().of(await jobs.take());
  is<Task<Date> | undefined>().of(jobs.tryTake());
  is<number>().of(jobs.inspect().leased);
  for await (const item of jobs) is<Date>().of(item);
  for await (const task of jobs.tasks()) {
    is<Date>().of(task.value);
    task.done();
  }
  const asQueue: Queue<Date> = jobs;
  void asQueue;
  // A codec says what the items are.
  const codec = { encode: (n: number) => Buffer.alloc(n), decode: (bytes: Buffer) => bytes.length };
  is<Queue<number>>().of(new Queue({ codec }));
  is<Queue>().of(new Queue());
  is<Queue<string>>().of(new Queue<string>({ codec: 'json', maxSize: 1 }));
}

export async function errors(queue: Queue<string>, all: string[]): Promise<string[]> {
  try {
    await queue.putMany(all, { timeout: 100 });
    return [];
  } catch (error) {
    if (!isPutManyError(error)) throw error;
    is<number>().of(error.done);
    is<string>().of(error.message);
    if (error instanceof HoldfastError) is<string>().of(error.code);
    return all.slice(error.done);
  }
}

export function decoding(error: DecodeError<string>): void {
  is<readonly string[]>().of(error.items);
  is<readonly DecodeError<string>[]>().of(error.others);
  is<Buffer>().of(error.bytes);
}

export async function holding(lock: Lock, semaphore: Semaphore): Promise<void> {
  is<Guard>().of(await lock.acquire());
  is<Guard | null>().of(lock.tryAcquire());
  is<boolean>().of(semaphore.tryAcquire());
  is<Holder | null>().of(lock.inspect().owner);
  is<number>().of(await lock.runExclusive(async () => 1));
  is<string>().of(await lock.runExclusive(() => 'x'));
  is<Lock>().of(new Lock({ name: undefined, exclusive: undefined }));
  is<Semaphore>().of(new Semaphore(undefined, { name: 'x' }));
}
