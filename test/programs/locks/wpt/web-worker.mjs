// A worker thread that is to a script of the web-platform-tests of Web Locks what a dedicated
// worker is in a browser: its global object takes and sends messages.
import { parentPort } from 'node:worker_threads';
import { runScript, setGlobals } from './scope.mjs';

setGlobals({
  addEventListener: (type, listener) => parentPort.addEventListener(type, listener),
  postMessage: (message) => parentPort.postMessage(message),
});
runScript();
