// What a pending wait, and what an idle object, does to the life of a process. In each mode
// 'beforeExit' prints the last line, when the event loop has no work left.
import { writeSync } from 'node:fs';
import * as holdfast from 'holdfast';

// Synchronous, so that process.exit() loses nothing.
const say = (line) => writeSync(1, `${line}\n`);
const [mode, kind, name] = process.argv.slice(2);
const object =
  kind === 'Semaphore' ? new holdfast.Semaphore(1, { name }) : new holdfast[kind]({ name });
const release = (guard) => (guard ?? object).release();

process.on('beforeExit', () => say('nothing left'));

const modes = {
  /** An object that was used in all ways, and is open and idle. */
  async idle() {
    release(object.acquireSync());
    release(await object.acquire());
    say('idle');
  },
  async held() {
    globalThis.kept = await object.acquire();
    say('held');
  },
  async pending() {
    const wait = object.acquire();
    say('waiting');
    const guard = await wait;
    say('acquired');
    release(guard);
  },
  async timeout() {
    say('waiting');
    await object.acquire({ timeout: 300 }).catch((error) => say(error.name));
  },
  async abort() {
    const controller = new AbortController();
    const wait = object.acquire({ signal: controller.signal });
    say('waiting');
    setTimeout(() => controller.abort(), 100);
    await wait.catch((error) => say(error.name));
  },
  async close() {
    const wait = object.acquire();
    say('waiting');
    setTimeout(() => object.close(), 100);
    await wait.catch((error) => say(error.name));
  },
  async exit() {
    globalThis.kept = await object.acquire();
    say('held');
    process.exit(5);
  },
  async 'exit-while-waiting'() {
    object.acquire().catch(() => {});
    say('waiting');
    setImmediate(() => process.exit(5));
  },
  /** Releases in a handler that runs at the very end. */
  async 'release-at-exit'() {
    const guard = await object.acquire();
    process.on('exit', () => {
      release(guard);
      say('released');
    });
  },
  async 'exit-handler-acquires'() {
    process.on('exit', () => {
      globalThis.kept = object.acquireSync();
      say('acquired');
    });
  },
};
await modes[mode]();
