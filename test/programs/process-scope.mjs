// Passes an RLock of scope 'async' to a Process. It prints JSON, one value a line.
import { writeSync } from 'node:fs';
import { setImmediate as turn } from 'node:timers/promises';
import { parentProcess, Process, RLock } from 'holdfast';

const say = (value) => writeSync(1, `${JSON.stringify(value)}\n`);

export async function tasks(lock) {
  const order = [];
  const task = (number) =>
    lock.runExclusive(async () => {
      order.push(number);
      await turn();
      await lock.runExclusive(() => order.push(number));
    });
  await Promise.all([task(1), task(2)]);
  say({ where: 'child', scope: lock.scope, order });
  lock.close();
}

if (parentProcess() === null) {
  const lock = new RLock({ scope: 'async' });
  const guard = await lock.acquire();
  const child = new Process(tasks, { args: [lock] }).start();
  const depth = lock.depth();
  guard.release();
  await child.join();
  say({ where: 'parent', exitCode: child.exitCode, depth });
  lock.close();
}
