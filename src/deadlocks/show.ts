// How a circle of waits is shown to users.
import { isMainThread, threadId } from 'node:worker_threads';
import { DeadlockError, type DeadlockedWait, label } from '../errors.js';
import { processName } from '../identity.js';
import { machineTime } from '../waiting/clock.js';
import { type Wait, circlesIn, pathFrom, suspicionsIn, youngestOf } from './circles.js';
import { hear } from './hear.js';
import { resourceOf } from './pins.js';
import type { Need, Told } from './record.js';

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

/** The suspicions in which somebody waits for the object with that tag. Each begins with such. */
export function suspicionsOf(tag: number): DeadlockedWait[][] {
  const resource = resourceOf(tag);
  const isForIt = ({ told: { need } }: Wait) =>
    need.resource === resource || need.resource.startsWith(`${resource} `);
  return suspicionsIn(hear().threads).flatMap((circle) => {
    const first = [...circle].find(isForIt);
    return first === undefined ? [] : [toCycle(first, circle)];
  });
}

/** The error of a wait that does not begin, because this thread would wait for itself. */
export function wouldWaitForItself(
  { kind, name, lock, how }: Pick<Need, 'kind' | 'name' | 'lock' | 'how'>,
  why: string,
): DeadlockError {
  const me = threadOf({
    pid: process.pid,
    threadId: isMainThread ? 0 : threadId,
    processName: processName(),
  });
  const what = { kind, name, ...(lock !== undefined && { lock }), how };
  return new DeadlockError(`${label(kind, name)}: ${why}`, {
    kind,
    objectName: name,
    cycle: [{ ...me, ...what, waitedFor: 0, heldBy: [me] }],
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

type Thread = DeadlockedWait['heldBy'][number];

function threadOf(told: Pick<Told, keyof Thread>): Thread {
  return { pid: told.pid, threadId: told.threadId, processName: told.processName };
}

export function toWords(cycle: readonly DeadlockedWait[]): string {
  const who = ({ pid, threadId: thread, processName: process }: Thread) =>
    `${process} (pid ${pid}${thread === 0 ? '' : `, thread ${thread}`})`;
  return cycle
    .map((wait) => {
      const what = wait.lock === undefined ? '' : ` of lock ${JSON.stringify(wait.lock)}`;
      const by = wait.heldBy.map(who).join(' and ');
      return `${who(wait)} waits for ${label(wait.kind, wait.name)}${what}, held by ${by}`;
    })
    .join('; ');
}
