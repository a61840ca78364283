// Each worker thread is an agent of its own. Its end changes nothing for others.
import assert from 'node:assert/strict';
import {
  type Actor,
  type RemoteObject,
  acquire,
  allKinds,
  forms,
  freshName,
  isFree,
  newActor,
  newWorker,
  now,
  ownedKinds,
  sharedActor,
  until,
  waiting,
} from '../support/index.js';

describe('workers', () => {
  for (const kind of allKinds) {
    for (const form of forms) {
      it(`${kind}: terminate() while it waits, ${form}, takes the wait away`, async () => {
        const name = freshName(kind);
        const witness = await (await sharedActor('thread')).open(kind, { name });
        const held = await witness.acquire();
        const worker = await newWorker();
        const wait = acquire(await worker.open(kind, { name }), form);
        await waiting(witness);
        await worker.kill();
        await assert.rejects(wait, /ended/);
        assert.equal(await witness.waiters(), 0);
        await held.release();
        // The permit of a Semaphore is not lost either, because the worker did not have it.
        const again = await witness.tryAcquire();
        assert.equal(again?.abandoned, false);
        await again.release();
        assert.ok(await isFree(witness));
      });
    }

    // The worker is terminated at the moment at which the lock is handed to it. Then another thread
    // acquires the lock, whether the worker had it or not. A permit of a Semaphore may be lost, as
    // its documentation says.
    if (kind !== 'Semaphore') {
      it(`${kind}: terminate() at the moment of the hand-over`, async () => {
        const name = freshName(kind);
        const witness = await (await sharedActor('thread')).open(kind, { name });
        for (let round = 0; round < 8; round++) {
          const held = await witness.acquire();
          const worker = await newWorker();
          const wait = acquire(await worker.open(kind, { name }), forms[round % 2]!);
          await waiting(witness);
          const ending = worker.kill();
          const then = now() + round / 4;
          while (now() < then);
          await held.release();
          await ending;
          await wait.catch(() => {});
          const next = await witness.acquire();
          await next.release();
        }
        assert.ok(await isFree(witness));
      });
    }
  }

  for (const kind of ownedKinds) {
    it(`${kind}: the end of one changes nothing that others hold or wait for`, async () => {
      const [name, fought] = [freshName(kind), freshName(kind)];
      const witness = await (await sharedActor('process')).open(kind, { name });
      const [doomed, holder, waiter] = await Promise.all([newWorker(), newWorker(), newWorker()]);
      // The worker that will be killed has the same objects open. It holds some, and waits for
      // others.
      const theirs = await doomed.open(kind, { name });
      await (await doomed.open(kind, { name: fought })).acquire();
      const held = await (await holder.open(kind, { name })).acquire();
      const wait = (await waiter.open(kind, { name })).acquire();
      void theirs.acquire();
      await waiting(witness, 2);

      await doomed.kill();
      assert.equal(await witness.waiters(), 1);
      const { owner } = await witness.inspect();
      assert.deepEqual([owner?.pid, owner?.threadId], [process.pid, holder.threadId]);
      assert.equal(await witness.tryAcquire(), null);
      await held.release();
      const hold = await wait;
      assert.equal(hold.abandoned, false);
      await hold.release();
      // Later workers of this process are told of the lock that it held.
      const next = await (await newWorker()).open(kind, { name: fought });
      assert.equal((await next.acquire()).abandoned, true);
    });
  }

  it('process.exit() of the process ends with workers that hold, wait and block', async () => {
    const child = await newActor('process');
    const name = freshName();
    const held = freshName();
    const witness = await (await sharedActor('thread')).open('Lock', { name });
    const other = await (await sharedActor('thread')).open('RLock', { name: held });
    const hold = await witness.acquire();
    await child.act('startWorkers', {
      jobs: [
        { kind: 'Lock', name, form: 'sync' },
        { kind: 'Lock', name, form: 'async' },
        { kind: 'RLock', name: held, form: 'sync' },
      ],
    });
    await waiting(witness, 2);
    await until(() => other.locked(), 'the third has its lock');
    assert.deepEqual(await child.exit(7), { code: 7, signal: null });
    assert.equal(await witness.waiters(), 0);
    await hold.release();
    assert.ok(await isFree(witness));
    assert.equal((await other.tryAcquire())?.abandoned, true);
  });

  it('the addon in 16 workers at once, and again when they have ended, three times', async function () {
    this.timeout(60_000);
    const name = freshName();
    for (let round = 0; round < 3; round++) {
      const workers = await Promise.all(Array.from({ length: 16 }, () => newWorker()));
      const locks = await Promise.all(
        workers.map((it: Actor): Promise<RemoteObject> => it.open('Lock', { name })),
      );
      await Promise.all(
        locks.map(async (lock, i) => (await acquire(lock, forms[i % 2]!)).release()),
      );
      const { acquisitions, waiters } = await locks[0]!.inspect();
      assert.deepEqual([acquisitions, waiters], [16, 0]);
      // Half of them end by themselves, half are terminated, all at once.
      await Promise.all(workers.map((it, i) => (i % 2 ? it.kill() : it.leave())));
    }
    const left = (await (await sharedActor('thread')).list()).filter(
      (entry) => entry.name === name,
    );
    assert.deepEqual(left, []);
  });

  it('the end of a worker does not end the agent of the main thread', async () => {
    const name = freshName();
    const here = await (await sharedActor('thread')).open('Lock', { name });
    const held = await here.acquire();
    for (let round = 0; round < 5; round++) {
      const worker = await newWorker();
      const theirs = await worker.open('Lock', { name });
      assert.equal(await theirs.tryAcquire(), null);
      await (round % 2 ? worker.leave() : worker.exit());
      assert.equal(await here.locked(), true);
    }
    await held.release();
  });
});
