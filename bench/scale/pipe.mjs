// What a `write` to a pipe costs a Node program, if the reader is the event loop of another one
// that sleeps. It is the floor of waking an event loop from JavaScript: waiters.mjs does more.
import { execFileSync, fork } from 'node:child_process';
import { once } from 'node:events';
import { constants, openSync, writeSync } from 'node:fs';
import { Socket } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';
import { scratchPath } from '../scratch.mjs';

// As in waiters.mjs.
const RELEASES = 30;
const WARM_UP = 10;
const PAUSE_MS = 1;

const path = process.argv[2];
if (path === undefined) await write(scratchPath(`pipe-${process.pid}`));
else await read(path);

async function write(pipe) {
  execFileSync('mkfifo', [pipe]);
  const reader = fork(import.meta.filename, [pipe]);
  await once(reader, 'message');
  const end = openSync(pipe, constants.O_WRONLY | constants.O_NONBLOCK);
  const tag = Buffer.alloc(8, 1);
  const took = [];
  for (let i = 0; i < WARM_UP + RELEASES; i++) {
    const start = process.hrtime.bigint();
    writeSync(end, tag);
    took.push(Number(process.hrtime.bigint() - start));
    await sleep(PAUSE_MS);
  }
  reader.disconnect();
  console.log(JSON.stringify({ 'waiters-1': took.slice(WARM_UP) }));
}

async function read(pipe) {
  const socket = new Socket({ fd: openSync(pipe, constants.O_RDONLY | constants.O_NONBLOCK) });
  socket.resume();
  process.once('disconnect', () => process.exit());
  process.send('reading');
}
