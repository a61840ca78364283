// A wait of several steps, written once for both of its forms.

/** Something to wait for, in both forms. */
export interface Step<T> {
  /** Resolves when it is there. Does not block the event loop. */
  async(): Promise<T>;
  /** Returns when it is there. Blocks the thread. */
  sync(): T;
}

/** A wait: yields its steps one after the other, and returns its result. */
export type Steps<R> = Generator<Step<unknown>, R, unknown>;

/** Waits for one step, inside a generator of steps. */
export function* take<T>(step: Step<T>): Steps<T> {
  return (yield step) as T;
}

/** Awaits each step. A step that rejects throws inside the generator, where it was yielded. */
export async function run<R>(steps: Steps<R>): Promise<R> {
  let next = steps.next();
  while (!next.done) {
    let value: unknown;
    try {
      value = await next.value.async();
    } catch (error) {
      next = steps.throw(error);
      continue;
    }
    next = steps.next(value);
  }
  return next.value;
}

/** The same as run(), but blocks in each step. */
export function runSync<R>(steps: Steps<R>): R {
  let next = steps.next();
  while (!next.done) {
    let value: unknown;
    try {
      value = next.value.sync();
    } catch (error) {
      next = steps.throw(error);
      continue;
    }
    next = steps.next(value);
  }
  return next.value;
}
