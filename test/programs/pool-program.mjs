// Programs with a Pool. The first argument names the scenario.
import { Worker } from 'node:worker_threads';
import { once } from 'node:events';
import { Pool, Process } from 'holdfast';
import { refused, runScenario, say, slowly } from './process-program.mjs';

export { slowly };

export const twice = (n) => 2 * n;
function hidden() {}

/** Starts a Pool in a worker, which is a daemon. */
export function nests() {
  return refused(() => new Pool({ processes: 1 }));
}

/** Never comes back to its event loop. */
export function loops(name) {
  say(name);
  for (;;);
}

const pids = (pool) => pool.inspect().workers.map(({ pid }) => pid);

const scenarios = {
  /** Functions of the main module. */
  async functions() {
    const pool = new Pool({ processes: 2, target: twice });
    say(await pool.run(21));
    say(await pool.map(twice, [1, 2, 3]));
    say(await refused(() => pool.run(() => 1)));
    say((await refused(() => pool.run(hidden)))[0]);
    say(await pool.run(nests));
    await pool.close();
  },

  /** Nothing ends the pool: it must not keep the program. */
  async left() {
    const pool = new Pool({ processes: 2 });
    say(await pool.run(twice, 21));
  },

  /** A task keeps the program alive, without anybody who waits for it. */
  async awaited() {
    const pool = new Pool({ processes: 1 });
    void pool.run(slowly, 100, 'done');
  },

  async exits() {
    const pool = new Pool({ processes: 2 });
    void pool.run(slowly, 60_000);
    await pool.run(twice, 1);
    process.exit(3);
  },

  async killed() {
    const pool = new Pool({ processes: 2 });
    void pool.run(slowly, 60_000);
    await pool.run(twice, 1);
    say(pids(pool).length);
    await slowly(60_000);
  },

  async loops() {
    const pool = new Pool({ processes: 1 });
    void pool.run(loops, 'worker');
    new Process(loops, { args: ['daemon'], daemon: true }).start();
    await slowly(60_000);
  },

  async thread() {
    const worker = new Worker(new URL('pool-thread.mjs', import.meta.url));
    const [message] = await once(worker, 'message');
    say(message);
  },
};

await runScenario(import.meta, scenarios);
