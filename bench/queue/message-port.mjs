// A MessagePort to a worker thread: the same process, so a crash of either side ends both.

import { isMainThread, MessageChannel, parentPort, Worker, workerData } from 'node:worker_threads';
import { drive, follow, planOf, receiver } from './stream.mjs';

if (isMainThread) {
  const plan = planOf(process.argv.slice(2));
  const { port1: port, port2 } = new MessageChannel();
  const worker = new Worker(import.meta.filename, {
    workerData: { plan, port: port2 },
    transferList: [port2],
  });
  const player = {
    put(n, item) {
      for (let i = 0; i < n; i++) port.postMessage(item);
    },
    exchange(n, item) {
      let left = n;
      return new Promise((resolve) => {
        port.on('message', function next() {
          if (--left > 0) return port.postMessage(item);
          port.off('message', next);
          resolve();
        });
        port.postMessage(item);
      });
    },
    close: () => port.close(),
  };
  await drive(player, plan, [worker]);
} else {
  const { plan, port } = workerData;
  const each = plan.roundTrip ? (message) => port.postMessage(message) : undefined;
  const receive = receiver(port, each);
  const player = { take: receive, echo: receive, close: () => port.close() };
  await follow(player, plan, (message) => parentPort.postMessage(message));
}
