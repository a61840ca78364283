// Two processes drain one queue, and get it wrong: "is it empty?" and "get" are two steps. Between
// them the other process may take the last item, and then the get waits for ever.
//
//   npm run demo -- faulty-queue                   once
//   npm run demo -- faulty-queue --until-it-hangs  again and again, until it happens
import { setTimeout as sleep } from 'node:timers/promises';
import { Process, Queue, Semaphore, currentProcess, parentProcess } from 'holdfast';
import { say } from './say.js';

const grace_ms = 1000;

export function drain(queue: Queue<number>, start: Semaphore): void {
  start.acquireSync();
  let count = 0;
  while (!queue.empty()) {
    // At this point the other process may take the last item.
    const digit = queue.getSync();
    count++;
    say(`${digit}`);
  }
  say(`child process ${currentProcess().name} processed ${count} items from the queue`);
}

/** True if a child hung and had to be ended. */
async function lesson(): Promise<boolean> {
  using queue = new Queue<number>();
  using start = new Semaphore(0); // so that both begin together
  for (let i = 0; i < 100; i++) queue.putSync(Math.floor(Math.random() * 10));
  const children = [1, 2].map((number) =>
    new Process(drain, { args: [queue, start], name: `Process-${number}` }).start(),
  );
  while (start.inspect().waiters < 2) await sleep(5);
  start.release(2);
  await Promise.race(children.map((child) => child.join()));
  let hung = false;
  for (const child of children) {
    if (await child.join({ timeout: grace_ms })) continue;
    hung = true;
    child.terminate();
    await child.join();
    say(
      `${child.name} found the queue not empty, but then the last item was gone when it got there.`,
    );
    say(`It waited for another one, for ever; after ${grace_ms} ms the runner ended it.`);
  }
  if (!hung) say('This time both children ended. It was luck: run it again, or see fixed-queue.');
  return hung;
}

if (parentProcess() === null) {
  const untilItHangs = process.argv.includes('--until-it-hangs');
  let rounds = 1;
  while (!(await lesson()) && untilItHangs) rounds++;
  if (untilItHangs) say(`It hung in round ${rounds}.`);
}
