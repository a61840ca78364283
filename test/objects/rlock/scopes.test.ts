// The scope of an RLock: its values, which objects must agree on it, how it travels.
import assert from 'node:assert/strict';
import { type RLockHandle, RLock, attach, list } from 'holdfast';
import { assertThrows, freshName, run, track } from '../../support/index.js';
import { open, openIn } from './tasks.js';

describe("RLock({ scope: 'async' })", () => {
  describe('scopes', () => {
    it('a wrong one is a TypeError before anything is touched', () => {
      const name = freshName();
      for (const scope of ['task', '', null, true, 1, {}]) {
        assert.throws(() => new RLock({ name, scope: scope as never }), TypeError);
      }
      assert.equal(
        list().some((entry) => entry.name === name),
        false,
      );
      assert.throws(() => attach({ holdfast: 'RLock', name, scope: 'task' } as never), TypeError);
      assert.throws(() => new RLock(null as never), TypeError);
    });

    it('the default is mixed', () => {
      const [lock, same] = [track(new RLock()), track(new RLock({ scope: 'mixed' }))];
      assert.deepEqual([lock.scope, same.scope], ['mixed', 'mixed']);
      assert.deepEqual(lock.toJSON(), { holdfast: 'RLock', name: lock.name });
      lock.acquireSync();
      lock.acquireSync();
      assert.equal(lock.depth(), 2);
      lock.release();
      lock.release();
    });

    for (const [first, second] of [
      ['thread', 'async'],
      ['async', 'thread'],
    ] as const) {
      it(`a thread that has it open with '${first}' cannot open it with '${second}'`, async () => {
        const name = freshName();
        const lock = track(new RLock({ name, scope: first }));
        const about = { kind: 'RLock', objectName: name };
        const open = () => new RLock({ name, scope: second });
        assertThrows(open, 'IncompatibleError', about);
        const guard = lock.acquireSync();
        assertThrows(open, 'IncompatibleError', about);
        assert.equal(lock.tryAcquire() === null, first === 'async');
        if (first === 'thread') lock.release();
        guard.release();
        // Another thread may choose another scope, and the two exclude each other.
        const worker = await openIn('worker', { name, scope: second });
        const theirs = await worker.acquire();
        assert.equal(lock.tryAcquire(), null);
        await theirs.release();
        const again = track(new RLock({ name, scope: first }));
        lock.close();
        assertThrows(open, 'IncompatibleError', about);
        again.close();
        track(open()).acquireSync().release();
      });
    }

    it('a handle contains it', async () => {
      const lock = open(freshName());
      assert.deepEqual(lock.toJSON(), { holdfast: 'RLock', name: lock.name, scope: 'async' });
      const text = JSON.stringify({ lock });
      const copy = track(attach((JSON.parse(text) as { lock: RLockHandle }).lock));
      assert.equal(copy.scope, 'async');
      using _ = await lock.acquire();
      assert.equal(copy.depth(), 1);
    });

    it('a thread that has it open by default can open it with no other scope', () => {
      const name = freshName();
      const lock = track(new RLock({ name }));
      for (const scope of ['thread', 'async'] as const) {
        assertThrows(() => new RLock({ name, scope }), 'IncompatibleError', { objectName: name });
        const other = track(new RLock({ scope }));
        assert.deepEqual(other.toJSON(), { holdfast: 'RLock', name: other.name, scope });
        assert.equal(track(attach(other.toJSON())).scope, scope);
      }
      const copy = track(attach(lock.toJSON()));
      assert.equal(copy.scope, 'mixed');
      copy.acquireSync();
      assert.equal(lock.depth(), 1);
      lock.release();
    });

    it('an RLock that is an argument of a Process keeps its scope', async () => {
      const { code, stderr, said } = await run('process-scope.mjs');
      assert.equal(stderr, '');
      assert.equal(code, 0);
      assert.deepEqual(said, [
        { where: 'child', scope: 'async', order: [1, 1, 2, 2] },
        { where: 'parent', exitCode: 0, depth: 1 },
      ]);
    });
  });
});
