// Requests a lock in the way that is given, and prints what happens. Ends when nothing keeps it
// alive.
//
//   event-loop.mjs <mode> <namespace>
import { LockManager } from 'holdfast';

const [mode, namespace] = process.argv.slice(2);
const manager = new LockManager({ namespace });
const say = (text) => console.log(text);
const never = () => new Promise(() => {});
const fails = (promise) => promise.catch((error) => say(error.name));

const modes = {
  idle: () => {},
  used: () => manager.request('free', () => {}),
  held: () => void manager.request('free', never),
  acquired: () => manager.acquire('free'),
  pending: () => manager.request('it', () => say('granted')),
  timeout: () => fails(manager.request('it', { timeout: 1 }, never)),
  abort() {
    const controller = new AbortController();
    const request = fails(manager.request('it', { signal: controller.signal }, never));
    controller.abort();
    return request;
  },
  close() {
    const request = fails(manager.request('it', never));
    manager.close();
    return request;
  },
};

process.on('exit', () => say('nothing left'));
const done = modes[mode]();
say('waiting');
await done;
