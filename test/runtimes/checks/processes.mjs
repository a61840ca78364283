import process from 'node:process';
import {
  activeChildren,
  Event,
  Lock,
  Pool,
  Process,
  ProcessError,
  Queue,
  setStartMethod,
  TimeoutError,
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

  'Process: result()': async () => {
    const of = (name, ...args) => new Process({ module, export: name }, { args }).start().result();
    equal(await of('square', 7), 49);
    ok((await of('fail').catch((error) => error)) instanceof RangeError);
    const ended = await of('exit', 7).catch((error) => error);
    ok(ended instanceof ProcessError);
    equal(ended.exitCode, 7);
  },

  'Pool: results, errors, a worker that ends': async () => {
    const target = (name) => ({ module, export: name });
    const pool = new Pool({ processes: 2 });
    const items = Array.from({ length: 50 }, (_, i) => i);
    deepEqual(
      await pool.map(target('square'), items),
      items.map((i) => i * i),
    );
    ok((await pool.run(target('fail')).catch((error) => error)) instanceof RangeError);
    ok((await pool.run(target('exit'), 3).catch((error) => error)) instanceof ProcessError);
    const late = pool.run(target('sleep'), 60_000, { timeout: 20 });
    ok((await late.catch((error) => error)) instanceof TimeoutError);
    equal(await pool.run(target('square'), 9), 81);
    await pool.close();
    deepEqual(activeChildren(), []);
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
