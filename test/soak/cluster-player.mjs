// A process of the cluster soak: requests locks, puts and takes jobs, and reports to its parent
// what it could prove. What fails because of the faults is tried again.
//   node cluster-player.mjs <url> <options as JSON> <seed>
import { setTimeout as sleep } from 'node:timers/promises';
import { connect, HoldfastError } from 'holdfast';
import { now } from '../programs/clock.mjs';
import { checks } from '../programs/cluster/proof.mjs';
import { random } from '../programs/random.mjs';

const [url, options, seed] = process.argv.slice(2);
const dice = random(Number(seed));
const names = ['a', 'b', 'c'];
/** 'end': no new locks and jobs. 'stop': no work on jobs either. */
let phase = 'play';
process.on('message', (message) => (phase = message));
process.on('disconnect', () => process.exit());

/** Runs it until the engine takes it, or the end. */
async function insist(what) {
  for (;;) {
    try {
      return await what();
    } catch (error) {
      if (!(error instanceof HoldfastError) && error.code !== 'ERR_HOLDFAST_STOLEN') throw error;
      if (phase !== 'play') return undefined;
      await sleep(20);
    }
  }
}

async function holdOne(cluster) {
  const name = dice.pick(names);
  const mode = dice.below(3) === 0 ? 'shared' : 'exclusive';
  const asked = now();
  await cluster.locks.request(name, { mode }, async (lock) => {
    // The time of the first proof is read after its check, that of the second before its check.
    if (!checks(lock)) return;
    const from = now();
    await sleep(dice.below(15));
    const end = now();
    const to = checks(lock) ? end : undefined;
    const { token } = lock;
    process.send({ hold: { name, mode, token: String(token), asked, from, to } });
  });
}

/** No more than the players can do, so that what is left at the end is done soon. */
const mostWaiting = 100;
let jobs = 0;
async function putSome(cluster) {
  if ((await cluster.queue('jobs').count()).waiting > mostWaiting) return sleep(50);
  const ids = Array.from({ length: 1 + dice.below(5) }, () => `${process.pid} ${++jobs}`);
  // Those that were put without an answer may be there too: they are only not promised.
  await cluster.queue('jobs').putMany(ids);
  process.send({ put: ids });
  await sleep(dice.below(60));
}

async function doSome(cluster) {
  const tasks = await cluster.queue('jobs').take({ max: 5, timeout: 200 });
  const end = async (task) => {
    if (dice.below(10) === 0) return task.retry();
    // This is the work. Whether done() was heard is not known if its answer is lost. A kill takes
    // what has not left the process, so the news leaves it first.
    await new Promise((resolve) => process.send({ done: task.value }, resolve));
    await task.done();
  };
  await Promise.all(tasks.map(end));
}

async function loop(cluster, act) {
  const phases = act === doSome ? ['play', 'end'] : ['play'];
  while (phases.includes(phase)) await insist(() => act(cluster));
}

const cluster = await insist(() => connect(url, JSON.parse(options)));
if (cluster !== undefined) {
  const acts = [holdOne, holdOne, holdOne, putSome, doSome];
  await Promise.all(acts.map((act) => loop(cluster, act)));
  await cluster.close();
}
process.send({ ended: true }, () => process.disconnect());
