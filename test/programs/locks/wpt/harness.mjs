// How the web-platform-tests of Web Locks define a test, and how one runs. They expect these
// functions as globals: page.mjs puts them there.
import { asserts } from './asserts.mjs';

/** The tests of this page, in the order of the file. */
export const tests = [];

/** The test that runs, or ran last. */
let running;
let allowsUncaught = false;

/** From now on, a rejection that nobody handles and an error that nobody catches fail the test. */
export function watchUncaught() {
  for (const event of ['unhandledRejection', 'uncaughtException']) {
    process.on(event, (error) => {
      if (!allowsUncaught) running.fail(error);
    });
  }
}

/** What the body of a test gets. */
class Test {
  #cleanups = [];
  #isOver = false;
  #failed = new Promise((_, reject) => (this.fail = reject));

  constructor(name, body) {
    this.name = name;
    this.body = body;
    this.#failed.catch(() => {});
  }

  /** A function which, if it throws during the test, fails it. After the test it does nothing. */
  step_func(callback) {
    return (...args) => {
      if (this.#isOver) return undefined;
      try {
        return callback(...args);
      } catch (error) {
        this.fail(error);
        return undefined;
      }
    };
  }

  /** A function that fails the test. */
  unreached_func(description) {
    return this.step_func(() => asserts.assert_unreached(description));
  }

  step_timeout(callback, ms, ...args) {
    return setTimeout(this.step_func(callback), ms, ...args);
  }

  /** `callback` is called after the test. If it returns a promise, the next test waits for it. */
  add_cleanup(callback) {
    this.#cleanups.push(callback);
  }

  /** Resolves when the test has passed. Rejects when it has failed. */
  async run() {
    running = this;
    try {
      await Promise.race([this.body(this), this.#failed]);
    } finally {
      this.#isOver = true;
      await Promise.all(this.#cleanups.map((cleanup) => cleanup()));
    }
    // In the next turn of the event loop Node has reported every rejection that nobody handled.
    const turn = new Promise((resolve) => setImmediate(resolve));
    await Promise.race([turn, this.#failed]);
  }
}

function promise_test(body, name) {
  const returning = (test) => {
    const promise = body(test);
    asserts.assert_equals(typeof promise?.then, 'function', 'the body returns a promise');
    return promise;
  };
  tests.push(new Test(name, returning));
}

function test(body, name) {
  tests.push(new Test(name, body));
}

function setup({ allow_uncaught_exception = false }) {
  allowsUncaught = allow_uncaught_exception;
}

export const harness = { ...asserts, promise_test, setup, test };
