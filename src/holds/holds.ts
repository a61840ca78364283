// Holds of one object, as a guard knows them.
import type { Acquisition, Subject } from '../channels.js';

/** Something whose holds end one by one. */
export interface Holds {
  releaseHold(hold: number): void;
  isRemoved(): boolean;
  /** Has one been ended without its guard, by release() of the object? */
  readonly isReleasedByName: boolean;
  /** What they are holds of. */
  readonly about: Subject;
  /** The tag of the object. */
  readonly tag: number;
}

/**
 * Tells somebody of the release. It stands between a guard and its holds only where somebody
 * listens, so that other guards have no field more and no question to ask.
 */
export class ToldHolds implements Holds {
  readonly #holds: Holds;

  constructor(
    holds: Holds,
    readonly acquisition: Acquisition,
  ) {
    this.#holds = holds;
  }

  releaseHold(hold: number): void {
    this.#holds.releaseHold(hold);
    this.acquisition.released();
  }

  isRemoved(): boolean {
    return this.#holds.isRemoved();
  }

  get isReleasedByName(): boolean {
    return this.#holds.isReleasedByName;
  }

  get about(): Subject {
    return this.#holds.about;
  }

  get tag(): number {
    return this.#holds.tag;
  }
}
