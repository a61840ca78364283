// Compiled and never run: wrong arguments of a Pool must not compile. `npm run check` compiles this
// file under every TypeScript that the package supports.
import { Pool, type PoolOptions } from 'holdfast';

declare function add(a: number, b: number): number;
declare function later(text: string): Promise<string>;
declare const anything: Function;

export async function results(pool: Pool): Promise<void> {
  const sum: number = await pool.run(add, 1, 2);
  const same: number = await pool.run(add, 1, 2, { retries: 1, timeout: 5 });
  const text: string = await pool.run(later, 'a');
  const unknown: unknown = await pool.run({ module: './work.js' }, 1, 'b');
  const texts: string[] = await pool.map(later, ['a', 'b'], { chunkSize: 2 });
  for await (const one of pool.imap(later, new Set(['a']))) texts.push(one);
  for await (const one of pool.imapUnordered(later, texts)) texts.push(one);
  // @ts-expect-error a number is no text
  const wrong: string[] = await pool.map(later, [1]);
  // @ts-expect-error there is no such option
  await pool.map(later, ['a'], { chunksize: 2 });
  void [sum, same, text, unknown, wrong];
}

export async function ofTarget(pool: Pool<typeof add>): Promise<void> {
  const sum: number = await pool.run(1, 2);
  const same: number = await pool.run(1, 2, { retries: 1 });
  void [sum, same];
}

const options: PoolOptions = { processes: 2, errors: [TypeError], initializer: add };
new Pool(options);
new Pool({ target: add });
new Pool({ target: anything, maxMemory: 2 ** 30 });
new Pool<typeof add>({ target: { module: './work.js', export: 'add' } });
// @ts-expect-error there is no such option
new Pool({ process: 2 });
