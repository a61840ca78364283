// The primary of a cluster that sends handles to its worker.
import cluster from 'node:cluster';
import { once } from 'node:events';

cluster.setupPrimary({
  exec: new URL('process-traveller.mjs', import.meta.url).pathname,
  args: ['message'],
});
const worker = cluster.fork();
await once(worker, 'message'); // it is ready
worker.send(JSON.parse(process.env.HANDLES));
const [code] = await once(worker, 'exit');
process.exitCode = code;
if (process.connected) process.disconnect();
