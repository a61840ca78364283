// A holder that ends, in whatever way, hands the lock on; whoever has it next is told, once.
import assert from 'node:assert/strict';
import {
  type Actor,
  type End,
  acquire,
  assertRejects,
  forms,
  freshName,
  isFree,
  newActor,
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

describe('abandonment', () => {
  for (const kind of ownedKinds) {
    for (const place of ['process', 'worker'] as const) {
      for (const { title, end, expected } of endings[place]) {
        describe(`${kind}, its holder a ${place} that ends by ${title}`, () => {
          for (const waiter of ['process', 'worker'] as const) {
            for (const form of forms) {
              it(`a ${waiter} that waits, ${form}, has it and is told`, async () => {
                const name = freshName(kind);
                const holder = await newActor(place);
                const waiting1 = await (await sharedActor(waiter)).open(kind, { name });
                const witness = await (await sharedActor('thread')).open(kind, { name });
                await (await holder.open(kind, { name })).acquire();
                const wait = acquire(waiting1, form);
                await waiting(witness);

                const ended = await end(holder);
                const hold = await wait;
                assert.deepEqual({ ...ended, ...expected }, ended);
                assert.equal(hold.abandoned, true);
                assert.equal(await witness.tryAcquire(), null, 'and has it alone');
                await hold.release();

                const next = await acquire(waiting1, form);
                assert.equal(next.abandoned, false, 'the news is told once');
                await next.release();
                const { abandonments } = await witness.inspect();
                assert.equal(abandonments, 1);
              });
            }
          }

          it('whoever comes later has it at once and is told', async () => {
            const name = freshName(kind);
            const holder = await newActor(place);
            const witness = await (await sharedActor('thread')).open(kind, { name });
            await (await holder.open(kind, { name })).acquire();
            await end(holder);

            const { locked, abandoned, owner } = await witness.inspect();
            assert.deepEqual([locked, abandoned, owner], [false, true, null]);
            assert.equal(await witness.locked(), false);
            const later = await (await sharedActor('process')).open(kind, { name });
            const hold = await later.tryAcquire();
            assert.equal(hold?.abandoned, true);
            assert.equal((await witness.inspect()).abandoned, false);
            await hold.release();
            assert.equal((await witness.tryAcquire())?.abandoned, false);
          });
        });
      }
    }

    it(`${kind}: release() of what a dead process held`, async () => {
      const name = freshName(kind);
      const holder = await newActor('process');
      const witness = await (await sharedActor('thread')).open(kind, { name });
      await (await holder.open(kind, { name })).acquire();
      await holder.kill();
      // Anybody may release a Lock, and has then looked after the data himself; an RLock only its own.
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
      // The ring finds the next one that lives (wait_set.h): no slice is needed for it.
      const hold = await wait;
      assert.ok(hold.at >= at && at <= now());
      assert.equal(hold.abandoned, false);
    });
  }
});
