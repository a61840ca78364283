import process from 'node:process';
import {
  activeChildren,
  Event,
  Lock,
  Process,
  ProcessError,
  Queue,
  setStartMethod,
} from 'holdfast';
import { deepEqual, equal, ok, throws } from '../expect.mjs';
import { until } from '../until.mjs';
import { add } from '../programs/targets.mjs';

const module = new URL('../programs/targets.mjs', import.meta.url);

async function adds(target) {
  const queue = new Queue();
  const child = new Process(target, { args: [queue, 2, 3], name: 'adder' }).start();
  deepEqual(await queue.get(), { sum: 5, name: 'adder', parent: process.pid });
  ok(await child.join());
  equal(child.exitCode, 0);
  queue.close();
}

export const processes = {
  'Process runs an export of a module': () => adds({ module, export: 'add' }),
  'Process runs a function of the main module': () => adds(add),

  'Process: join() looks again and again, until the child has ended': async () => {
    const target = { module, export: 'exit' };
    for (const daemon of [false, true]) {
      const children = [1, 2, 3, 4].map(() => new Process(target, { args: [0], daemon }).start());
      for (const child of children) await until(() => child.join({ timeout: 0 }));
      deepEqual(activeChildren(), []);
    }
  },

  'Process: forkserver': async () => {
    setStartMethod('forkserver', { idle: 1 });
    try {
      for (let i = 0; i < 2; i++) await adds({ module, export: 'add' });
    } finally {
      setStartMethod('spawn');
    }
  },

  'Process: exit codes': async () => {
    const codes = [];
    const targets = [
      [{ module, export: 'fail' }, []],
      [{ module, export: 'exit' }, [7]],
    ];
    for (const [target, args] of targets) {
      const child = new Process(target, { args }).start();
      await child.join();
      codes.push(child.exitCode);
    }
    deepEqual(codes, [1, 7]);
  },

  'Process: one that holds a lock is killed': async () => {
    const [lock, event] = [new Lock(), new Event()];
    const child = new Process({ module, export: 'holdForEver' }, { args: [lock, event] }).start();
    await event.wait();
    ok(child.alive());
    deepEqual(activeChildren(), [child]);
    child.kill();
    const guard = await lock.acquire();
    ok(guard.abandoned);
    guard.release();
    await child.join();
    equal(child.exitCode, -9);
    lock.close();
    event.close();
  },

  'Process: queues both ways': async () => {
    const [inbox, outbox] = [new Queue(), new Queue()];
    const child = new Process({ module, export: 'serve' }, { args: [inbox, outbox] }).start();
    for (let i = 0; i < 50; i++) {
      await inbox.put(i);
      equal(await outbox.get(), 2 * i);
    }
    inbox.end();
    await child.join();
    equal(child.exitCode, 0);
    inbox.close();
    outbox.close();
  },

  'Process: bad targets are refused': () => {
    throws(TypeError, () => new Process(5));
    throws(ProcessError, () => new Process(() => {}).start());
    throws(TypeError, () => new Process({ module, export: 5 }));
  },
};
