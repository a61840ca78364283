// INV-1: at most one live agent holds an object, wherever the two live and however they wait.
import assert from 'node:assert/strict';
import {
  Counter,
  acquire,
  allKinds,
  forEachCase,
  isFree,
  newActor,
  twoSlices,
  waiting,
} from '../support/index.js';

describe('mutual exclusion', () => {
  forEachCase(allKinds, (subject) => {
    it('tryAcquire() lets one in, and the next after release()', async () => {
      const { a, b } = await subject.open();
      const first = await a.tryAcquire();
      assert.ok(first, 'a free one can be had');
      assert.equal(await b.tryAcquire(), null);
      await first.release();
      const second = await b.tryAcquire();
      assert.ok(second);
      // Only an RLock lets its own holder in again.
      if (subject.kind !== 'RLock') assert.equal(await b.tryAcquire(), null);
      assert.equal(await a.tryAcquire(), null);
      await second.release();
      assert.ok(await isFree(a));
    });

    for (const form of subject.waits) {
      it(`acquire, ${form}, waits for as long as the other holds`, async () => {
        const { a, b } = await subject.open();
        const held = await a.acquire();
        const wait = acquire(b, form);
        await waiting(a);
        // Longer than the slices after which a waiter repairs what it believes lost (INV-3, INV-6).
        // Nothing has to be repaired here.
        await twoSlices();
        const { at: releasedAt } = await held.release();
        const hold = await wait;
        assert.ok(hold.at >= releasedAt, 'not before the release');
        assert.equal(hold.abandoned, false);
        await hold.release();
        assert.ok(await isFree(a));
      });
    }

    if (subject.kind !== 'Semaphore') {
      it('both sides see the holder', async () => {
        const { a, b, first } = await subject.open();
        assert.equal(await b.locked(), false);
        assert.equal((await b.inspect()).owner, null);
        const held = await a.acquire();
        for (const side of [a, b]) {
          assert.equal(await side.locked(), true);
          const { owner, locked, abandoned } = await side.inspect();
          assert.deepEqual({ locked, abandoned }, { locked: true, abandoned: false });
          assert.equal(owner?.pid, first.pid);
          assert.equal(owner?.threadId, first.threadId);
          assert.equal(typeof owner?.processName, 'string');
        }
        await held.release();
        assert.equal(await b.locked(), false);
      });
    }

    it('no update of a counter is lost', async () => {
      const { a, b, first, second } = await subject.open();
      const counter = new Counter();
      // Each side runs two tasks, one of them blocking where that does not block the other side.
      const jobs = [
        { actor: first, object: a, form: 'async' },
        { actor: second, object: b, form: 'async' },
      ];
      if (!subject.sameThread) {
        const third = await newActor('worker');
        const c = await third.open(subject.kind, { name: a.name });
        jobs.push({ actor: third, object: c, form: 'sync' });
      }
      const rounds = 400;
      // By thread, an RLock lets all tasks of a thread in, so each thread runs one task. With a
      // pause the holder gives its thread to other code while it is inside.
      const pause = 20;
      await Promise.all(
        jobs.map(({ actor, object, form }) =>
          actor.act('count', { object, form, rounds, file: counter.file, pause }),
        ),
      );
      assert.equal(counter.read(), rounds * jobs.length);
      assert.ok(await isFree(a));
    });
  });
});
