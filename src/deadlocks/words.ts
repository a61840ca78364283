// How a circle of waits is shown to users: on one host, and in a cluster.
import { type DeadlockedWait, label } from '../errors.js';
import { machineTime } from '../waiting/clock.js';
import { type Wait, blockersOf, pathFrom } from './circles.js';
import type { Told } from './record.js';

/** The waits of a circle, one after the other, from `first` on. `at`: by the clock of the waits. */
export function toCycle(
  first: Wait,
  circle: ReadonlySet<Wait>,
  at = machineTime(),
): DeadlockedWait[] {
  return pathFrom(first, circle).map((wait) => toShow(wait, circle, at));
}

function toShow(wait: Wait, circle: ReadonlySet<Wait>, at: number): DeadlockedWait {
  const { thread, told } = wait;
  const { kind, name, lock, how } = told.need;
  const holders = new Set(
    [...blockersOf(wait)].filter((one) => circle.has(one)).map((one) => one.thread),
  );
  return {
    ...threadOf(thread),
    kind,
    name,
    ...(lock !== undefined && { lock }),
    how,
    waitedFor: Math.max(0, Math.round(at - told.since)),
    heldBy: [...holders].map(threadOf),
  };
}

type Thread = DeadlockedWait['heldBy'][number];

function threadOf({ pid, threadId, processName, host }: Pick<Told, keyof Thread>): Thread {
  return { pid, threadId, processName, ...(host !== undefined && { host }) };
}

export function toWords(cycle: readonly DeadlockedWait[]): string {
  const who = ({ pid, threadId, processName, host }: Thread) => {
    const where = host === undefined ? '' : ` on ${host}`;
    return `${processName} (pid ${pid}${where}${threadId === 0 ? '' : `, thread ${threadId}`})`;
  };
  return cycle
    .map((wait) => {
      const what = wait.lock === undefined ? '' : ` of lock ${JSON.stringify(wait.lock)}`;
      const by = wait.heldBy.map(who).join(' and ');
      return `${who(wait)} waits for ${label(wait.kind, wait.name)}${what}, held by ${by}`;
    })
    .join('; ');
}
