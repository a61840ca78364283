// Makes a Pool at its top level, which its workers run, too.
import { Pool } from 'holdfast';
import { refused, say } from './process-program.mjs';

export const square = (n) => n * n;

const pool = new Pool({ processes: 1 });
say(await refused(() => pool.run(square, 2)));
await pool.terminate();
