// One of two processes that give each other turns, each by an event of its own. One set is one
// turn, even if the other process is faster.
import { Event } from 'holdfast';

const [name, side, turns] = process.argv.slice(2);
const [mine, other] = [side, 1 - side].map((i) => new Event({ name: `${name} ${i}` }));

if (side === '0') other.set();
for (let i = 1; i <= Number(turns); i++) {
  mine.waitSync({ timeout: 30_000 });
  mine.clear();
  const { sets } = mine.inspect();
  if (sets !== i) throw new Error(`turn ${i} came with ${sets} sets`);
  if (side === '1' || i < Number(turns)) other.set();
}
mine.close();
other.close();
