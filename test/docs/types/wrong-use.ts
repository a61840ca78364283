// Wrong uses do not compile. This file is only type-checked (npm run check): each line below a
// `@ts-expect-error` must be an error, and nothing else may be one.
import {
  Barrier,
  BoundedSemaphore,
  Condition,
  DecodeError,
  Event,
  type Handle,
  JoinableQueue,
  Lock,
  Queue,
  RLock,
  ReadWriteLock,
  Semaphore,
  SharedMemory,
  attach,
  isPutManyError,
  list,
  unlink,
} from 'holdfast';

export async function options(lock: Lock, queue: Queue<number>): Promise<void> {
  // @ts-expect-error: misspelt
  void new Lock({ nmae: 'x' });
  // @ts-expect-error: an option of RLock
  void new Lock({ scope: 'async' });
  // @ts-expect-error: no such scope
  void new RLock({ scope: 'process' });
  // @ts-expect-error: an option of Queue
  void new Event({ maxSize: 1 });
  // @ts-expect-error: a number
  void new Queue({ maxSize: '1' });
  // @ts-expect-error: no such codec
  void new Queue({ codec: 'xml' });
  // @ts-expect-error: the permits have no default
  void new BoundedSemaphore();
  // @ts-expect-error: the parties have no default
  void new Barrier();
  // @ts-expect-error: the size has no default
  void new SharedMemory();
  // @ts-expect-error: the options come second
  void new Semaphore({ name: 'x' });
  // @ts-expect-error: a condition goes with a Lock or an RLock
  void new Condition(new Semaphore());
  // @ts-expect-error: misspelt
  await lock.acquire({ timout: 1 });
  // @ts-expect-error: milliseconds, as a number
  await lock.acquire({ timeout: '1' });
  // @ts-expect-error: no signal could reach a blocked thread
  lock.acquireSync({ signal: AbortSignal.timeout(1) });
  // @ts-expect-error: the signal, not its controller
  await queue.get({ signal: new AbortController() });
}

export async function items(queue: Queue<number>, jobs: JoinableQueue<{ id: number }>) {
  // @ts-expect-error: not what the queue holds
  await queue.put('one');
  // @ts-expect-error: not what the queue holds
  queue.putManySync([1, 'two']);
  // @ts-expect-error: it may be undefined
  queue.tryGet().toFixed();
  // @ts-expect-error: a task, whose value is the item
  void jobs.takeSync().id;
  // @ts-expect-error: it may be undefined
  jobs.tryTake().done();
  for await (const task of jobs.tasks()) {
    // @ts-expect-error: a task, whose value is the item
    void task.id;
    // @ts-expect-error: read-only
    task.value = { id: 1 };
    task.done();
  }
  // @ts-expect-error: it has one type parameter
  void new Queue<number, object>();
  // @ts-expect-error: it has one type parameter
  void new JoinableQueue<number, object>();
  const table = new ReadWriteLock();
  // @ts-expect-error: it has two modes, and no acquire()
  await table.acquire();
}

export function attaching(handle: Handle<'Lock'>, some: Handle<'Event' | 'Semaphore'>): void {
  // @ts-expect-error: a Lock, not an Event
  const event: Event = attach(handle);
  // @ts-expect-error: one of two
  const semaphore: Semaphore = attach(some);
  // @ts-expect-error: an object, not its handle
  attach(new Lock());
  // @ts-expect-error: text
  attach(JSON.stringify(handle));
  // @ts-expect-error: no such kind
  attach({ holdfast: 'Mutex', name: 'x' });
  // @ts-expect-error: no such kind
  unlink('Mutex', 'x');
  void [event, semaphore];
}

export function states(lock: Lock, queue: Queue, jobs: JoinableQueue): void {
  // @ts-expect-error: read-only
  lock.inspect().locked = true;
  // @ts-expect-error: nobody may hold it
  void lock.inspect().owner.pid;
  // @ts-expect-error: only a JoinableQueue leases
  void queue.inspect().leased;
  // @ts-expect-error: no such field
  void jobs.inspect().tasks;
  // @ts-expect-error: read-only
  list()[0]!.name = 'x';
  // @ts-expect-error: internal
  void lock.native;
}

export function errors(error: unknown): void {
  // @ts-expect-error: unknown
  void error.done;
  if (isPutManyError(error)) {
    // @ts-expect-error: a number
    void error.done.length;
    // @ts-expect-error: read-only
    error.done = 0;
  }
  if (error instanceof DecodeError) {
    // @ts-expect-error: read-only
    error.items = [];
    // @ts-expect-error: errors
    const others: string[] = error.others;
    void others;
  }
}
