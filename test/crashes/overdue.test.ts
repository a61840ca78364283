// A waiter that is overdue (docs/adr/0039-giving-way.md) and then is stopped or killed keeps nobody
// out: others give way to it for a bounded time.
import assert from 'node:assert/strict';
import { closeSync, openSync, readSync } from 'node:fs';
import { Lock, RLock } from 'holdfast';
import {
  freshName,
  newProcess,
  objectFile,
  overdueOfOwned,
  until,
  within,
} from '../support/index.js';

/** The word that names the overdue agent: 0 if there is none. */
function overdue(name: string): bigint {
  const bytes = Buffer.alloc(8);
  const fd = openSync(objectFile(name), 'r');
  readSync(fd, bytes, 0, 8, overdueOfOwned);
  closeSync(fd);
  return bytes.readBigUInt64LE();
}

/** A lock that this thread holds, and another process that waits for it and is overdue. */
async function withOverdueWaiter(Kind: typeof Lock | typeof RLock, method: string) {
  const lock = new Kind({ name: freshName('overdue') });
  const guard = lock.acquireSync();
  const actor = await newProcess();
  const remote = await actor.attach(lock.toJSON());
  const waiting = remote.begin(method);
  await until(() => overdue(lock.name) !== 0n, 'a waiter that is overdue');
  return { lock, guard, actor, waiting };
}

describe('an overdue waiter', () => {
  for (const Kind of [Lock, RLock]) {
    for (const method of ['acquire', 'acquireSync']) {
      it(`${Kind.name}: ${method}() is next, also before tryAcquire()`, async () => {
        const { lock, guard, actor, waiting } = await withOverdueWaiter(Kind, method);
        actor.signal('SIGSTOP'); // so that it cannot be faster
        guard.release();
        assert.equal(lock.tryAcquire(), null);
        actor.signal('SIGCONT');
        await (await within(waiting, 'the waiter')).release();
        assert.equal(overdue(lock.name), 0n);
        lock.acquireSync({ timeout: 1000 }).release();
        await actor.leave();
        lock.close();
      });

      it(`${Kind.name}: ${method}() stopped: the others go on, then it has it`, async () => {
        const { lock, guard, actor, waiting } = await withOverdueWaiter(Kind, method);
        actor.signal('SIGSTOP');
        guard.release();
        (await within(lock.acquire(), 'acquire() beside a stopped waiter')).release();
        assert.equal(overdue(lock.name), 0n);
        lock.acquireSync({ timeout: 1000 }).release();
        actor.signal('SIGCONT');
        await (await within(waiting, 'the waiter')).release();
        await actor.leave();
        lock.close();
      });

      it(`${Kind.name}: ${method}() killed: the others go on at once`, async () => {
        const { lock, guard, actor } = await withOverdueWaiter(Kind, method);
        await actor.kill();
        guard.release();
        const next = lock.tryAcquire();
        assert.notEqual(next, null);
        next!.release();
        assert.equal(overdue(lock.name), 0n);
        lock.close();
      });
    }

    it(`${Kind.name}: a wait that times out or is aborted is no longer next`, async () => {
      const lock = new Kind({ name: freshName('overdue') });
      const guard = lock.acquireSync();
      const actor = await newProcess();
      const remote = await actor.attach(lock.toJSON());
      for (const method of ['acquire', 'acquireSync']) {
        const waiting = remote.begin(method, { timeout: 300 });
        await assert.rejects(waiting, { name: 'TimeoutError' });
        assert.equal(overdue(lock.name), 0n);
      }
      const aborted = remote.begin('acquire', { signal: 'live' });
      await until(() => overdue(lock.name) !== 0n, 'a waiter that is overdue');
      await aborted.abort();
      await assert.rejects(aborted);
      assert.equal(overdue(lock.name), 0n);
      guard.release();
      await actor.leave();
      lock.close();
    });
  }
});
