// workerpool; the argument is its `workerType`: `thread` or `process`.
import workerpool from 'workerpool';
import { play, workers } from './play.mjs';

const [workerType] = process.argv.slice(2);
const worker = new URL('workerpool-worker.mjs', import.meta.url);
const options = { workerType, minWorkers: workers, maxWorkers: workers };
const forkOpts = { serialization: 'advanced' };
const pool = workerpool.pool(worker.pathname, { ...options, forkOpts });
await play({
  run: () => pool.exec('nothing', []),
  lengths: (items) => Promise.all(items.map((item) => pool.exec('lengthOf', [item]))),
});
await pool.terminate();
