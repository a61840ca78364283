// A program with Processes. Its first argument is the scenario; what it says is JSON, a line each.
import assert from 'node:assert/strict';
import { once } from 'node:events';
import { realpathSync, writeSync } from 'node:fs';
import { setTimeout as sleep } from 'node:timers/promises';
import { Worker } from 'node:worker_threads';
import {
  activeChildren,
  attach,
  cpuCount,
  currentProcess,
  getStartMethod,
  Lock,
  parentProcess,
  Process,
  Queue,
  RLock,
  Semaphore,
  setStartMethod,
} from 'holdfast';

const isMain =
  process.argv[1] !== undefined && realpathSync(process.argv[1]) === import.meta.filename;

/** Synchronous, so that a kill does not take it back. */
const say = (value) => writeSync(1, `${JSON.stringify(value)}\n`);
const module = import.meta.url;

// ---- targets

export function facts() {
  const parent = parentProcess();
  say({
    ...currentProcess(),
    parent: parent && { name: parent.name, pid: parent.pid, alive: parent.alive() },
    argv: process.argv.slice(2),
    isMain,
    method: getStartMethod(),
  });
}

export async function family() {
  facts();
  const children = [new Process(facts), new Process(facts, { name: 'Anna' }), new Process(facts)];
  for (const child of children) await child.start().join();
}

export function holder(lock) {
  lock.acquireSync();
  say(lock.inspect().owner);
  lock.release();
}

export async function holderInWorker(lock) {
  const code = `
    import('holdfast').then(({ attach, currentProcess }) => {
      const lock = attach(require('node:worker_threads').workerData);
      lock.acquireSync();
      require('node:fs').writeSync(1, JSON.stringify([lock.inspect().owner, currentProcess()]) + '\\n');
      lock.release();
    });`;
  const worker = new Worker(code, { eval: true, workerData: lock.toJSON() });
  await new Promise((resolve) => worker.once('exit', resolve));
}

export function releases(semaphore, n = 1) {
  semaphore.release(n);
}

export async function doubles(numbers, doubled) {
  for await (const number of numbers) await doubled.put(number * 2);
  doubled.end();
}

export async function slowly(ms, text) {
  await sleep(ms);
  if (text) say(text);
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
  assert.deepEqual(nested.fake, lock.toJSON()); // a handle that was passed as such stays one
  assert.equal(lock.tryAcquire(), null); // the parent has it
  assert.equal(semaphore.value(), 3);
  semaphore.release();
}

export const endings = {
  returns() {},
  async strayHandles() {
    setInterval(() => {}, 1000);
    await sleep(10);
  },
  exitCode() {
    process.exitCode = 7;
  },
  exits() {
    process.exit(5);
  },
  throws() {
    throw new Error('thrown on purpose', { cause: new TypeError('the cause') });
  },
  async rejects() {
    await sleep(1);
    throw 'a string, on purpose';
  },
  never() {
    return new Promise(() => {});
  },
  async uncaught() {
    setTimeout(() => {
      throw new Error('uncaught on purpose');
    });
    await sleep(1000);
  },
  killsItself() {
    process.kill(process.pid, 'SIGKILL');
    return sleep(1000);
  },
};
export async function ends(how) {
  await endings[how]();
}

export function floods(bytes) {
  process.stdout.write('x'.repeat(bytes));
  process.stderr.write('y'.repeat(bytes));
}

export async function fertileDaemon() {
  try {
    new Process(facts).start();
  } catch (error) {
    say([error.code, error.message]);
  }
}

/** Ends before its children: one has to be waited for, one to be terminated. */
export function leavesChildren() {
  const slow = new Process(slowly, { args: [300, 'waited for'] }).start();
  const daemon = new Process(slowly, { args: [60_000], daemon: true }).start();
  say([slow.pid, daemon.pid]);
}

export function where() {
  say([process.cwd(), process.env.COLOUR ?? null, globalThis.preloaded ?? 0]);
}

function twice(fn) {
  return function wrapped(semaphore) {
    fn(semaphore);
    fn(semaphore);
  };
}
const inner = (semaphore) => semaphore.release();
export { inner as outer };
export const wrappedRelease = twice(inner);
function notExported() {}
/** The name of an export, but another function. */
const impostor = { facts() {} }.facts;

// ---- scenarios

async function refused(fn) {
  try {
    await fn();
    return 'accepted';
  } catch (error) {
    return [error.name, error.code ?? null, error.message];
  }
}

export const scenarios = {
  async facts() {
    const child = new Process(facts);
    const before = [child.name, child.pid ?? null, child.exitCode, child.alive()];
    child.start();
    const during = [child.alive(), child.exitCode, activeChildren().includes(child)];
    const joined = await child.join();
    say({ pid: process.pid, child: child.pid, before, during });
    say([joined, child.exitCode, child.alive(), activeChildren().length]);
    say([currentProcess(), parentProcess(), cpuCount() >= 1]);
  },

  async family() {
    await new Process(family).start().join();
    await new Process(facts).start().join();
  },

  async owner() {
    const lock = new Lock();
    lock.acquireSync();
    say(lock.inspect().owner);
    lock.release();
    await new Process(holder, { args: [lock], name: 'Büro' }).start().join();
    await new Process(holderInWorker, { args: [lock] }).start().join();
    lock.close();
  },

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

  /** Nothing but the child's arguments keeps the object. */
  async closedAtOnce() {
    const [semaphore, ready, go] = [new Semaphore(0), new Semaphore(0), new Semaphore(0)];
    const handle = semaphore.toJSON();
    const child = new Process(holdsOn, { args: [[semaphore], ready, go] }).start();
    semaphore.close();
    await ready.acquire();
    attach(handle).close(); // it is there, although we have let go of it
    go.release();
    await child.join();
    say([child.exitCode, await refused(() => attach(handle))]);
    ready.close();
    go.close();
  },

  /** A mistake that close() would refuse, were it not for the child that has yet to open the lock. */
  async closedWhileHeld() {
    const lock = new Lock();
    const guard = lock.acquireSync();
    const child = new Process(slowly, { args: [10, null, lock] }).start();
    // The handle that the start keeps open for the child does not make this one dispensable.
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

  async endings() {
    const names = Object.keys(endings);
    const children = names.map((how) => new Process(ends, { args: [how], name: how }).start());
    await Promise.all(children.map((child) => child.join()));
    say(Object.fromEntries(children.map((child) => [child.name, child.exitCode])));
  },

  async signals() {
    const killed = new Process(slowly, { args: [60_000] }).start();
    killed.kill();
    const terminated = new Process(slowly, { args: [60_000] }).start();
    terminated.terminate();
    say([await killed.join(), killed.exitCode, await terminated.join(), terminated.exitCode]);
    killed.kill(); // nothing happens
    terminated.terminate();
  },

  async join() {
    const child = new Process(slowly, { args: [60_000] });
    const early = [
      await refused(() => child.join()),
      await refused(() => child.terminate()),
      await refused(() => child.kill()),
    ];
    await child[Symbol.asyncDispose](); // was not started: nothing to wait for
    child.start();
    const start = performance.now();
    const timedOut = await child.join({ timeout: 200 });
    const waited = performance.now() - start;
    const reason = new Error('enough');
    const aborted = child
      .join({ signal: AbortSignal.abort(reason) })
      .catch((error) => error === reason);
    const abortedLater = refused(() => child.join({ signal: AbortSignal.timeout(20) }));
    say({
      early,
      timedOut,
      waited,
      zero: await child.join({ timeout: 0 }),
      aborted: await aborted,
      abortedLater: (await abortedLater)[0],
      wrong: [
        (await refused(() => child.join({ timeout: -1 })))[0],
        (await refused(() => child.join({ timeout: '1' })))[0],
        (await refused(() => child.join({ signal: 1 })))[0],
        (await refused(() => child.join(null)))[0],
      ],
      twice: await refused(() => child.start()),
    });
    const all = Promise.all([
      child.join(),
      child.join({ timeout: 20_000 }),
      child[Symbol.asyncDispose](),
    ]);
    child.kill();
    say([await all, await child.join({ timeout: 0 })].flat());
  },

  async unfit() {
    new Process(facts);
    await sleep(50); // evaluated by now, and so known
    const attempt = (target, options) => refused(() => new Process(target, options).start());
    say({
      anonymous: await attempt(() => {}),
      bound: await attempt(facts.bind(null)),
      native: await attempt(Math.max),
      notExported: await attempt(notExported),
      impostor: await attempt(impostor),
      class: await attempt(class Target {}),
      nothing: await attempt(undefined),
      noModule: await attempt({ module: '' }),
      noPackage: await attempt({ module: 'no-such-package-of-anybody' }),
      exportName: await attempt({ module, export: 1 }),
      args: await attempt(facts, { args: 1 }),
      name: await attempt(facts, { name: '' }),
      daemon: await attempt(facts, { daemon: 1 }),
      options: await attempt(facts, null),
    });
    say(activeChildren().length);
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

  /** Before the main module has been evaluated nobody can know what it exports. */
  async tooEarly() {
    const children = [notExported, impostor].map((fn) => new Process(fn).start());
    await Promise.all(children.map((child) => child.join()));
    say(children.map((child) => child.exitCode));
  },

  async names() {
    const semaphore = new Semaphore(0);
    const early = [inner, wrappedRelease].map((fn) => new Process(fn, { args: [semaphore] }));
    for (const child of early) child.start();
    for (const child of early) await child.join();
    say([early.map((child) => child.exitCode), semaphore.value()]);
    semaphore.close();
  },

  async namesLater() {
    await sleep(50);
    await scenarios.names();
  },

  async modules() {
    const targets = [
      { module, export: 'where' },
      { module: new URL(module), export: 'where' },
      { module: import.meta.filename, export: 'where' },
      { module: './process-main.mjs', export: 'where' },
      { module: './process-default.cjs' },
      { module: './process-default.cjs', export: 'hidden' },
      { module: 'node:fs', export: 'realpathSync' },
      { module: './process-no-such-file.mjs' },
      { module, export: 'noSuchExport' },
      { module: './process-broken.mjs' },
    ];
    const codes = [];
    for (const target of targets) {
      const child = new Process(target, { args: ['/'] }).start();
      await child.join();
      codes.push(child.exitCode);
    }
    say(codes);
  },

  async flood() {
    await new Process(floods, { args: [3_000_000] }).start().join();
  },

  async daemonChildren() {
    await new Process(fertileDaemon, { daemon: true }).start().join();
  },

  /** Ends at once: the daemon must not keep it, and must not outlive it. */
  daemonLeft() {
    say(new Process(slowly, { args: [60_000], daemon: true }).start().pid);
  },

  daemonAtExit() {
    say(new Process(slowly, { args: [60_000], daemon: true }).start().pid);
    process.exit(3);
  },

  async daemonJoined() {
    const child = new Process(slowly, { args: [200, 'done'], daemon: true }).start();
    say([child.daemon, await child.join(), child.exitCode]);
  },

  /** Waits for a child that nobody joins. */
  awaited() {
    new Process(slowly, { args: [300, 'done'] }).start();
  },

  /** For a SIGKILL from outside. */
  async killed() {
    const semaphore = new Semaphore(0);
    const options = { args: [semaphore] };
    new Process(staysOn, { ...options, daemon: true, name: 'daemon' }).start();
    new Process(staysOn, { ...options, name: 'child' }).start();
    new Process(blocks, { ...options, daemon: true }).start();
    await semaphore.acquire();
    await semaphore.acquire();
    await semaphore.acquire();
    say('ready');
    await sleep(60_000);
  },

  async grandchildren() {
    const child = new Process(leavesChildren).start();
    await child.join();
    say(child.exitCode);
  },

  async wherever() {
    // Idle children have been started with what was before.
    process.env.COLOUR = 'blue';
    delete process.env.HOME;
    process.chdir('/');
    await new Process(where).start().join();
  },

  async preload() {
    setStartMethod('forkserver', {
      preload: ['./process-preloaded.mjs', './process-no-such-file.mjs'],
      idle: 2,
    });
    for (let i = 0; i < 3; i++) await new Process(where).start().join();
  },

  /** More than there are idle ones. */
  async burst() {
    const semaphore = new Semaphore(0);
    const children = Array.from({ length: 12 }, () =>
      new Process(releases, { args: [semaphore] }).start(),
    );
    say(new Set(children.map((child) => child.pid)).size);
    await Promise.all(children.map((child) => child.join()));
    say([semaphore.value(), children.every((child) => child.exitCode === 0)]);
    semaphore.close();
  },

  /** Nothing started, so nothing that keeps it. */
  idleOnly() {
    say(getStartMethod());
  },

  async idleLonger() {
    await sleep(Number(process.argv[3]));
    say('idle');
    await sleep(60_000);
  },

  /** This program survives Ctrl-C, and so must those who wait. */
  async interrupted() {
    setStartMethod('forkserver', { preload: ['./process-preloaded.mjs'], idle: 1 });
    const alive = setInterval(() => {}, 1000); // which listening to a signal does not do
    await once(process, 'SIGINT');
    await sleep(500);
    clearInterval(alive);
    const child = new Process(where).start();
    await child.join();
    say(child.exitCode);
  },

  async startMethods() {
    const before = getStartMethod();
    const wrong = [
      await refused(() => setStartMethod('fork')),
      await refused(() => setStartMethod('thread')),
      await refused(() => setStartMethod('forkserver', { idle: 0 })),
      await refused(() => setStartMethod('forkserver', { idle: '1' })),
      await refused(() => setStartMethod('forkserver', { preload: 'x' })),
      await refused(() => setStartMethod('forkserver', { preload: ['no-such-package'] })),
      await refused(() => setStartMethod('forkserver', 1)),
    ];
    const unchanged = getStartMethod();
    setStartMethod('forkserver');
    setStartMethod('spawn');
    say([before, wrong, unchanged, getStartMethod()]);
  },

  /** From start() until the target runs. */
  async speed() {
    const semaphore = new Semaphore(0);
    const times = [];
    for (let i = 0; i < 9; i++) {
      // So that the next one has started.
      if (process.env.METHOD === 'forkserver') await sleep(400);
      const start = performance.now();
      const child = new Process(releases, { args: [semaphore] }).start();
      semaphore.acquireSync();
      times.push(performance.now() - start);
      await child.join();
    }
    semaphore.close();
    say(times.toSorted((a, b) => a - b)[times.length >> 1]);
  },
};

/** Hears nothing from its event loop any more. */
export function blocks(semaphore) {
  semaphore.release();
  new Semaphore(0).acquireSync();
}

export async function staysOn(semaphore) {
  const parent = parentProcess();
  semaphore.release();
  while (parent.alive()) await sleep(10);
  await sleep(currentProcess().daemon ? 60_000 : 300);
  say(`${currentProcess().name} survived`);
}

if (isMain) {
  if (process.env.METHOD === 'forkserver') setStartMethod('forkserver');
  const scenario = scenarios[process.argv[2]];
  // Some are about the time after the main module was evaluated.
  if (process.argv[3] === 'later') void scenario();
  else await scenario();
}
