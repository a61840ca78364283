// Hostile or unlucky surroundings: other PID namespaces, a fork without exec, pids that are used
// again, a clock that is set.
import assert from 'node:assert/strict';
import { execFileSync, spawnSync } from 'node:child_process';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import {
  Program,
  lastingDirectory,
  platform,
  programFile,
  removeDirectories,
  temporaryDirectory,
} from '../support/index.js';
import { Neighbour, permitted, elsewhere, hasNamespaces } from './neighbours.js';

describe('surroundings', () => {
  describe('a foreign add-on that forks without exec', () => {
    let library: string;
    before(function () {
      if (process.platform !== 'linux') this.skip();
      library = path.join(lastingDirectory(), 'fork.so');
      execFileSync('cc', ['-shared', '-fPIC', '-o', library, programFile('fork.c')]);
    });
    after(() => {
      if (library) removeDirectories([path.dirname(library)]);
    });

    for (const how of ['killed', 'ended']) {
      it(`the parent is ${how}: others see it at once, although its child lives`, async () => {
        const directory = temporaryDirectory();
        const [parent, next] = [new Neighbour(directory), new Neighbour(directory)];
        const kinds = ['Lock', 'RLock', 'BoundedSemaphore'];
        for (const kind of kinds) assert.equal(await parent.ask(`acquire ${kind} 1000`), 'held');
        const child = Number(await parent.ask(`fork ${library} sleep`));
        try {
          const told = Promise.all(kinds.map((kind) => next.ask(`acquire ${kind} 20000`)));
          if (how === 'killed') await parent.kill();
          else await parent.leave();
          assert.deepEqual(await told, ['abandoned', 'abandoned', 'abandoned']);
          process.kill(child, 0); // it is there still
        } finally {
          process.kill(child, 'SIGKILL');
        }
      });
    }

    it('the exit() of the child is not that of the parent', async () => {
      const directory = temporaryDirectory();
      const [parent, other] = [new Neighbour(directory), new Neighbour(directory)];
      assert.equal(await parent.ask('acquire Lock 1000'), 'held');
      await parent.ask(`fork ${library} exit`); // which returns when the child has ended
      assert.equal(await other.ask('acquire Lock 200'), 'busy');
      const waiting = other.ask('acquire Lock 20000');
      await parent.ask('release Lock');
      assert.equal(await waiting, 'held', 'and not abandoned');
    });

    it('a program that is started has none of our descriptors', async () => {
      const parent = new Neighbour(temporaryDirectory());
      for (const kind of ['Lock', 'RLock', 'Queue']) await parent.ask(`open ${kind}`);
      assert.equal(await parent.ask('inherited'), '0');
    });
  });

  describe('another PID namespace', () => {
    for (const kind of ['Lock', 'RLock', 'BoundedSemaphore']) {
      it(`excludes as one: ${kind}; and a death over there is seen here`, async function () {
        if (!hasNamespaces) this.skip(); // needs root and unshare
        const directory = temporaryDirectory();
        // Two processes that both have pid 1, and one outside.
        const [a, b] = [new Neighbour(directory, elsewhere), new Neighbour(directory, elsewhere)];
        const here = new Neighbour(directory);
        assert.deepEqual([await a.pid(), await b.pid()], [1, 1]);
        await Promise.all([a, b, here].map((each) => each.ask(`open ${kind}`)));
        assert.equal(await a.ask(`acquire ${kind} 1000`), 'held');
        assert.equal(await b.ask(`acquire ${kind} 0`), 'busy');
        assert.equal(await here.ask(`acquire ${kind} 0`), 'busy');
        assert.equal(await b.ask(`acquire ${kind} 150`), 'busy');
        // A release inside is heard by a waiter outside, and the other way round.
        const waiting = b.ask(`acquire ${kind} 20000`);
        await a.ask(`release ${kind}`);
        assert.equal(await waiting, 'held');
        assert.equal(await here.ask(`acquire ${kind} 150`), 'busy');
        // So is a death: one process with pid 1 holds and dies, while the other one with pid 1
        // lives.
        const told = here.ask(`acquire ${kind} 20000`);
        await b.kill();
        assert.equal(await told, 'abandoned');
        assert.equal(await a.ask(`acquire ${kind} 0`), 'busy');
        await here.ask(`release ${kind}`);
        assert.equal(await a.ask(`acquire ${kind} 20000`), 'held');
      });
    }

    it('has the same items: Queue', async function () {
      if (!hasNamespaces) this.skip();
      const directory = temporaryDirectory();
      const [a, b] = [new Neighbour(directory, elsewhere), new Neighbour(directory, elsewhere)];
      await Promise.all([a, b].map((each) => each.ask('open Queue')));
      for (let item = 0; item < 20; item++) {
        const [from, to] = item % 2 ? [a, b] : [b, a];
        const got = to.ask('get Queue');
        assert.equal(await from.ask(`put Queue ${item}`), 'done');
        assert.equal(await got, String(item));
      }
      await a.kill();
      assert.equal(await b.ask('put Queue last'), 'done');
      assert.equal(await b.ask('get Queue'), 'last');
    });
  });

  // The doorbell of a dead process has no reader, even if another process has its pid now. If the
  // doorbell is gone, because somebody emptied the directory, the start time tells the two
  // processes apart.
  for (const hasDoorbell of [true, false]) {
    it(`a dead holder whose pid was used again is dead, ${hasDoorbell ? '' : 'even '}with${hasDoorbell ? '' : 'out'} its doorbell`, async function () {
      if (!hasNamespaces) this.skip();
      // The posix build does not know when a process started, so there the holder counts as alive.
      if (!hasDoorbell && platform !== 'linux') this.skip();
      const directory = temporaryDirectory();
      const file = programFile('pid-reuse.mjs');
      const [command, ...args] = [
        ...elsewhere,
        process.execPath,
        file,
        hasDoorbell ? 'with' : 'without',
      ];
      const inside = new Program(command!, { args, env: { HOLDFAST_DIR: directory } });
      assert.equal(await inside.line('result '), 'result held true abandoned');
    });
  }

  it('a clock that was set, or shows another time, changes no wait', async function () {
    if (!permitted('unshare', '--time', '--monotonic', '100000', 'true')) this.skip();
    const directory = temporaryDirectory();
    // Its monotonic clock is a day ahead of the others. No time is kept in what they share.
    const ahead = new Neighbour(directory, [
      'unshare',
      '--time',
      '--monotonic',
      '100000',
      '--fork',
      '--kill-child',
      '--',
    ]);
    const here = new Neighbour(directory);
    for (const kind of ['Lock', 'RLock', 'BoundedSemaphore']) {
      assert.equal(await ahead.ask(`acquire ${kind} 1000`), 'held');
      assert.equal(await here.ask(`acquire ${kind} 120`), 'busy');
      const waiting = here.ask(`acquire ${kind} 20000`);
      await ahead.ask(`release ${kind}`);
      assert.equal(await waiting, 'held');
      assert.equal(await ahead.ask(`acquire ${kind} 120`), 'busy');
    }
  });

  it('no wait asks for the time of day, so setting the clock has no effect', function () {
    if (process.platform !== 'linux' || spawnSync('nm', ['--version']).status !== 0) this.skip();
    const addon =
      process.env['HOLDFAST_NATIVE'] ||
      fileURLToPath(new URL('../../build/Release/holdfast.node', import.meta.url));
    const imports = execFileSync('nm', ['-D', '--undefined-only', addon], { encoding: 'utf8' });
    // Each of these calls takes a deadline by the wall clock. Those by the monotonic clock are
    // called ..._clockwait and ..._clocklock.
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
