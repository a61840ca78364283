import { Pool } from '../holdfast.mjs';
import { play, workers } from './play.mjs';

const module = new URL('tasks.mjs', import.meta.url);
const nothing = { module, export: 'nothing' };
const lengthOf = { module, export: 'lengthOf' };

const pool = new Pool({ processes: workers });
await play({
  run: () => pool.run(nothing),
  lengths: (items) => pool.map(lengthOf, items),
});
await pool.close();
