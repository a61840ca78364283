// What `holdfast trace` watches: three processes take turns with a lock and pass items on.
import { fork } from 'node:child_process';
import { Lock, Queue } from 'holdfast';

const [role, name, rounds] = process.argv.slice(2);
const lock = new Lock({ name: `${name} lock` });
const queue = new Queue({ name: `${name} queue` });

async function work() {
  for (let i = 0; i < Number(rounds); i++) {
    await lock.runExclusive(async () => {
      await queue.put(i);
      await new Promise((resolve) => setTimeout(resolve, 2));
    });
    await queue.get();
  }
}

if (role === 'main') {
  // Nobody begins before all are there, so that they have to wait for each other.
  const guard = await lock.acquire();
  const ends = [1, 2].map(() => {
    const child = fork(import.meta.filename, ['child', name, rounds]);
    return new Promise((resolve) => child.on('exit', resolve));
  });
  while (lock.inspect().waiters < 2) await new Promise((resolve) => setTimeout(resolve, 5));
  guard.release();
  await work();
  await Promise.all(ends);
} else {
  await work();
}
lock.close();
queue.close();
