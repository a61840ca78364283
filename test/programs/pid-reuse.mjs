// Kills the holder of a lock, has another process take its pid, and prints what a waiter is then
// told. Run it in a PID namespace of its own, in which the next pid can be chosen.
//
//   pid-reuse.mjs <with|without>     the doorbell of the dead process
import { fork, spawn } from 'node:child_process';
import { once } from 'node:events';
import { readdirSync, rmSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';

const directory = process.env.HOLDFAST_DIR;
let lastId = 0;

async function start() {
  const child = fork(new URL('./actor/actor.mjs', import.meta.url), { serialization: 'advanced' });
  await once(child, 'message'); // it is ready
  return child;
}

/** See neighbours.mjs. */
async function request(child, line) {
  const id = ++lastId;
  child.send({ id, do: 'act', name: 'request', args: { line } });
  for (;;) {
    const [answer] = await once(child, 'message');
    if (answer.id === id && !answer.started) return answer.value;
  }
}

const witness = await start();
await request(witness, 'open Lock');
const holder = await start();
const got = await request(holder, 'acquire Lock 1000');
const { pid } = holder;
if (process.argv[2] === 'without') {
  for (const name of readdirSync(directory)) {
    if (name.startsWith('bell.')) rmSync(path.join(directory, name));
  }
}
const gone = once(holder, 'exit');
holder.kill('SIGKILL');
await gone;
// The process that takes the pid starts at least one clock tick later, as it always does when a pid
// is used again.
await sleep(50);
writeFileSync('/proc/sys/kernel/ns_last_pid', String(pid - 1));
const other = spawn('sleep', ['1000']);
const told = await request(witness, 'acquire Lock 20000');
console.log('result', got, other.pid === pid, told);
process.exit();
