// How a circle of waits is shown to users.
import { type DeadlockedWait, label } from '../errors.js';
import { machineTime } from '../waiting/clock.js';
import { type Wait, circlesIn, pathFrom, youngestOf } from './circles.js';
import { hear } from './hear.js';
import type { Told } from './record.js';

/** The waits of a circle, one after the other, from `first` on. */
export function toCycle(first: Wait, circle: ReadonlySet<Wait>): DeadlockedWait[] {
  const at = machineTime();
  return pathFrom(first, circle).map((wait) => toShow(wait, circle, at));
}

/** The deadlocks that threads tell of now, each as the cycle of an error has it. */
export function deadlocksNow(): DeadlockedWait[][] {
  return circlesIn(hear().threads).map((circle) => {
    const [any] = circle;
    return toCycle(youngestOf(circle) ?? any!, circle);
  });
}

function toShow(wait: Wait, circle: ReadonlySet<Wait>, at: number): DeadlockedWait {
  const { thread, told, blockers } = wait;
  const { kind, name, lock, how } = told.need;
  const holders = new Set([...blockers].filter((one) => circle.has(one)).map((one) => one.thread));
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

function threadOf({ pid, threadId, processName }: Told): DeadlockedWait['heldBy'][number] {
  return { pid, threadId, processName };
}

export function toWords(cycle: readonly DeadlockedWait[]): string {
  const who = ({ pid, threadId, processName }: DeadlockedWait['heldBy'][number]) =>
    `${processName} (pid ${pid}${threadId === 0 ? '' : `, thread ${threadId}`})`;
  return cycle
    .map((wait) => {
      const what = wait.lock === undefined ? '' : ` of lock ${JSON.stringify(wait.lock)}`;
      const by = wait.heldBy.map(who).join(' and ');
      return `${who(wait)} waits for ${label(wait.kind, wait.name)}${what}, held by ${by}`;
    })
    .join('; ');
}
