// Prints what its event loop hears of the death of a lock's holder. No slice helps it: it waits for
// nothing, so it has no timer, and it looks at the lock only when it has heard something.
//   death-news.mjs <name of the RLock> <who polls: libuv, or a thread>
import { kinds } from '../../lib/native/enums.js';
import { addon } from '../../lib/native/load.js';
import { objectKey } from './object-key.mjs';

const [name, polls] = process.argv.slice(2);

function onWakeUps(tags) {
  if (!tags.includes(0)) return; // 0: somebody who is watched has died
  console.log('news');
  console.log(addon.RLock.tryAcquireOrRescue(lock) < 0 ? 'abandoned' : 'not to be had');
  clearInterval(running);
}

function makeError(code, kind, text, detail) {
  return new Error(`${code} ${text} ${detail}`);
}

addon.configure(process.env.HOLDFAST_DIR, 0, 'listener', polls === 'libuv', onWakeUps, makeError);
const fileKey = objectKey(name);
const lock = addon.open(kinds.RLock, name, fileKey, 0, 1, 0, 0, 0, 0, 0, '');
const running = setInterval(() => {}, 1000);
// Who enrols watches the holder.
addon.RLock.waiters.enrol(lock, -1, 1);
console.log('watching');
