// BoundedSemaphore: the death of a holder. No permit is lost by it.
import assert from 'node:assert/strict';
import { ContenderReports } from '../../support/contenders.js';
import {
  Counter,
  assertRejects,
  forms,
  freshName,
  newProcess,
  newWorker,
  random,
} from '../../support/index.js';
import { kind, open, opened, takeAll, assertWhole } from './helpers.js';

describe('BoundedSemaphore', () => {
  it('deaths of holders that were the only users are told later, each exactly once', async () => {
    const name = freshName(kind);
    const victim = await newProcess();
    const theirs = await opened(victim, name, 4);
    for (let i = 0; i < 3; i++) await theirs.acquire();
    await victim.kill();
    // It is opened and closed in between, and keeps the unreported deaths.
    open(4, name).close();
    const semaphore = open(4, name);
    assert.equal(semaphore.value(), 4);
    const { guards, abandoned } = takeAll(semaphore);
    assert.deepEqual([guards.length, abandoned], [4, 3]);
    assert.equal(guards[0]!.abandoned, false, 'a permit that nobody held comes first');
    for (const guard of guards) guard.release();
    assertWhole(semaphore, 4);
  });

  it('a chain of holders that die', async () => {
    const name = freshName(kind);
    const semaphore = open(1, name);
    for (let link = 0; link < 4; link++) {
      const victim = link % 2 ? await newWorker() : await newProcess();
      assert.equal((await (await opened(victim, name, 1)).acquire()).abandoned, link > 0);
      await victim.kill();
    }
    using guard = semaphore.acquireSync();
    assert.equal(guard.abandoned, true);
    assert.equal(semaphore.inspect().abandonments, 4);
  });

  it('a stopped holder keeps its permit', async () => {
    const name = freshName(kind);
    const semaphore = open(1, name);
    const holder = await newProcess();
    const hold = await (await opened(holder, name, 1)).acquire();
    holder.signal('SIGSTOP');
    await assertRejects(semaphore.acquire({ timeout: 200 }), 'TimeoutError');
    assert.equal(semaphore.value(), 0);
    holder.signal('SIGCONT');
    await hold.release();
    assertWhole(semaphore, 1);
  });

  it('one permit is a mutex: no increment of an unprotected number is lost', async function () {
    this.timeout(60_000);
    const name = freshName(kind);
    const counter = new Counter();
    const rounds = 3000;
    const actors = await Promise.all([newProcess(), newProcess(), newWorker(), newWorker()]);
    const remotes = await Promise.all(actors.map((actor) => opened(actor, name, 1)));
    await Promise.all(
      actors.map((actor, i) =>
        actor.act(
          'count',
          { object: remotes[i]!, form: forms[i % 2], rounds, file: counter.file },
          55_000,
        ),
      ),
    );
    assert.equal(counter.read(), 4 * rounds);
  });

  it('contenders killed at random instants: never too many inside, and no permit is lost', async function () {
    this.timeout(60_000);
    const chance = random('permits under kills');
    const permits = 3;
    const kills = 8;
    const name = freshName(kind);
    const semaphore = open(permits, name);
    using reports = new ContenderReports(kind, name, permits, kills + 5);
    await reports.killAtRandom(chance, kills, () => semaphore.inspect().acquisitions);
    reports.assertSound();
    const told = reports.count('abandoned');
    const before = semaphore.inspect().abandonments;
    assert.ok(told <= before, `${told} told of ${before}`);
    const { guards, abandoned } = takeAll(semaphore);
    assert.equal(guards.length, permits);
    assert.equal(semaphore.inspect().abandonments, before + abandoned);
    for (const guard of guards) guard.release();
    assertWhole(semaphore, permits);
    console.log(
      `      ${kills} killed; ${semaphore.inspect().acquisitions} acquisitions, ${before + abandoned} permits of the dead`,
    );
  });
});
