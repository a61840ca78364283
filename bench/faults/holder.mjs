// Holds the lock 'it' of a cluster and writes with its token all the time, without a look at
// whether it still has the lock. Tells its parent of each write, and when it hears of a loss.
//   node holder.mjs <url> <options as JSON>
import { setTimeout as sleep } from 'node:timers/promises';
import { checks } from '../../test/programs/cluster/proof.mjs';
import { now } from '../../test/programs/clock.mjs';
import { connect } from '../../lib/index.mjs';

const [url, options] = process.argv.slice(2);
const betweenWrites_ms = 2;
/** How long it writes after it has heard of the loss. */
const goesOn_ms = 500;

let isEnding = false;
process.on('message', () => (isEnding = true));
process.on('disconnect', () => process.exit());

const cluster = await connect(url, JSON.parse(options));

async function hold(lock) {
  let told;
  const tell = () => {
    if (told !== undefined) return;
    told = now();
    process.send({ told });
  };
  lock.signal.addEventListener('abort', tell);
  const token = String(lock.token);
  process.send({ holds: token });
  while (!isEnding && !(now() - told > goesOn_ms)) {
    process.send({ write: token });
    if (!checks(lock)) tell();
    await sleep(betweenWrites_ms);
  }
}

// A request whose lock is lost rejects while its callback runs on.
let over;
await cluster.locks.request('it', (lock) => (over = hold(lock))).catch(() => {});
await over;
process.exit();
