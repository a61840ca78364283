// What an actor can do. Each act says a line when it has come to a point that a check waits for.
import process from 'node:process';
import {
  attach,
  Barrier,
  BoundedSemaphore,
  Condition,
  Event,
  JoinableQueue,
  Lock,
  Queue,
  ReadWriteLock,
  RLock,
  Semaphore,
  SharedMemory,
} from 'holdfast';

/** Makes the object that can be acquired, and returns what acquires it. */
const acquirers = {
  Lock: (name) => new Lock({ name }).acquireSync(),
  RLock: (name) => new RLock({ name, scope: 'thread' }).acquireSync(),
  Writer: (name) => new ReadWriteLock({ name }).acquireExclusiveSync(),
  Reader: (name) => new ReadWriteLock({ name }).acquireSharedSync(),
  Permit: (name) => new BoundedSemaphore(undefined, { name }).acquireSync(),
  Condition: (name) => new Condition(undefined, { name }).acquireSync(),
};

async function echo(firstName, secondName) {
  const inbox = new Queue({ name: firstName });
  const outbox = new Queue({ name: secondName });
  for await (const item of inbox) await outbox.put(item);
  inbox.close();
  outbox.close();
}

export const acts = {
  /** Holds until it is told anything. */
  async hold({ say, told }, what, name) {
    const guard = acquirers[what](name);
    say('held');
    if ((await told()) === 'exit') process.exit(0);
    guard.release();
    say('released');
  },

  /** Acquires, while somebody else holds. */
  async acquire({ say }, what, name) {
    say('acquires');
    const guard = acquirers[what](name);
    say(`acquired, abandoned: ${guard.abandoned}`);
    guard.release();
  },

  async acquireAsync({ say }, name) {
    const lock = new Lock({ name });
    const waiting = lock.acquire();
    say('waits');
    const guard = await waiting;
    say(`acquired, abandoned: ${guard.abandoned}`);
    guard.release();
    lock.close();
  },

  /** Adds 1 to a number in shared memory, `times` times. Without the lock, some would be lost. */
  async count(_channel, lockName, memoryName, times) {
    const lock = new Lock({ name: lockName });
    const memory = new SharedMemory(undefined, { name: memoryName });
    const number = new Float64Array(memory.buffer);
    for (let i = 0; i < times; i++) {
      const guard = i % 2 === 0 ? await lock.acquire() : lock.acquireSync();
      const seen = number[0];
      if (i % 16 === 0) await new Promise((resolve) => setTimeout(resolve, 0));
      number[0] = seen + 1;
      guard.release();
    }
    memory.close();
    lock.close();
  },

  async postSemaphore({ say, told }, name, count) {
    const semaphore = new Semaphore(undefined, { name });
    say('ready');
    await told();
    semaphore.release(count);
    semaphore.close();
  },

  async setEvent({ say, told }, name) {
    const event = new Event({ name });
    say('ready');
    await told();
    event.set();
    event.close();
  },

  async waitForEvent({ say }, name, how) {
    const event = new Event({ name });
    say('waits');
    if (how === 'sync') event.waitSync();
    else await event.wait();
    say('set');
    event.close();
  },

  async waitForNotification({ say }, name) {
    const condition = new Condition(undefined, { name });
    const guard = condition.acquireSync();
    say('waits');
    await condition.wait();
    say('notified');
    guard.release();
    condition.close();
  },

  async reachBarrier({ say }, name) {
    const barrier = new Barrier(undefined, { name });
    say('comes');
    try {
      await barrier.wait();
      say('passed');
    } catch (error) {
      say(error.name);
    }
    barrier.close();
  },

  echo: (_channel, ...names) => echo(...names),
  echoWithoutSlices: (_channel, ...names) => echo(...names),

  async getForEver({ say }, name) {
    const queue = new Queue({ name });
    say('gets');
    for (;;) say(await queue.get());
  },

  /** Takes a task, and does not say that it is done. */
  async takeTask({ say, told }, name) {
    const queue = new JoinableQueue({ name });
    const task = await queue.take();
    say(task.value);
    await told();
    task.done();
    queue.close();
  },

  async writeBytes({ say, told }, name) {
    const memory = new SharedMemory(undefined, { name });
    const bytes = new Uint8Array(memory.buffer);
    say(bytes.join());
    bytes.fill(7);
    say('written');
    await told();
    memory.close();
  },

  async putIntoHandle(_channel, handle, item) {
    const queue = attach(handle);
    queue.putSync(item);
    queue.close();
  },

  /** Opens what another program has open. */
  open({ say }, handle) {
    try {
      attach(handle).close();
      say('opened');
    } catch (error) {
      say(`${error.name}: ${error.message}`);
    }
  },

  /** Opens one of each, closes nothing, and waits for nothing. */
  openAndEnd({ say }) {
    const open = [new Lock(), new Queue(), new Event(), new Semaphore(), new RLock()];
    say(`${open.length} open`);
  },
};
