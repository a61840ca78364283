import { EndedError, JoinableQueue, Queue, TimeoutError } from 'holdfast';
import { eachActor, inProcess, inWorker, places } from '../actors.mjs';
import { deepEqual, equal, freshName, rejects, throws } from '../expect.mjs';
import { until } from '../until.mjs';

/** Sends items to an actor that sends them back, one after the other. */
async function throughEcho(start, act, items) {
  const names = [freshName(), freshName()];
  const [outbox, inbox] = names.map((name) => new Queue({ name }));
  const actor = start(act, ...names);
  for (const item of items) {
    await outbox.put(item);
    deepEqual(await inbox.get(), item);
  }
  outbox.end();
  equal(await actor.ended, 0);
  outbox.close();
  inbox.close();
}

const allTypes = [
  'text',
  '',
  -1.5,
  true,
  null,
  12345678901234567890n,
  new Date(0),
  [1, [2, { three: 3 }]],
  new Map([['key', new Set([1, 2])]]),
  new Uint8Array([1, 2, 3]),
  { error: 'none', nested: { list: ['a', 'b'] } },
];

export const queues = {
  'Queue: items of every type come out as they went in': async () => {
    const queue = new Queue();
    for (const item of allTypes) {
      await queue.put(item);
      deepEqual(queue.getSync(), item);
      queue.putSync(item);
      deepEqual(await queue.get(), item);
    }
    const bytes = Buffer.from('bytes');
    queue.putSync(bytes);
    equal(Buffer.compare(queue.getSync(), bytes), 0);
    equal(queue.tryGet(), undefined);
    queue.close();
  },

  'Queue: batches': async () => {
    const queue = new Queue();
    const items = Array.from({ length: 1000 }, (_, number) => ({ number }));
    await queue.putMany(items);
    deepEqual(await queue.getMany(600), items.slice(0, 600));
    deepEqual(queue.getManySync(600), items.slice(600));
    queue.close();
  },

  'Queue: a large item': async () => {
    const queue = new Queue();
    const text = 'holdfast '.repeat(400_000);
    queue.putSync(text);
    equal((await queue.get()) === text, true);
    queue.close();
  },

  'Queue: a full one lets puts wait': async () => {
    const queue = new Queue({ maxSize: 1 });
    await queue.put(1);
    equal(queue.tryPut(2), false);
    throws(TimeoutError, () => queue.putSync(2, { timeout: 5 }));
    const put = queue.put(2);
    equal(await queue.get(), 1);
    await put;
    equal(queue.getSync(), 2);
    queue.close();
  },

  'Queue: iteration ends with end()': async () => {
    const queue = new Queue();
    queue.putManySync([1, 2, 3]);
    queue.end();
    const seen = [];
    for await (const item of queue) seen.push(item);
    deepEqual(seen, [1, 2, 3]);
    await rejects(EndedError, queue.put(4));
    queue.close();
  },

  'Queue: a process sends all back': () => throughEcho(inProcess, 'echo', allTypes),
  'Queue: a worker sends all back': () => throughEcho(inWorker, 'echo', allTypes),

  // Every answer waits for a wake-up here: there is no slice that would make up for a lost one.
  'Queue: a process that looks only when it is woken': () =>
    throughEcho(inProcess, 'echoWithoutSlices', [1, 2, 3, 4, 5, 6, 7, 8]),
  'Queue: a worker that looks only when it is woken': () =>
    throughEcho(inWorker, 'echoWithoutSlices', [1, 2, 3, 4, 5, 6, 7, 8]),

  'Queue: a getter is killed, and the next one gets': async () => {
    const name = freshName();
    const queue = new Queue({ name });
    for await (const getter of eachActor('gets', 'getForEver', name)) {
      await until(() => queue.inspect().getters === 1);
      await getter.kill();
      const get = queue.get();
      await queue.put('for the living');
      equal(await get, 'for the living');
    }
    queue.close();
  },

  'JoinableQueue: join() waits until all is done': async () => {
    const queue = new JoinableQueue();
    queue.putManySync(['a', 'b']);
    const join = queue.join();
    for await (const task of queue.tasks()) {
      task.done();
      if (task.value === 'b') break;
    }
    await join;
    equal(queue.unfinished(), 0);
    queue.close();
  },

  'JoinableQueue: the task of a killed holder is handed out again': async () => {
    const name = freshName();
    const queue = new JoinableQueue({ name });
    for (const start of places) {
      queue.putSync('work');
      const holder = start('takeTask', name);
      equal(await holder.says(), 'work');
      const take = queue.take();
      await holder.kill();
      const task = await take;
      deepEqual([task.value, task.deliveries], ['work', 2]);
      task.done();
    }
    queue.joinSync();
    queue.close();
  },

  'JoinableQueue: others do the work': async () => {
    const name = freshName();
    const queue = new JoinableQueue({ name });
    for (const start of places) {
      queue.putSync('work');
      const holder = start('takeTask', name);
      equal(await holder.says(), 'work');
      const join = queue.join();
      holder.tell('done');
      await join;
      await holder.ended;
    }
    queue.close();
  },
};
