// The wait of a thread for the end of a command that it has started (command.ts). It tells nothing
// before somebody tells of a wait inside of the command.
import { slice_ms } from '../native/enums.js';
import { addon } from '../native/load.js';
import { type Timer, clearTimeout, now, setTimeout } from '../waiting/clock.js';
import { commandKind, nameOf } from './command.js';
import { addWaits, lookForDeadlocks } from './detector.js';
import { hear } from './hear.js';
import { type LongWait, waitAcquired } from './told.js';

/** From one look to the next: most commands have no wait inside. */
const whileNobodyWaits_ms = 5 * slice_ms;

/**
 * This thread keeps all that it holds until its command has ended: the process with that pid, which
 * runs the program `name`. Returns what is to be called then.
 */
export function waitsForCommand(name: string, pid: number): () => void {
  const agent = addon.agentId();
  const begun = now();
  const waitFor = (resource: string, isCertain: boolean): LongWait => ({
    begun,
    isSync: isCertain, // then it pins all that the thread holds
    holdings: undefined,
    need: () => ({ resource, kind: commandKind, name, how: 'exclusive', mustGoOn: true }),
    fail: () => {},
  });
  const waits = [waitFor(nameOf(agent, pid), true), waitFor(nameOf(agent), false)];
  let told: readonly LongWait[] = [];
  addWaits('command', (begunBefore) => (begun <= begunBefore ? told : []));
  let timer: Timer;
  const look = () => {
    told = isWaitedInside(agent) ? waits : [];
    lookForDeadlocks();
    timer = setTimeout(look, told.length > 0 ? slice_ms : whileNobodyWaits_ms);
  };
  timer = setTimeout(look, whileNobodyWaits_ms);
  return () => {
    clearTimeout(timer);
    told = [];
    for (const wait of waits) waitAcquired(wait);
  };
}

/** Does another thread tell of a wait in the command of this one? */
function isWaitedInside(agent: string): boolean {
  for (const [other, text] of hear().texts) {
    if (other !== agent && text.includes(nameOf(agent))) return true;
  }
  return false;
}
