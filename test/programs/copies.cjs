// Two copies of the package's JavaScript over one addon, as in a test runner that loads modules
// again. If a directory is the second argument, the second copy is the one in there. It has an
// addon of its own, like two versions in one tree of dependencies.
const timers = require('node:timers');

// There are no slices in here, so only a wake-up ends a wait.
const { setInterval } = timers;
timers.setInterval = () => setInterval(() => {}, 1000);

function load(from) {
  for (const file of Object.keys(require.cache)) {
    if (!file.endsWith('.node')) delete require.cache[file];
  }
  return require(from);
}

const [act, other = 'holdfast'] = process.argv.slice(2);
const one = load('holdfast');
const two = load(other);

exports.target = (lock) => {
  const { Lock } = require('holdfast');
  console.log(JSON.stringify(['target', lock instanceof Lock, lock.name]));
};

const thrown = (fn) => {
  try {
    return fn();
  } catch (error) {
    return error;
  }
};

const acts = {
  async wakeUps(a, b) {
    const mine = new a.Lock({ name: 'copies' });
    const theirs = new b.Lock({ name: 'copies' });
    const guard = await mine.acquire();
    const waits = [theirs.acquire(), mine.acquire(), theirs.acquire()];
    guard.release();
    const order = [];
    await Promise.all(
      waits.map(async (wait, index) => {
        const next = await wait;
        order.push(index);
        next.release();
      }),
    );
    mine.close();
    theirs.close();
    return order;
  },

  errors(a, b) {
    const error = thrown(() => new a.Lock({ name: 'nowhere', mustExist: true }));
    return [
      error instanceof a.NotFoundError,
      error instanceof b.NotFoundError,
      error instanceof b.HoldfastError,
      error instanceof b.ExistsError,
    ];
  },

  // A getter of an item puts another one. Over one addon all queues of the thread write into the
  // same memory.
  getters(a, b) {
    const mine = new a.Queue();
    const theirs = new b.Queue();
    const outcomes = ['a text', 1.5, { id: 2, x: 5 }, true].map((inner) => {
      const item = {
        id: 1,
        get x() {
          theirs.putSync(inner);
          return 7;
        },
      };
      const error = thrown(() => mine.putSync(item));
      const got = [mine.tryGet() ?? null, theirs.tryGet() ?? null];
      return [error instanceof a.EncodeError, ...got];
    });
    mine.putSync({ id: 3 });
    outcomes.push(mine.getSync());
    mine.close();
    theirs.close();
    return outcomes;
  },

  objects(a, b) {
    class Own extends b.Lock {}
    return closing(new a.Lock(), (lock) => [
      lock instanceof b.Lock,
      lock instanceof b.Queue,
      lock instanceof Own,
      Object.create(null) instanceof b.Lock,
    ]);
  },

  recursion(a, b) {
    const mine = new a.RLock({ name: 'copies' });
    const theirs = new b.RLock({ name: 'copies' });
    mine.acquireSync();
    theirs.acquireSync();
    const depths = [mine.depth(), theirs.depth()];
    theirs.release();
    mine.release();
    depths.push(mine.depth());
    mine.close();
    theirs.close();
    return depths;
  },

  async inside(a, b) {
    const mine = new a.RLock({ name: 'copies' });
    const theirs = new b.RLock({ name: 'copies' });
    const depth = await mine.runExclusive(() => theirs.runExclusive(() => theirs.depth()));
    mine.close();
    theirs.close();
    return depth;
  },

  async conditions(a, b) {
    const lock = new a.Lock();
    const condition = new b.Condition(lock);
    const notified = (async () => {
      await lock.acquire();
      await condition.wait();
      lock.release();
      return 'notified';
    })();
    await lock.runExclusive(() => condition.notify());
    const result = await notified;
    condition.close();
    lock.close();
    return result;
  },

  async arguments(a, b) {
    const lock = new a.Lock({ name: 'argument' });
    const refused = thrown(() =>
      new b.Process(exports.target, { args: [lock.acquireSync()] }).start(),
    );
    lock.release();
    const child = new b.Process(exports.target, { args: [lock] }).start();
    const listed = a.activeChildren().includes(child);
    await child.join();
    lock.close();
    return [refused.message, listed, child instanceof a.Process, child.exitCode];
  },

  methods(a, b) {
    a.setStartMethod('forkserver', { idle: 1 });
    const method = b.getStartMethod();
    b.setStartMethod('spawn');
    return [method, a.getStartMethod()];
  },
};

function closing(object, fn) {
  try {
    return fn(object);
  } finally {
    object.close();
  }
}

if (one.parentProcess() === null) {
  void (async () => {
    console.log(
      JSON.stringify([one.Lock === two.Lock, await acts[act](one, two), await acts[act](two, one)]),
    );
  })();
}
