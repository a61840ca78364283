// One guard for several holds.
import { inspect } from 'node:util';
import { type Inspecting, inspectWithout, refusal, uncloneable } from '../uncloneable.js';
import type { Guard } from './guard.js';

const belongs = refusal(
  'a GuardGroup: it belongs to the thread that acquired it; pass the locks instead',
);

/** Several holds that were acquired together, and that end together. */
export interface GuardGroup extends Guard {
  /** The guard of each hold, in the order in which the caller named what to acquire. */
  readonly guards: readonly Guard[];
}

/** @internal */
export class HeldGroup implements GuardGroup {
  readonly guards: readonly Guard[];
  readonly abandoned: boolean;
  readonly [uncloneable] = belongs;
  /** In the order in which they were acquired. Empty after the release. */
  #held: readonly Guard[];

  constructor(guards: readonly Guard[], held = guards) {
    this.guards = guards;
    this.abandoned = guards.some((guard) => guard.abandoned);
    this.#held = held;
  }

  get compromised(): boolean {
    return this.#held.some((guard) => guard.compromised);
  }

  release(): void {
    const held = this.#held;
    if (held.length === 0) return;
    this.#held = [];
    releaseAll(held);
  }

  [Symbol.dispose](): void {
    this.release();
  }

  [inspect.custom](...how: Inspecting): string {
    return inspectWithout(this, ...how);
  }
}

/**
 * @internal Releases all of them, the last one first, even if some throw. Throws the first error
 * then.
 */
export function releaseAll(guards: readonly Guard[]): void {
  const errors: unknown[] = [];
  for (const guard of guards.toReversed()) {
    try {
      guard.release();
    } catch (error) {
      errors.push(error);
    }
  }
  if (errors.length > 0) throw errors[0];
}
