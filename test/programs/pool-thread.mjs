// A worker thread that has a Pool of its own.
import { parentPort } from 'node:worker_threads';
import { Pool } from 'holdfast';

const square = { module: new URL('pool-targets.mjs', import.meta.url), export: 'square' };

const pool = new Pool({ processes: 2 });
const squares = await pool.map(square, [1, 2, 3]);
await pool.close();
parentPort.postMessage(squares);
