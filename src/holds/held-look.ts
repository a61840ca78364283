// A thread that holds something looks once a slice whether another program has removed the files of
// it, also if the thread does nothing else meanwhile. The process is warned then. With more than 16
// holds the addon looks at some of them each slice, by turns.
import { slice_ms } from '../native/enums.js';
import { addon } from '../native/load.js';
import { once } from '../native/once.js';
import { type Timer, clearInterval, setInterval } from '../waiting/clock.js';
import { dropSpareSentinels } from './lost.js';

const held = once('held', (): { timer: Timer | undefined } => ({ timer: undefined }));

/**
 * Something was acquired. The timer does not keep the process alive. It stops at the first slice at
 * whose end nothing is held, and not earlier: holds often follow each other closely.
 */
export function lookWhileHeld(): void {
  if (held.timer !== undefined) return;
  held.timer = setInterval(look, slice_ms);
  held.timer.unref();
}

function look(): void {
  if (addon.lookAtHeld()) return;
  clearInterval(held.timer);
  held.timer = undefined;
  dropSpareSentinels();
}
