// Loads the modules twice over one addon, like a test runner that resets modules.
import { cpSync, rmSync } from 'node:fs';
import { Queue } from 'holdfast';

const lib = new URL('../../lib/', import.meta.url);
const copy = new URL(`../../lib.twice-${process.pid}/`, import.meta.url);
cpSync(lib, copy, { recursive: true });
const { Queue: Again } = await import(new URL('index.js', copy)).finally(() =>
  rmSync(copy, { recursive: true }),
);

const queue = new Queue();
const again = new Again({ name: queue.name });
const got = [];
for (const [from, to] of [
  [queue, again],
  [again, queue],
]) {
  from.putSync({ longer: 'than the next one' });
  got.push(to.tryGet(), from.tryGet());
  to.putManySync([1, { a: 2 }]);
  got.push(from.tryGetMany(5), to.tryGetMany(5));
}
console.log(`got ${JSON.stringify(got)}`);
