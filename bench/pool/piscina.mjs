// piscina and tinypool, which has the same interface: `threads`, or `child_process` in tinypool.
import { play, workers } from './play.mjs';

const [name, runtime] = process.argv.slice(2);
const exports = await import(name);
const Pool = exports.Piscina ?? exports.default;

const filename = new URL('tasks.mjs', import.meta.url).href;
const own = runtime === undefined ? {} : { runtime };
const pool = new Pool({ filename, minThreads: workers, maxThreads: workers, ...own });
await play({
  run: () => pool.run(undefined, { name: 'nothing' }),
  // Between processes tinypool sends JSON.
  lengths:
    runtime === 'child_process'
      ? undefined
      : (items) => Promise.all(items.map((item) => pool.run(item, { name: 'lengthOf' }))),
});
await pool.destroy();
