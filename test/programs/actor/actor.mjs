// Runs a host in a process, with commands by IPC, or in a worker thread, with commands by its port.
//
//   actor.mjs [module]     the exports of that module are acts, too
import { isMainThread, parentPort } from 'node:worker_threads';
import { acts } from './acts.mjs';
import { Host, serve } from './host.mjs';

const [module] = process.argv.slice(2);
if (module) Object.assign(acts, await import(module));
const host = new Host();

if (isMainThread) {
  const post = (message) => {
    if (process.connected) process.send(message);
  };
  process.on('message', (command) => {
    // Without the channel nothing keeps the event loop alive, so the process ends by itself.
    if (command.do === 'leave') process.disconnect();
    else serve(host, post, command);
  });
  post({ ready: true });
} else {
  parentPort.on('message', (command) => {
    if (command.do === 'leave') parentPort.close();
    else serve(host, (message) => parentPort.postMessage(message), command);
  });
  parentPort.postMessage({ ready: true });
}
