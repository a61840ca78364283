// When a holder ends, the lock goes on to a waiter, however the holder ended. The next holder, and
// only that one, is told that it was abandoned.
import assert from 'node:assert/strict';
import {
  type End,
  type Actor,
  acquire,
  assertRejects,
  forms,
  freshName,
  isFree,
  newActor,
  newProcess,
  now,
  ownedKinds,
  sharedActor,
  waiting,
} from '../support/index.js';

interface Ending {
  title: string;
  end(actor: Actor): Promise<End>;
  expected: Partial<End>;
}

const endings: Record<'process' | 'worker', Ending[]> = {
  process: [
    { title: 'SIGKILL', end: (it) => it.kill(), expected: { signal: 'SIGKILL' } },
    { title: 'process.exit()', end: (it) => it.exit(3), expected: { code: 3 } },
    { title: 'an exception', end: (it) => it.crash(), expected: { code: 1 } },
    { title: 'the end of its event loop', end: (it) => it.leave(), expected: { code: 0 } },
  ],
  worker: [
    { title: 'terminate()', end: (it) => it.kill(), expected: { code: 1 } },
    { title: 'process.exit()', end: (it) => it.exit(3), expected: { code: 3 } },
    { title: 'an exception', end: (it) => it.crash(), expected: { code: 1 } },
    { title: 'the end of its event loop', end: (it) => it.leave(), expected: { code: 0 } },
  ],
};

/** Each waiter has an actor of its own, because some of them block. */
const waiters = (['process', 'worker'] as const).flatMap((where) =>
  forms.map((form) => ({ where, form })),
);

describe('abandonment', () => {
  for (const kind of ownedKinds) {
    for (const place of ['process', 'worker'] as const) {
      for (const { title, end, expected } of endings[place]) {
        // One death serves all waiters: the holder has a lock for each kind of waiter, and one more
        // that nobody waits for.
        it(`${kind}, its holder a ${place} that ends by ${title}`, async () => {
          const here = await sharedActor('thread');
          const holder = await newActor(place);
          const hold = async () => {
            const name = freshName(kind);
            const witness = await here.open(kind, { name });
            await (await holder.open(kind, { name })).acquire();
            return { name, witness };
          };
          const lines = await Promise.all(
            waiters.map(async ({ where, form }, i) => {
              const { name, witness } = await hold();
              const lock = await (await sharedActor(where, i)).open(kind, { name });
              const wait = acquire(lock, form);
              await waiting(witness);
              return { title: `a ${form} waiter in a ${where}`, form, witness, lock, wait };
            }),
          );
          const { witness: unwanted } = await hold();

          const ended = await end(holder);
          assert.deepEqual({ ...ended, ...expected }, ended);

          for (const { title, form, witness, lock, wait } of lines) {
            const held = await wait;
            assert.equal(held.abandoned, true, title);
            assert.equal(await witness.tryAcquire(), null, `${title} has it alone`);
            await held.release();
            const next = await acquire(lock, form);
            assert.equal(next.abandoned, false, `${title}: the death is told once`);
            await next.release();
            assert.equal((await witness.inspect()).abandonments, 1);
          }

          // A process that comes later acquires it at once.
          const { locked, abandoned, owner } = await unwanted.inspect();
          assert.deepEqual([locked, abandoned, owner], [false, true, null]);
          assert.equal(await unwanted.locked(), false);
          const later = await (await sharedActor('process')).attach(unwanted.handle!);
          const held = await later.tryAcquire();
          assert.equal(held?.abandoned, true);
          assert.equal((await unwanted.inspect()).abandoned, false);
          await held.release();
          assert.equal((await unwanted.tryAcquire())?.abandoned, false);
        });
      }
    }

    it(`${kind}: release() of what a dead process held`, async () => {
      const name = freshName(kind);
      const holder = await newActor('process');
      const witness = await (await sharedActor('thread')).open(kind, { name });
      await (await holder.open(kind, { name })).acquire();
      await holder.kill();
      // Any thread may release a Lock. The one that releases it after a death has seen to the data.
      // An RLock may only be released by its holder.
      if (kind === 'Lock') await witness.release();
      else await assertRejects(witness.release(), 'NotOwnerError');
      const hold = await witness.tryAcquire();
      assert.equal(hold?.abandoned, kind === 'RLock');
    });

    it(`${kind}: a chain of holders that all die`, async () => {
      const name = freshName(kind);
      const witness = await (await sharedActor('thread')).open(kind, { name });
      let previous: Actor | undefined;
      for (let link = 0; link < 5; link++) {
        const holder = await newActor('process');
        const remote = await holder.open(kind, { name });
        const wait = acquire(remote, link % 2 ? 'sync' : 'async');
        if (previous) await waiting(witness);
        await previous?.kill();
        assert.equal((await wait).abandoned, link > 0);
        previous = holder;
      }
      await previous!.kill();
      assert.equal((await witness.acquire()).abandoned, true);
      assert.equal((await witness.inspect()).abandonments, 5);
    });

    it(`${kind}: of several waiters one is told, and all are served`, async () => {
      const name = freshName(kind);
      const holder = await newActor('process');
      await (await holder.open(kind, { name })).acquire();
      const waiters = await Promise.all(
        [sharedActor('thread'), newActor('worker'), newActor('process'), newActor('process')].map(
          async (actor) => (await actor).open(kind, { name }),
        ),
      );
      const [witness] = waiters;
      const waits = waiters.map((waiter, i) => acquire(waiter, i === 3 ? 'sync' : 'async'));
      await waiting(witness!, waits.length);
      await holder.kill();
      const told = await Promise.all(
        waits.map(async (wait) => {
          const hold = await wait;
          await hold.release();
          return hold.abandoned;
        }),
      );
      assert.equal(told.filter(Boolean).length, 1);
      assert.ok(await isFree(witness!));
    });

    it(`${kind}: a stopped holder still holds`, async () => {
      const name = freshName(kind);
      const witness = await (await sharedActor('thread')).open(kind, { name });
      const holder = await newProcess();
      const lock = await holder.open(kind, { name });
      const held = await lock.acquire();
      holder.signal('SIGSTOP');
      // A lock is never taken from a live holder, however long it holds it.
      await assertRejects(witness.acquire({ timeout: 300 }), 'TimeoutError');
      assert.equal(await witness.locked(), true);
      const wait = witness.acquire();
      await wait.started;
      holder.signal('SIGCONT');
      await held.release();
      assert.equal((await wait).abandoned, false);
    });

    it(`${kind}: a waiter that dies is not waited for`, async () => {
      const name = freshName(kind);
      const witness = await (await sharedActor('thread')).open(kind, { name });
      const held = await witness.acquire();
      const victims = await Promise.all([newActor('process'), newActor('process')]);
      const [first, second] = await Promise.all(victims.map((it) => it.open(kind, { name })));
      await first!.acquire().started;
      void second!.acquireSync();
      await waiting(witness, 2);
      const survivor = await (await sharedActor('process')).open(kind, { name });
      const wait = survivor.acquire();
      await wait.started;
      await Promise.all(victims.map((it) => it.kill()));
      assert.equal(await witness.waiters(), 1, 'the dead do not count');
      const { at } = await held.release();
      // The release wakes the next live waiter (wait_set.h), so no waiter has to wait for a slice.
      const hold = await wait;
      assert.ok(hold.at >= at && at <= now());
      assert.equal(hold.abandoned, false);
    });
  }
});
