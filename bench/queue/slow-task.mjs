// The cost of a put behind a slow task, with many items done after that task, and with idle takers.
//
//   node bench/queue/slow-task.mjs [done behind it, 1000000] [idle takers, 8]
//
// It is not a suite of `npm run bench`, because to fill the queue takes seconds, and there is no
// rival. Run it in two checkouts by turns.
import { fork } from 'node:child_process';
import { randomUUID } from 'node:crypto';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { JoinableQueue } from '../holdfast.mjs';

const PUTS = 300;
const BATCH = 1000;

function take(name) {
  const queue = new JoinableQueue({ name });
  process.send('ready');
  for (;;) queue.takeSync().done();
}

async function main(done, takers) {
  const name = `slow-task-${randomUUID()}`;
  const queue = new JoinableQueue({ name, maxBytes: 2 ** 28 });
  queue.putSync(0);
  const slow = queue.takeSync();
  const items = Array.from({ length: BATCH }, (_, i) => i);
  for (let i = 0; i < done; i += BATCH) {
    queue.putManySync(items);
    for (let k = 0; k < BATCH; k++) queue.takeSync().done();
  }
  const children = [];
  for (let i = 0; i < takers; i++) {
    const child = fork(fileURLToPath(import.meta.url), ['--take', name]);
    children.push(child);
    await new Promise((resolve) => child.once('message', resolve));
  }

  const ms = [];
  let refused = 0;
  for (let i = 0; i < PUTS; i++) {
    await sleep(3);
    const started = performance.now();
    if (!queue.tryPut(i)) refused++;
    ms.push(performance.now() - started);
  }
  ms.sort((a, b) => a - b);
  const started = performance.now();
  slow.done();
  const end = performance.now() - started;

  console.log(`${done} done behind a slow task, ${takers} idle takers`);
  console.log(`tryPut: ${refused} of ${PUTS} refused, ms p50 ${ms[PUTS / 2].toFixed(3)}`);
  console.log(
    `tryPut: ms max ${ms.at(-1).toFixed(3)}; done() of the slow task: ms ${end.toFixed(3)}`,
  );
  for (const child of children) child.kill('SIGKILL');
  queue.close();
}

if (process.argv[2] === '--take') take(process.argv[3]);
else await main(Number(process.argv[2] ?? 1_000_000), Number(process.argv[3] ?? 8));
