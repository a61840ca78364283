// A host in a process of its own (commands by IPC) or in a worker thread (by its port).
import { isMainThread, parentPort } from 'node:worker_threads';
import { Host, serve } from './host.mjs';

const host = new Host();

if (isMainThread) {
  const post = (message) => {
    if (process.connected) process.send(message);
  };
  process.on('message', (command) => {
    // Leaving the channel is the end by itself: nothing keeps the event loop alive any more.
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
