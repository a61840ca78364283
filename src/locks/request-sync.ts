// One request of LockManager.requestSync(): from the call to the end of its callback.
import { type Acquisition, beginAcquisition } from '../channels.js';
import { wouldWaitForItself } from '../deadlocks/show.js';
import { requestStatus } from '../native/enums.js';
import { checkNoPromise } from '../options.js';
import { waitForSync } from '../waiting/blocking-wait.js';
import type { ReadRequest } from './arguments.js';
import { publish } from './channels.js';
import { fullError, stolenError } from './errors.js';
import { type Lock, makeLock, setStolen } from './lock.js';
import { type Answer, type Entry, type Table, corrupt } from './table.js';

/** requestSync() after its arguments were read. */
export function requestSync(table: Table, read: ReadRequest): unknown {
  publish('start', table.name, read);
  try {
    const result = run(table, read);
    publish('end', table.name, read);
    return result;
  } catch (error) {
    publish('end', table.name, read, { error });
    throw error;
  }
}

function run(table: Table, read: ReadRequest): unknown {
  const { name, mode, ifAvailable, steal, callback } = read;
  const acquisition = beginAcquisition(table, mode, true, name);
  let answer: Answer | undefined;
  let isStolen = false;
  let lock: Lock | undefined;
  const exclusive = mode === 'exclusive';
  const asked = { name, exclusive, ifAvailable, steal, looksForDeadlocks: false };
  const entry = table.ask(asked, (told) => {
    isStolen ||= told.status === requestStatus.stolen;
    if (isStolen && lock !== undefined) setStolen(lock);
    answer ??= told;
  });
  try {
    if (answer === undefined) acquisition?.waits();
    const { status, token, abandoned } = answered(table, entry, read, acquisition, () => answer);
    if (status === requestStatus.unavailable) {
      publish('miss', table.name, read);
      acquisition?.missed();
      return checkNoPromise('callback', callback(null));
    }
    lock = makeLock(name, mode, abandoned, token);
    publish('grant', table.name, read);
    acquisition?.acquired(abandoned);
    const result = checkNoPromise('callback', callback(lock));
    const ended = table.end(entry);
    if (ended === requestStatus.corrupt) throw corrupt(table);
    if (ended !== requestStatus.granted || isStolen) throw stolenError(name);
    return result;
  } finally {
    table.end(entry);
    if (lock !== undefined) acquisition?.released();
  }
}

/** Blocks until there is an answer. Throws if that is neither a lock nor that it is taken. */
function answered(
  table: Table,
  entry: Entry,
  read: ReadRequest,
  acquisition: Acquisition | undefined,
  heard: () => Answer | undefined,
): Answer {
  try {
    const answer = heard() ?? wait(table, entry, read, heard);
    if (answer.error !== undefined) throw answer.error;
    if (answer.status === requestStatus.full) throw fullError();
    if (answer.status === requestStatus.corrupt) throw corrupt(table);
    return answer;
  } catch (error) {
    acquisition?.failed(error, false);
    throw error;
  }
}

function wait(
  table: Table,
  entry: Entry,
  read: ReadRequest,
  heard: () => Answer | undefined,
): Answer {
  checkDeadlock(table, entry, read);
  const take = (ms: number): Answer | undefined => {
    table.wait(entry, ms);
    return heard();
  };
  const need = read.deadlock ? () => entry.needInLine() : undefined;
  return waitForSync(table, take, read.timeout, { need });
}

/**
 * A request of this thread cannot end while the thread is blocked: neither one that holds the lock,
 * nor one that waits in front of it.
 */
function checkDeadlock(table: Table, entry: Entry, { name, mode, timeout }: ReadRequest): void {
  if (timeout !== undefined) return;
  for (const other of table.requestsFor(name)) {
    if (other === entry) continue;
    // Two that share wait together, unless one holds: then what waits between them waits for it.
    const isInTheWay = other.isHeld || other.asked.exclusive || mode === 'exclusive';
    if (!isInTheWay) continue;
    const what = other.isHeld ? 'holds' : 'waits for';
    const why =
      `this thread ${what} ${JSON.stringify(name)} already, so ` +
      'this wait for it would never end';
    throw wouldWaitForItself({ kind: table.kind, name: table.name, lock: name, how: mode }, why);
  }
}
