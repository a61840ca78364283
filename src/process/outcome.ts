// What the target of a Process returned or threw: how the child sends it, and what becomes of it in
// the parent.
import type { ChildProcess } from 'node:child_process';
import { constants } from 'node:os';
import { EncodeError, ProcessError } from '../errors.js';
import { type Thrown, flatten, messageOf, restore } from '../records/thrown.js';
import { pack, unpack } from './arguments.js';
import { type Result, countChannel } from './launch.js';

/** How a target ended. */
export type Outcome = { readonly value: unknown } | { readonly error: unknown };

// In the child

/**
 * Sends an outcome to the parent, and resolves when the parent has what it needs of this process,
 * or is gone.
 */
export async function sendOutcome(outcome: Outcome): Promise<void> {
  const isThrown = 'error' in outcome;
  let packed;
  try {
    packed = isThrown ? pack(flatten(outcome.error), 'error') : pack(outcome.value, 'result');
  } catch (error) {
    return send({ holdfast: 'result', refused: messageOf(error) });
  }
  const { payload, objects } = packed;
  const hasObjects = objects > 0;
  const taken = hasObjects ? heard() : undefined;
  await send({ holdfast: 'result', payload, hasObjects, isThrown });
  await taken;
  packed.release();
}

function send(result: Result): Promise<void> {
  if (!process.connected) return Promise.resolve();
  return new Promise((resolve) => {
    process.once('disconnect', resolve);
    process.send!(result, () => resolve());
  });
}

/** Resolves when the parent says that it has opened the objects. */
function heard(): Promise<void> {
  countChannel(process, true);
  return new Promise((resolve) => {
    process.once('disconnect', resolve);
    process.on('message', (message: { holdfast?: string } | null) => {
      if (message?.holdfast === 'taken') resolve();
    });
  });
}

// In the parent

/** Reads what the child sent, and opens the objects in it. `errors` are classes of the caller's. */
export function receiveOutcome(
  child: ChildProcess,
  result: Result,
  errors: readonly Function[],
): Outcome {
  const { payload, hasObjects, isThrown, refused } = result;
  if (refused !== undefined) return { error: new EncodeError(refused) };
  try {
    const value = unpack(payload!);
    return isThrown ? { error: restore(value as Thrown, errors) } : { value };
  } catch (error) {
    return { error };
  } finally {
    if (hasObjects) child.send({ holdfast: 'taken' }, () => {});
  }
}

/** The error for a child that ended and left no outcome. */
export function endedWithout(name: string, exitCode: number, what: string): ProcessError {
  const signal = signalName(exitCode);
  const how = signal === undefined ? `ended with exit code ${exitCode}` : `was ended by ${signal}`;
  return new ProcessError(`${name} ${how} ${what}`, { exitCode, signal });
}

/** The name of the signal that an exit code such as -9 stands for. */
export function signalName(exitCode: number): NodeJS.Signals | undefined {
  if (exitCode >= 0) return undefined;
  const entries = Object.entries(constants.signals) as [NodeJS.Signals, number][];
  return entries.find(([, number]) => number === -exitCode)?.[0];
}
