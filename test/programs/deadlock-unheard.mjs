// Two tasks in a circle. When their thread notes who tells what, it hears nobody, as if all of them
// wrote just then. Prints how the second wait ended.
import { Lock } from 'holdfast';

const { addon } = await import(new URL('../../lib/native/load.js', import.meta.url)).then(
  (loaded) => loaded.default,
);
const { hearWaits } = addon;
let calls = 0;
// The first call of a look finds the circle, the second one notes it.
addon.hearWaits = () => (++calls === 2 ? [] : hearWaits());

const [one, two] = [new Lock(), new Lock()];
const inTurn = (first, second) =>
  first.runExclusive(async () => {
    await new Promise((resolve) => setTimeout(resolve, 20));
    return second.runExclusive(() => 'got both', { timeout: 8000 });
  });
const ends = await Promise.allSettled([inTurn(one, two), inTurn(two, one)]);
console.log(JSON.stringify(ends.map(({ value, reason }) => value ?? reason.name)));
console.log(JSON.stringify(calls > 2));
one.close();
two.close();
