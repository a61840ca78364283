// A worker thread that is to one file of the web-platform-tests of Web Locks what a page is in a
// browser. It defines the tests of the file. Then it runs the one whose index it gets as a message,
// and answers with the error, or null.
import { Worker, parentPort, workerData } from 'node:worker_threads';
import { harness, tests, watchUncaught } from './harness.mjs';
import { runScript, setGlobals } from './scope.mjs';

/** A worker as browsers have it. */
class WebWorker extends EventTarget {
  #thread;

  constructor(script) {
    super();
    const data = { ...workerData, script: new URL(script, globalThis.location).href };
    const file = new URL('web-worker.mjs', import.meta.url);
    this.#thread = new Worker(file, { workerData: data, execArgv: [] });
    this.#thread.on('message', (message) =>
      this.dispatchEvent(new MessageEvent('message', { data: message })),
    );
  }

  postMessage(message) {
    this.#thread.postMessage(message);
  }

  terminate() {
    void this.#thread.terminate();
  }
}

setGlobals({ ...harness, Worker: WebWorker });
runScript();
watchUncaught();

parentPort.on('message', async (index) => {
  let failure = null;
  try {
    await tests[index].run();
  } catch (error) {
    failure = error?.stack ?? String(error);
  }
  parentPort.postMessage(failure);
});
parentPort.postMessage(tests.map((one) => one.name));
