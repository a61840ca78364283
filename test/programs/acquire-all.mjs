// acquire-all.mjs <rounds> <name of a lock>...
//
// Acquires all of the locks, in the order of the arguments, again and again. Prints how often, and
// how often somebody else was inside as well.
import { Lock, acquireAll } from 'holdfast';

const [rounds, ...names] = process.argv.slice(2);
const locks = names.map((name) => new Lock({ name }));
let done = 0;
let intruders = 0;
while (done < Number(rounds)) {
  const guard = await acquireAll(locks);
  for (const lock of locks) if (lock.inspect().owner?.pid !== process.pid) intruders++;
  if (done % 10 === 0) await new Promise((resolve) => setImmediate(resolve));
  guard.release();
  done++;
}
console.log(`done ${done} ${intruders}`);
