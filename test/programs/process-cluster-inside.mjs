// A Process that forks workers of a cluster: they run this program.
import cluster from 'node:cluster';
import { once } from 'node:events';
import { Process, currentProcess, parentProcess } from 'holdfast';

export async function primary() {
  const worker = cluster.fork();
  const [code] = await once(worker, 'exit');
  console.log(JSON.stringify(['primary', currentProcess().name, code]));
}

if (cluster.isWorker) {
  console.log(JSON.stringify(['worker', process.argv.slice(2), parentProcess()]));
  process.disconnect();
} else if (parentProcess() === null) {
  const child = new Process(primary).start();
  await child.join();
  console.log(JSON.stringify(child.exitCode));
}
