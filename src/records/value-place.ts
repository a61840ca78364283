// Where in a value its writer is, so that an error can say it.

/** The next part of an object: a property, an index; of a Map or Set, a method and its argument. */
export type Step = string | number | readonly [method: string, argument: unknown];

/** A path of objects, each inside the one before. */
export class Place {
  readonly #root: string;
  readonly #skipped: number;
  #depth = 0;
  readonly #steps: Step[] = [];

  /** `root` is the name of the place behind the first `skipped` steps, which are not shown. */
  constructor(root: string, skipped: number) {
    this.#root = root;
    this.#skipped = skipped;
  }

  /** Goes into an object. Returns how deep that is. */
  enter(): number {
    return ++this.#depth;
  }

  at(step: Step): void {
    this.#steps[this.#depth - 1] = step;
  }

  leave(): void {
    this.#depth--;
  }

  /** Back to the root. */
  reset(): void {
    this.#depth = 0;
  }

  show(): string {
    return this.#root + this.#steps.slice(this.#skipped, this.#depth).map(showStep).join('');
  }
}

function showStep(step: Step): string {
  if (typeof step === 'number') return `[${step}]`;
  if (typeof step === 'string') {
    return /^[\p{ID_Start}$_][\p{ID_Continue}$]*$/u.test(step)
      ? `.${step}`
      : `[${JSON.stringify(step)}]`;
  }
  const [method, argument] = step;
  if (method === 'values') return `.values[${String(argument)}]`;
  const shown =
    typeof argument === 'string'
      ? JSON.stringify(argument)
      : Object.prototype.toString.call(argument);
  return `.${method}(${shown})`;
}
