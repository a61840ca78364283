// The arguments of a Process: clones, and objects of holdfast. The first argument of this program
// names the scenario.
import assert from 'node:assert/strict';
import { activeChildren, attach, Lock, Process, Queue, RLock, Semaphore } from 'holdfast';
import { refused, releases, runScenario, say, slowly } from './process-program.mjs';

export { releases, slowly };

export function facts() {}

export async function doubles(numbers, doubled) {
  for await (const number of numbers) await doubled.put(number * 2);
  doubled.end();
}

export async function holdsOn([_object], ready, go) {
  ready.release();
  await go.acquire();
}

export function verify(plain, nested, same) {
  assert.deepEqual(plain.date, new Date(5));
  assert.equal(plain.big, 2n ** 70n);
  assert.ok(Buffer.isBuffer(plain.buffer));
  assert.deepEqual(plain.floats, new Float64Array([1.5, NaN]));
  assert.ok(plain.error instanceof RangeError && plain.error.message === 'so');
  assert.ok(plain.regexp.test('AB'));
  assert.equal(plain.undefined, undefined);
  assert.ok('undefined' in plain);
  assert.ok(Object.is(plain.minusZero, -0));
  assert.equal(plain.sparse.length, 4);
  assert.ok(!(1 in plain.sparse) && plain.sparse[3] === 'x');
  assert.ok(Object.hasOwn(plain, '__proto__') && plain['__proto__'].value === 1);
  assert.deepEqual(plain.instance, { a: 1 });
  assert.equal(plain.self, plain);

  const { lock, rlock, semaphore } = nested.array[1];
  assert.ok(lock instanceof Lock && rlock instanceof RLock && semaphore instanceof Semaphore);
  assert.deepEqual([...nested.map.keys()], ['first', lock, 'last']);
  assert.equal(nested.map.get('first'), semaphore);
  assert.deepEqual([...nested.set], [1, lock, nested.map, 2]);
  assert.equal(nested.map.get('last'), nested);
  assert.equal(same, lock);
  assert.deepEqual(nested.fake, lock.toJSON()); // a handle arrives as a handle
  assert.equal(lock.tryAcquire(), null); // the parent has it
  assert.equal(semaphore.value(), 3);
  semaphore.release();
}

const scenarios = {
  async arguments() {
    const [lock, rlock, semaphore] = [new Lock(), new RLock(), new Semaphore(3)];
    const sparse = Object.assign([], { 0: 'a', 3: 'x' });
    class Instance {
      a = 1;
      #private = 2;
      get() {
        return this.#private;
      }
    }
    const plain = {
      date: new Date(5),
      big: 2n ** 70n,
      buffer: Buffer.from('bytes'),
      floats: new Float64Array([1.5, NaN]),
      error: new RangeError('so'),
      regexp: /ab/i,
      undefined: undefined,
      minusZero: -0,
      sparse,
      instance: new Instance(),
      ['__proto__']: { value: 1 },
    };
    plain.self = plain;
    const nested = { array: [null, { lock, rlock, semaphore }], fake: lock.toJSON() };
    nested.map = new Map();
    nested.map.set('first', semaphore).set(lock, 1).set('last', nested);
    nested.set = new Set([1, lock, nested.map, 2]);
    lock.acquireSync();
    const child = new Process(verify, { args: [plain, nested, lock] }).start();
    await child.join();
    say([child.exitCode, semaphore.value()]);
    lock.release();
    for (const object of [lock, rlock, semaphore]) object.close();
  },

  /** Only the arguments of the child keep the object in existence. */
  async closedAtOnce() {
    const [semaphore, ready, go] = [new Semaphore(0), new Semaphore(0), new Semaphore(0)];
    const handle = semaphore.toJSON();
    const child = new Process(holdsOn, { args: [[semaphore], ready, go] }).start();
    semaphore.close();
    await ready.acquire();
    attach(handle).close(); // it is still there, although this process has closed it
    go.release();
    await child.join();
    say([child.exitCode, await refused(() => attach(handle))]);
    ready.close();
    go.close();
  },

  /** The caller's close() is refused, because this thread holds the lock. */
  async closedWhileHeld() {
    const lock = new Lock();
    const guard = lock.acquireSync();
    const child = new Process(slowly, { args: [10, null, lock] }).start();
    // start() keeps the lock open for the child. close() is refused all the same.
    const [closing] = await refused(() => lock.close());
    guard.release();
    lock.close();
    await child.join();
    say([child.exitCode, closing]);
  },

  async queues() {
    const [numbers, doubled] = [new Queue(), new Queue()];
    const child = new Process(doubles, { args: [numbers, doubled] }).start();
    for (let i = 0; i < 100; i++) await numbers.put(i);
    numbers.end();
    let sum = 0;
    for await (const number of doubled) sum += number;
    await child.join();
    say([child.exitCode, sum]);
    numbers.close();
    doubled.close();
  },

  /** The child needs nothing from this thread once start() has returned. */
  async blocked() {
    const semaphore = new Semaphore(0);
    const child = new Process(releases, { args: [semaphore, 1] }).start();
    semaphore.acquireSync({ timeout: 20_000 });
    say('released');
    await child.join();
    semaphore.close();
  },

  async uncloneable() {
    const lock = new Lock();
    const guard = lock.acquireSync();
    const gone = new Semaphore(1);
    gone.close();
    const attempt = (...args) => refused(() => new Process(facts, { args }).start());
    const cyclic = { list: [] };
    cyclic.list.push(cyclic, { deep: new Map([['key', new Set([Symbol('s')])]]) });
    let deep = {};
    for (let i = 0; i < 5000; i++) deep = { deep };
    say({
      function: await attempt(1, { callback() {} }),
      symbol: await attempt(Symbol.iterator),
      array: await attempt([[], [() => {}]]),
      key: await attempt({ 'a b': facts }),
      cyclic: await attempt(cyclic),
      mapKey: await attempt(new Map([[() => {}, 1]])),
      promise: await attempt({ later: Promise.resolve() }),
      weak: await attempt([new WeakMap()]),
      weakRef: await attempt({ ref: new WeakRef({}) }),
      proxy: await attempt(new Proxy({}, {})),
      shared: await attempt({ memory: new Int32Array(new SharedArrayBuffer(8)).buffer }),
      guard: await attempt({ guard }),
      gone: await attempt({ semaphores: [gone] }),
      later: await attempt(lock, gone),
    });
    guard.release();
    lock.close();
    say(activeChildren().length);
  },
};

await runScenario(import.meta, scenarios);
