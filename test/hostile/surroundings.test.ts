// Surroundings that are hostile or unlucky: other PID namespaces, a fork without exec, pids that come back,
// a clock that is set.
import assert from 'node:assert/strict';
import { execFileSync, spawnSync } from 'node:child_process';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import {
  Program,
  lastingDirectory,
  platform,
  removeDirectories,
  temporaryDirectory,
} from '../support/index.js';
import { kin, Kin, permitted, elsewhere, hasNamespaces } from './neighbours.js';

describe('surroundings', () => {
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
});
