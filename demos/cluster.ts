// fixed-queue once more, past one machine: two processes drain one queue that PostgreSQL keeps. The
// check and the take are one step under a lock, which PostgreSQL keeps, too. It starts a server of
// its own, with its data in a temporary folder. With LOCKS_URL it uses that one.
import { Process, connect, currentProcess, parentProcess } from 'holdfast';
import { PostgresServer, whyNoPostgres } from '../test/cluster/servers/postgres.mjs';
import { say } from './say.js';

export async function drain(url: string, namespace: string): Promise<void> {
  await using cluster = await connect(url, { namespace });
  const digits = cluster.queue<number>('digits');
  await cluster.queue('ready').put(process.pid);
  await (await cluster.queue('start').take()).done();
  let count = 0;
  const step = (): Promise<boolean> =>
    cluster.locks.request('digits', async () => {
      if ((await digits.count()).waiting === 0) return false;
      const task = await digits.take();
      say(`${task.value}`);
      count++;
      await task.done();
      return true;
    });
  while (await step());
  say(`child process ${currentProcess().name} processed ${count} items from the queue`);
}

async function main(url: string): Promise<void> {
  const namespace = `demo ${process.pid}`;
  await using cluster = await connect(url, { namespace });
  const values = Array.from({ length: 100 }, () => Math.floor(Math.random() * 10));
  await cluster.queue('digits').putMany(values);
  const children = [1, 2].map(() => new Process(drain, { args: [url, namespace] }).start());
  // So that both begin together.
  for (const _ of children) await (await cluster.queue('ready').take()).done();
  await cluster.queue('start').putMany([1, 2]);
  for (const child of children) await child.join();
}

if (parentProcess() === null) {
  const url = process.env['LOCKS_URL'];
  if (url !== undefined) {
    await main(url);
  } else if (whyNoPostgres !== undefined) {
    say(`this demo needs PostgreSQL, and ${whyNoPostgres}: apt-get install postgresql`);
  } else {
    const server = await new PostgresServer().start();
    try {
      await main(server.url);
    } finally {
      await server.remove();
    }
  }
}
