// The circles of which threads of this host tell.
import { DeadlockError, type DeadlockedWait, label } from '../errors.js';
import { thisThread } from '../identity.js';
import { type Wait, circlesIn, suspicionsIn, youngestOf } from './circles.js';
import { commandKind } from './command.js';
import { hear } from './hear.js';
import { resourceOf } from './pins.js';
import type { Need, Told } from './record.js';
import { takeBackEnded } from './told.js';
import { toCycle } from './words.js';

/** Of the waits of this thread only those that go on. Others are at most two slices late. */
function toldNow(): readonly Told[] {
  takeBackEnded();
  return hear().threads;
}

/** The deadlocks that threads tell of now, each as the cycle of an error has it. */
export function deadlocksNow(): DeadlockedWait[][] {
  return circlesIn(toldNow()).map((circle) => {
    const [any] = circle;
    return toCycle(youngestOf(circle) ?? any!, circle);
  });
}

/** The suspicions in which somebody waits for the object with that tag. Each begins with such. */
export function suspicionsOf(tag: number): DeadlockedWait[][] {
  const resource = resourceOf(tag);
  const isForIt = ({ told: { need } }: Wait) =>
    need.resource === resource || need.resource.startsWith(`${resource} `);
  return suspicionsIn(toldNow()).flatMap((circle) => {
    const first = [...circle].find(isForIt);
    return first === undefined ? [] : [toCycle(first, circle)];
  });
}

/**
 * The suspicions that lead through a command (command.ts). The states of the objects do not show
 * those.
 */
export function suspicionsThroughCommands(): DeadlockedWait[][] {
  const isForCommand = ({ told }: Wait) => told.need.kind === commandKind;
  return suspicionsIn(toldNow()).flatMap((circle) => {
    const waits = [...circle];
    const first = waits.find((wait) => !isForCommand(wait));
    return first !== undefined && waits.some(isForCommand) ? [toCycle(first, circle)] : [];
  });
}

/** The error of a wait that does not begin, because this thread would wait for itself. */
export function wouldWaitForItself(
  { kind, name, lock, how }: Pick<Need, 'kind' | 'name' | 'lock' | 'how'>,
  why: string,
): DeadlockError {
  const me = thisThread();
  const what = { kind, name, ...(lock !== undefined && { lock }), how };
  return new DeadlockError(`${label(kind, name)}: ${why}`, {
    kind,
    objectName: name,
    cycle: [{ ...me, ...what, waitedFor: 0, heldBy: [me] }],
  });
}
