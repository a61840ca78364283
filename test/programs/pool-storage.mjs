// A Pool whose directory has little storage. Prints how each task ended.
import { Pool, parentProcess } from 'holdfast';

const module = new URL('pool-storage.mjs', import.meta.url);
const target = (name) => ({ module, export: name });

export const lengthOf = (...items) => items.map((item) => item.length);
export const makes = (length) => Buffer.alloc(length);
export const throwsWith = (length) => {
  throw Object.assign(new RangeError('with much'), { data: Buffer.alloc(length) });
};
export const pid = () => process.pid;

const megabytes = 2 ** 20;

if (parentProcess() === null) {
  const pool = new Pool({ processes: 1, execArgv: [] });
  const before = await pool.run(target('pid'));
  const say = async (what, task) => {
    const end = await task.then(
      (result) => JSON.stringify(result).slice(0, 40),
      (error) => error.name,
    );
    console.log(JSON.stringify([what, end]));
  };
  const large = Buffer.alloc(30 * megabytes);
  const small = Buffer.alloc(20_000);
  await say('argument', pool.run(target('lengthOf'), large));
  await say('second argument', pool.run(target('lengthOf'), small, large));
  await say('part of an argument', pool.run(target('lengthOf'), [large]));
  await say('small', pool.run(target('lengthOf'), small, small));
  await say('result', pool.run(target('makes'), large.length));
  await say('results', pool.map(target('makes'), [20_000, large.length], { chunkSize: 2 }));
  await say('error', pool.run(target('throwsWith'), large.length));
  await say('small', pool.run(target('lengthOf'), small, small));
  const after = await pool.run(target('pid'));
  console.log(JSON.stringify(['same worker', String(before === after)]));
  await pool.close();
}
