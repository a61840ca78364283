// A queue in a directory whose storage is full has to grow. For each way to put it prints the code
// of the error, and that of its cause. Started with the path of a file that fills the storage.
import { closeSync, openSync, rmSync, writeSync } from 'node:fs';
import { Pipe, Queue } from 'holdfast';

const filler = process.argv[2];
const queue = new Queue();
queue.putSync(Buffer.alloc(40_000));
const [near, far] = Pipe();
near.sendSync(Buffer.alloc(40_000));
const fd = openSync(filler, 'w');
try {
  for (;;) writeSync(fd, Buffer.alloc(4096));
} catch {
  closeSync(fd);
}

const item = Buffer.alloc(30_000);
const shortly = { timeout: 20 };
const attempts = {
  put: () => queue.put(item, shortly),
  putSync: () => queue.putSync(item, shortly),
  putMany: () => queue.putMany([item], shortly),
  putManySync: () => queue.putManySync([item], shortly),
  'put at once': () => queue.put(item, { timeout: 0 }),
  send: () => near.send(item, shortly),
  sendSync: () => near.sendSync(item, shortly),
  tryPut: () => queue.tryPut(item),
  'too large for the ring': () => queue.put(Buffer.alloc(100_000), shortly),
  get: () => queue.get().then(() => queue.get(shortly)),
};
for (const [how, attempt] of Object.entries(attempts)) {
  try {
    console.log(how, await attempt());
  } catch (error) {
    console.log(how, error.code, error.cause?.code ?? 'no cause');
  }
}
await queue.put(item);
near.close();
far.close();
rmSync(filler);
await queue.put(Buffer.alloc(100_000));
console.log(queue.size());
