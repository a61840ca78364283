// Looks, one after the other, as long as there is something to look for.
import { type Timer, clearTimeout, setTimeout } from '../../waiting/clock.js';

export class Looks {
  readonly #look: () => Promise<number>;
  readonly #isWanted: () => boolean;
  #timer: Timer | undefined;
  #isLooking = false;
  #isOver = false;

  /** `look` resolves to in how many milliseconds to look again, if it is wanted then. */
  constructor(look: () => Promise<number>, isWanted: () => boolean) {
    this.#look = look;
    this.#isWanted = isWanted;
  }

  get isOver(): boolean {
    return this.#isOver;
  }

  /** Looks in so many milliseconds, unless a look is to come, or goes on. */
  begin(ms: number): void {
    if (this.#timer !== undefined || this.#isLooking || this.#isOver) return;
    this.#timer = setTimeout(() => void this.#run(), ms);
    this.#timer.unref();
  }

  end(): void {
    this.#isOver = true;
    clearTimeout(this.#timer);
  }

  async #run(): Promise<void> {
    this.#timer = undefined;
    this.#isLooking = true;
    const next_ms = await this.#look();
    // Asked only now: who has begun to wait since the look ended has not begun another one.
    this.#isLooking = false;
    if (this.#isWanted()) this.begin(next_ms);
  }
}
