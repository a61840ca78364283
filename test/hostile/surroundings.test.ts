// Surroundings that are hostile or unlucky: other users, other PID namespaces, pids that come back, a clock
// that is set, counters that wrap around.
import assert from 'node:assert/strict';
import { execFileSync, spawnSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import {
  chmodSync,
  chownSync,
  closeSync,
  existsSync,
  lchownSync,
  lstatSync,
  mkdirSync,
  openSync,
  readFileSync,
  readSync,
  readdirSync,
  rmSync,
  symlinkSync,
  writeFileSync,
  writeSync,
} from 'node:fs';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import {
  Barrier,
  BoundedSemaphore,
  Event,
  JoinableQueue,
  Lock,
  Queue,
  RLock,
  ReadWriteLock,
  TimeoutError,
} from 'holdfast';
import {
  Program,
  header,
  isRoot,
  joinable,
  lastingDirectory,
  freshName,
  newProcess,
  platform,
  privateMounts,
  registry,
  removeDirectories,
  temporaryDirectory,
  writeWord,
} from '../support/index.js';

const kin = fileURLToPath(new URL('../programs/kin.mjs', import.meta.url));

/** A process that is told what to do in lines: see programs/kin.mjs. */
class Kin {
  readonly program: Program;
  #asked = 0;
  constructor(directory: string | undefined, wrapper: string[] = []) {
    const [command, ...args] = [...wrapper, process.execPath, kin];
    this.program = new Program(command!, args, { HOLDFAST_DIR: directory });
  }
  /** Its pid, as it sees it. */
  async ready(): Promise<number> {
    return Number((await this.program.line('ready ')).split(' ')[1]);
  }
  async ask(command: string): Promise<string> {
    const start = `${++this.#asked}: `;
    this.program.write(`${command}\n`);
    return (await this.program.line(start)).slice(start.length);
  }
}

function permitted(command: string, ...args: string[]): boolean {
  return isRoot && process.platform === 'linux' && spawnSync(command, args).status === 0;
}
const [alice, bob] = [65533, 65534];
const as = (user: number) => [
  'setpriv',
  `--reuid=${user}`,
  `--regid=${user}`,
  '--clear-groups',
  '--',
];
// Its own pid is 1 in there, and it takes what it has started with it.
const elsewhere = ['unshare', '--pid', '--fork', '--kill-child', '--mount-proc', '--'];
const hasUsers =
  permitted('setpriv', ...as(bob).slice(1), process.execPath, '-e', '0') &&
  // The project itself may be where only root can read.
  permitted('setpriv', ...as(bob).slice(1), 'test', '-r', kin);

/** What Linux shows of the semaphore of a name: see semaphoreKey in src/objects.ts. */
function semaphoreName(user: number, directory: string, name: string): string {
  const parts = [String(user), directory, name].join('\0');
  return `hf-${createHash('sha256').update(parts).digest('hex').slice(0, 26)}`;
}
const strangersSemaphore = Buffer.alloc(32);
strangersSemaphore.writeUInt32LE(5); // glibc: its value
function plantSemaphore(file: string): void {
  writeFileSync(file, strangersSemaphore);
  chmodSync(file, 0o666);
}

const hasNamespaces = permitted('unshare', ...elsewhere.slice(1), 'true');

describe('surroundings', () => {
  describe('two users on one machine', () => {
    before(function () {
      if (!hasUsers) this.skip(); // needs root, setpriv, and a project that others can read
    });

    function directoryOf(user: number): string {
      const directory = temporaryDirectory();
      chownSync(directory, user, user);
      return directory;
    }

    it('neither can enter, list, unlink, write into or take away what is the other’s', async () => {
      const directory = directoryOf(alice);
      const ours = new Kin(directory, as(alice));
      assert.equal(await ours.ask('acquire Lock 1000'), 'held');
      const theirs = new Kin(directory, as(bob));
      for (const command of ['acquire Lock', 'open Queue', 'list']) {
        assert.match(await theirs.ask(command), /^PermissionError/);
      }
      const files = readdirSync(directory).map((name) => path.join(directory, name));
      assert.ok(files.length >= 3);
      const semaphore = `/dev/shm/sem.${semaphoreName(alice, directory, 'kin Lock')}`;
      assert.ok(existsSync(semaphore));
      for (const file of [...files, semaphore]) {
        assert.match(await theirs.ask(`spoil ${file}`), /^(EACCES|EPERM) (EACCES|EPERM)$/);
      }
      await ours.ask('release Lock');
      assert.equal(await ours.ask('acquire Lock 0'), 'held', 'nobody has spoilt it');
    });

    it('the same name is another object', async () => {
      const [mine, its] = [directoryOf(alice), directoryOf(bob)];
      const ours = new Kin(mine, as(alice));
      const theirs = new Kin(its, as(bob));
      assert.equal(await ours.ask('acquire Lock 1000'), 'held');
      assert.equal(await theirs.ask('acquire Lock 1000'), 'held');
      // Even root may not use what is somebody else's.
      const strayed = new Kin(its);
      assert.match(await strayed.ask('acquire Lock'), /^PermissionError.*belongs to another user/);
      // The end of one takes nothing from the other.
      await theirs.program.kill();
      assert.equal(await new Kin(mine, as(alice)).ask('acquire Lock 0'), 'busy');
    });

    // Semaphores are in one space for the whole machine. The name of one is told by the user, the directory
    // and the name, and all three can be guessed.
    const plants: [what: string, plant: (file: string) => void][] = [
      ['semaphore', plantSemaphore],
      ['file', (file) => writeFileSync(file, '')],
      ['directory', (file) => mkdirSync(file)],
      ['fifo', (file) => execFileSync('mkfifo', ['-m', '666', file])],
      ['link', (file) => symlinkSync('/dev/null', file)],
    ];

    it('what the other has planted under the name of a semaphore is stepped aside from', async () => {
      const directory = directoryOf(alice);
      const one = new Kin(directory, as(alice));
      const two = new Kin(directory, as(alice));
      for (const [what, plant] of plants) {
        const planted = `/dev/shm/sem.${semaphoreName(alice, directory, `kin Lock:${what}`)}`;
        plant(planted);
        lchownSync(planted, bob, bob);
        try {
          assert.equal(await one.ask(`acquire Lock:${what} 1000`), 'held', what);
          assert.equal(await two.ask(`acquire Lock:${what} 0`), 'busy');
          await one.ask(`release Lock:${what}`);
          assert.equal(await two.ask(`acquire Lock:${what} 1000`), 'held');
          const facts = lstatSync(planted);
          assert.equal(facts.uid, bob);
          if (what === 'semaphore') assert.ok(readFileSync(planted).equals(strangersSemaphore));
        } finally {
          rmSync(planted, { recursive: true, force: true });
        }
      }
    });

    it('nor is it used for a persistent object whose own is gone, as after a restart', async () => {
      const directory = directoryOf(alice);
      const name = `/dev/shm/sem.${semaphoreName(alice, directory, 'kin Semaphore')}`;
      const first = new Kin(directory, as(alice));
      assert.equal(await first.ask('value Semaphore'), '3');
      await first.program.kill();
      rmSync(name);
      plantSemaphore(name);
      lchownSync(name, bob, bob);
      try {
        const second = new Kin(directory, as(alice));
        assert.equal(await second.ask('value Semaphore'), '3');
        assert.equal(await second.ask('unlink Semaphore'), 'done');
        assert.ok(readFileSync(name).equals(strangersSemaphore));
      } finally {
        rmSync(name);
      }
    });

    const places: [title: string, plant: (place: string) => void, error: RegExp][] = [
      ['a directory of its own', (it) => mkdirSync(it, { mode: 0o700 }), /EACCES/],
      ['a directory that all may enter', (it) => (mkdirSync(it), chmodSync(it, 0o777)), /another/],
      ['a link to its own', (it) => symlinkSync(directoryOf(bob), it), /symbolic link/],
      ['a link to one of ours', (it) => symlinkSync(directoryOf(alice), it), /symbolic link/],
      ['a file', (it) => writeFileSync(it, ''), /not a directory/],
      ['a FIFO', (it) => execFileSync('mkfifo', ['-m', '666', it]), /not a directory/],
    ];
    for (const [title, plant, error] of places) {
      it(`the other has put ${title} in the default place: PermissionError`, async function () {
        if (platform !== 'linux') this.skip(); // elsewhere it is in the user's home
        const mounts = privateMounts();
        if (mounts === undefined) this.skip(); // needs a mount namespace
        const shm = temporaryDirectory();
        chmodSync(shm, 0o1777);
        const place = path.join(shm, `holdfast-${alice}`);
        plant(place);
        lchownSync(place, bob, bob);
        const ours = new Kin(undefined, [
          ...mounts(`mount --bind "${shm}" /dev/shm`),
          ...as(alice),
        ]);
        const answer = await ours.ask('acquire Lock');
        assert.match(answer, /^PermissionError/);
        assert.match(answer, error);
      });
    }
  });

  describe('a foreign add-on that forks without exec', () => {
    let library: string;
    before(function () {
      if (process.platform !== 'linux') this.skip();
      library = path.join(lastingDirectory(), 'fork.so');
      const source = fileURLToPath(new URL('../programs/fork.c', import.meta.url));
      execFileSync('cc', ['-shared', '-fPIC', '-o', library, source]);
    });
    after(() => {
      if (library) removeDirectories([path.dirname(library)]);
    });

    for (const how of ['killed', 'ended']) {
      it(`the parent is ${how}: that is seen at once, although its child lives`, async () => {
        const directory = temporaryDirectory();
        const [parent, heir] = [new Kin(directory), new Kin(directory)];
        const kinds = ['Lock', 'RLock', 'BoundedSemaphore'];
        for (const kind of kinds) assert.equal(await parent.ask(`acquire ${kind} 1000`), 'held');
        await parent.ask(`fork ${library} sleep`);
        const child = Number((await parent.program.line('forked ')).split(' ')[1]);
        try {
          const news = Promise.all(kinds.map((kind) => heir.ask(`acquire ${kind} 20000`)));
          if (how === 'killed') await parent.program.kill();
          else parent.program.closeInput();
          assert.deepEqual(await news, ['abandoned', 'abandoned', 'abandoned']);
          process.kill(child, 0); // it is there still
        } finally {
          process.kill(child, 'SIGKILL');
        }
      });
    }

    it('the exit() of the child is not that of the parent', async () => {
      const directory = temporaryDirectory();
      const [parent, other] = [new Kin(directory), new Kin(directory)];
      assert.equal(await parent.ask('acquire Lock 1000'), 'held');
      await parent.ask(`fork ${library} exit`); // which returns when the child has ended
      assert.equal(await other.ask('acquire Lock 200'), 'busy');
      const waiting = other.ask('acquire Lock 20000');
      await parent.ask('release Lock');
      assert.equal(await waiting, 'held', 'and not abandoned');
    });

    it('a program that is started has none of our descriptors', async () => {
      const parent = new Kin(temporaryDirectory());
      for (const kind of ['Lock', 'RLock', 'Queue']) await parent.ask(`open ${kind}`);
      assert.equal(await parent.ask('inherited'), '0');
    });
  });

  describe('another PID namespace', () => {
    for (const kind of ['Lock', 'RLock', 'BoundedSemaphore']) {
      it(`excludes as one: ${kind}; and a death over there is seen here`, async function () {
        if (!hasNamespaces) this.skip(); // needs root and unshare
        const directory = temporaryDirectory();
        // Two that both are pid 1, and one out here.
        const [a, b] = [new Kin(directory, elsewhere), new Kin(directory, elsewhere)];
        const here = new Kin(directory);
        assert.deepEqual([await a.ready(), await b.ready()], [1, 1]);
        await Promise.all([a, b, here].map((each) => each.ask(`open ${kind}`)));
        assert.equal(await a.ask(`acquire ${kind} 1000`), 'held');
        assert.equal(await b.ask(`acquire ${kind} 0`), 'busy');
        assert.equal(await here.ask(`acquire ${kind} 0`), 'busy');
        assert.equal(await b.ask(`acquire ${kind} 150`), 'busy');
        // A release over there is heard by who waits here, and the other way round.
        const waiting = b.ask(`acquire ${kind} 20000`);
        await a.ask(`release ${kind}`);
        assert.equal(await waiting, 'held');
        assert.equal(await here.ask(`acquire ${kind} 150`), 'busy');
        // So is a death: of the pid 1 that holds, while the other pid 1 lives.
        const heir = here.ask(`acquire ${kind} 20000`);
        await b.program.kill();
        assert.equal(await heir, 'abandoned');
        assert.equal(await a.ask(`acquire ${kind} 0`), 'busy');
        await here.ask(`release ${kind}`);
        assert.equal(await a.ask(`acquire ${kind} 20000`), 'held');
      });
    }

    it('has the same items: Queue', async function () {
      if (!hasNamespaces) this.skip();
      const directory = temporaryDirectory();
      const [a, b] = [new Kin(directory, elsewhere), new Kin(directory, elsewhere)];
      await Promise.all([a, b].map((each) => each.ask('open Queue')));
      for (let item = 0; item < 20; item++) {
        const [from, to] = item % 2 ? [a, b] : [b, a];
        const got = to.ask('get Queue');
        assert.equal(await from.ask(`put Queue ${item}`), 'done');
        assert.equal(await got, String(item));
      }
      await a.program.kill();
      assert.equal(await b.ask('put Queue last'), 'done');
      assert.equal(await b.ask('get Queue'), 'last');
    });
  });

  // A bell has no reader any more, whoever has the number now. And where the bell is gone (somebody has
  // emptied the directory), the start time tells one process of a number from the next.
  for (const bells of [true, false]) {
    it(`a dead holder whose pid was used again is dead, ${bells ? '' : 'even '}with${bells ? '' : 'out'} its bell`, async function () {
      if (!hasNamespaces) this.skip();
      // The build that stands in for macOS does not know when a process started: there it counts as alive.
      if (!bells && platform !== 'linux') this.skip();
      const directory = temporaryDirectory();
      // In a namespace of its own the next pid can be chosen. The one that takes it starts a clock tick or
      // more later, as a pid that comes back always does.
      const script = `
        const { spawn } = require('node:child_process');
        const { writeFileSync, readdirSync, rmSync } = require('node:fs');
        const say = (child, line) => new Promise((done) => {
          child.stdout.once('data', (text) => done(String(text).trim()));
          if (line) child.stdin.write(line + '\\n');
        });
        const start = () => spawn(process.execPath, [${JSON.stringify(kin)}], { stdio: ['pipe', 'pipe', 'inherit'] });
        (async () => {
          const witness = start();
          await say(witness);
          await say(witness, 'open Lock');
          const holder = start();
          await say(holder);
          const got = await say(holder, 'acquire Lock 1000');
          const { pid } = holder;
          if (${!bells}) {
            for (const name of readdirSync(process.env.HOLDFAST_DIR)) {
              if (name.startsWith('bell.')) rmSync(process.env.HOLDFAST_DIR + '/' + name);
            }
          }
          const gone = new Promise((done) => holder.once('exit', done));
          holder.kill('SIGKILL');
          await gone;
          await new Promise((done) => setTimeout(done, 50));
          writeFileSync('/proc/sys/kernel/ns_last_pid', String(pid - 1));
          const other = spawn('sleep', ['1000']);
          const heir = await say(witness, 'acquire Lock 20000');
          console.log('result', got, other.pid === pid, heir);
          process.exit();
        })();
      `;
      const [command, ...args] = [...elsewhere, process.execPath, '-e', script];
      const inside = new Program(command!, args, { HOLDFAST_DIR: directory });
      assert.equal(await inside.line('result '), 'result 1: held true 2: abandoned');
    });
  }

  it('a clock that is set, or stands elsewhere, changes no wait', async function () {
    if (!permitted('unshare', '--time', '--monotonic', '100000', 'true')) this.skip();
    const directory = temporaryDirectory();
    // Its monotonic clock is a day ahead of everybody else's. What is shared holds no time.
    const ahead = new Kin(directory, [
      'unshare',
      '--time',
      '--monotonic',
      '100000',
      '--fork',
      '--',
    ]);
    const here = new Kin(directory);
    for (const kind of ['Lock', 'RLock', 'BoundedSemaphore']) {
      assert.equal(await ahead.ask(`acquire ${kind} 1000`), 'held');
      assert.equal(await here.ask(`acquire ${kind} 120`), 'busy');
      const waiting = here.ask(`acquire ${kind} 20000`);
      await ahead.ask(`release ${kind}`);
      assert.equal(await waiting, 'held');
      assert.equal(await ahead.ask(`acquire ${kind} 120`), 'busy');
    }
  });

  it('no wait asks for the time of day: a clock that is set backwards or forwards is not seen', function () {
    if (process.platform !== 'linux' || spawnSync('nm', ['--version']).status !== 0) this.skip();
    const addon =
      process.env['HOLDFAST_NATIVE'] ||
      fileURLToPath(new URL('../../build/Release/holdfast.node', import.meta.url));
    const imports = execFileSync('nm', ['-D', '--undefined-only', addon], { encoding: 'utf8' });
    // Each takes a deadline by the wall clock; their monotonic sisters are called ..._clockwait, ..._clocklock.
    for (const wall of [
      'sem_timedwait',
      'pthread_mutex_timedlock',
      'pthread_cond_timedwait',
      'gettimeofday',
    ]) {
      assert.doesNotMatch(imports, new RegExp(`\\b${wall}\\b`));
    }
  });

  describe('counters that wrap around', () => {
    const body = header.length;
    const most = { offset: (1n << 40n) - 1n, items: (1n << 24n) - 1n };
    const position = (offset: bigint, items: bigint) => (items << 40n) | offset;

    for (const [title, offset, items] of [
      ['offsets', most.offset - 20n, 5n],
      ['counts of items', 8n, most.items - 10n],
      ['both', most.offset - 20n, most.items - 10n],
    ] as const) {
      for (const Kind of [Queue, JoinableQueue]) {
        it(`${Kind.name}: ${title}`, () => {
          const name = freshName('wrap');
          const queue = new Kind<string>({ name });
          for (const at of [body, body + 64]) writeWord(name, at, position(offset, items));
          if (queue instanceof JoinableQueue) writeWord(name, joinable.ready, offset);
          const wanted: string[] = [];
          for (let round = 0; round < 40; round++) {
            queue.putManySync([`a${round}`, `b${round}`.repeat(round)]);
            wanted.push(`a${round}`, `b${round}`.repeat(round));
            assert.equal(queue.size(), wanted.length);
            if (round % 4 === 3) {
              // A growth on the way, so that the ring is copied across the wrap, too.
              if (round === 19) {
                queue.putSync('x'.repeat(200_000));
                wanted.push('x'.repeat(200_000));
              }
              assert.deepEqual(queue.getManySync(5), wanted.splice(0, 5));
            }
          }
          while (wanted.length > 0) assert.equal(queue.getSync(), wanted.shift());
          assert.equal(queue.tryGet(), undefined);
          assert.equal(queue.inspect().bytes, 0);
          queue.close();
        });
      }
    }

    it('JoinableQueue: leases across the wrap', () => {
      const name = freshName('wrap');
      const queue = new JoinableQueue<number>({ name });
      for (const at of [body, body + 64]) {
        writeWord(name, at, position(most.offset - 30n, most.items - 10n));
      }
      writeWord(name, joinable.ready, most.offset - 30n);
      for (let n = 0; n < 30; n++) queue.putSync(n);
      const tasks = Array.from({ length: 30 }, () => queue.takeSync({ timeout: 1000 }));
      assert.deepEqual(
        tasks.map((task) => task.value),
        Array.from({ length: 30 }, (_, n) => n),
      );
      tasks[3]!.retry();
      for (const task of tasks.toReversed()) task.done();
      const again = queue.takeSync({ timeout: 1000 });
      assert.deepEqual([again.value, again.deliveries], [3, 2]);
      again.done();
      queue.joinSync({ timeout: 1000 });
      assert.equal(queue.inspect().bytes, 0);
      queue.close();
    });

    // A hold is known by its number, which JavaScript has to tell from the next one.
    for (const before of [2n ** 41n, 2n ** 42n, 2n ** 52n, 2n ** 53n, 2n ** 64n]) {
      it(`acquisitions, around ${before}`, async () => {
        const number = BigInt.asUintN(64, before - 3n);
        for (const [Kind, at] of [
          [Lock, body + 8],
          [RLock, body + 8],
        ] as const) {
          const name = freshName('wrap');
          const lock = new Kind({ name });
          writeWord(name, at, number);
          for (let round = 0; round < 8; round++) {
            const guard = lock.acquireSync({ timeout: 1000 });
            guard.release();
            assert.equal(lock.locked(), false);
            await lock.runExclusive(() => assert.equal(lock.locked(), true));
          }
          lock.close();
        }
        const bounded = new BoundedSemaphore(3, { name: freshName('wrap') });
        writeWord(bounded.name, body, number);
        for (let round = 0; round < 4; round++) {
          const guards = [1, 2, 3].map(() => bounded.acquireSync({ timeout: 1000 }));
          assert.equal(bounded.tryAcquire(), null);
          for (const guard of guards) guard.release();
          assert.equal(bounded.value(), 3);
        }
        bounded.close();
        const readWrite = new ReadWriteLock({ name: freshName('wrap') });
        writeWord(readWrite.name, body + 24, number);
        for (let round = 0; round < 4; round++) {
          const readers = [1, 2].map(() => readWrite.acquireSharedSync({ timeout: 1000 }));
          for (const guard of readers) guard.release();
          readWrite.acquireExclusiveSync({ timeout: 1000 }).release();
        }
        readWrite.close();
      });
    }

    it('Barrier: rounds', async () => {
      const barrier = new Barrier(2, { name: freshName('wrap') });
      writeWord(barrier.name, body, ((1n << 46n) - 3n) << 18n);
      for (let round = 0; round < 8; round++) {
        const all = await Promise.all([
          barrier.wait({ timeout: 5000 }),
          barrier.wait({ timeout: 5000 }),
        ]);
        assert.deepEqual(all, [0, 1]);
      }
      await assert.rejects(barrier.wait({ timeout: 10 }), TimeoutError);
      barrier.reset();
      assert.equal(barrier.broken(), false);
      barrier.close();
    });

    it('Event: how often it was set', async () => {
      for (const before of [2n ** 53n, 2n ** 64n]) {
        const event = new Event({ name: freshName('wrap') });
        writeWord(event.name, body, before - 6n);
        for (let round = 0; round < 6; round++) {
          const wait = event.wait({ timeout: 5000 });
          event.set();
          event.clear(); // a pulse is seen by who waits
          await wait;
          assert.equal(event.isSet(), false);
        }
        event.close();
      }
    });

    it('wait sets: where to look first', async () => {
      const name = freshName('wrap');
      const lock = new Lock({ name });
      const waiters = body + (platform === 'linux' ? 128 : 64);
      writeWord(name, waiters + 16, 0xfffffffe_fffffffen);
      for (let round = 0; round < 6; round++) {
        const guard = lock.acquireSync({ timeout: 1000 });
        const waits = [lock.acquire({ timeout: 5000 }), lock.acquire({ timeout: 5000 })];
        guard.release();
        for (const wait of waits) (await wait).release();
      }
      lock.close();
    });

    it('ids of agents and tags of objects', async () => {
      const directory = temporaryDirectory();
      const env = { HOLDFAST_DIR: directory };
      const first = await newProcess({ env });
      const lock = await first.open('Lock', { name: 'it' });
      const fd = openSync(path.join(directory, 'registry'), 'r+');
      const bytes = Buffer.alloc(8);
      bytes.writeBigUInt64LE((1n << 51n) - 7n); // each object takes four, each agent one
      writeSync(fd, bytes, 0, 8, header.length);
      const others = [];
      for (let i = 0; i < 4; i++) {
        const other = await newProcess({ env });
        const own = await other.open('Lock', { name: `own ${i}` });
        const theirs = await other.open('Lock', { name: 'it' });
        assert.ok(await own.tryAcquire());
        others.push(theirs);
      }
      readSync(fd, bytes, 0, 8, header.length);
      closeSync(fd);
      assert.ok(bytes.readBigUInt64LE() < 100n, 'it has begun again');
      let hold = await lock.acquire();
      for (const theirs of others) {
        const wait = theirs.acquire({ timeout: 20_000 });
        await wait.started;
        await hold.release();
        hold = await wait;
        assert.equal(hold.abandoned, false);
      }
      await others[3]!.actor.kill();
      assert.equal((await lock.acquire({ timeout: 20_000 })).abandoned, true);
      assert.equal(registry.slotLength, 64);
    });
  });
});
