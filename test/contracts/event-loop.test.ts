// A pending wait keeps its process alive, as a timer would; an idle object does not.
import assert from 'node:assert/strict';
import {
  Program,
  allKinds,
  freshName,
  isFree,
  ownedKinds,
  sharedActor,
  twoSlices,
  waiting,
} from '../support/index.js';

const byItself = { code: 0, signal: null };

describe('event loop', () => {
  for (const kind of allKinds) {
    describe(kind, () => {
      it('an idle object does not keep a process alive', async () => {
        const program = new Program('event-loop.mjs', { args: ['idle', kind, freshName()] });
        assert.deepEqual(await program.end(), byItself);
        assert.deepEqual(program.lines, ['idle', 'nothing left']);
      });

      it('a pending wait keeps it alive until it ends', async () => {
        const name = freshName();
        const witness = await (await sharedActor('thread')).open(kind, { name });
        const held = await witness.acquire();
        const program = new Program('event-loop.mjs', { args: ['pending', kind, name] });
        await program.line('waiting');
        await waiting(witness);
        await twoSlices(); // enough time to end, if nothing kept it alive
        assert.deepEqual(program.lines, ['waiting']);
        await held.release();
        assert.deepEqual(await program.end(), byItself);
        assert.deepEqual(program.lines, ['waiting', 'acquired', 'nothing left']);
        assert.ok(await isFree(witness));
      });

      for (const [mode, name] of [
        ['timeout', 'TimeoutError'],
        ['abort', 'AbortError'],
        ['close', 'ClosedError'],
      ] as const) {
        it(`a wait that ended by ${mode} does not keep it alive`, async () => {
          const object = freshName();
          const witness = await (await sharedActor('thread')).open(kind, { name: object });
          await witness.acquire();
          const program = new Program('event-loop.mjs', { args: [mode, kind, object] });
          assert.deepEqual(await program.end(), byItself);
          assert.deepEqual(program.lines, ['waiting', name, 'nothing left']);
          assert.equal(await witness.waiters(), 0);
        });
      }

      it('process.exit() while it waits', async () => {
        const name = freshName();
        const witness = await (await sharedActor('thread')).open(kind, { name });
        const held = await witness.acquire();
        const program = new Program('event-loop.mjs', { args: ['exit-while-waiting', kind, name] });
        assert.deepEqual(await program.end(), { code: 5, signal: null });
        await held.release();
        assert.ok(await isFree(witness));
      });
    });
  }

  for (const kind of ownedKinds) {
    it(`${kind}: process.exit() while holding leaves it abandoned`, async () => {
      const name = freshName();
      const program = new Program('event-loop.mjs', { args: ['exit', kind, name] });
      assert.deepEqual(await program.end(), { code: 5, signal: null });
      const next = await (await sharedActor('thread')).open(kind, { name });
      assert.equal((await next.acquire()).abandoned, true);
    });

    it(`${kind}: a held lock does not keep a process alive, and is abandoned`, async () => {
      const name = freshName();
      const program = new Program('event-loop.mjs', { args: ['held', kind, name] });
      assert.deepEqual(await program.end(), byItself);
      assert.deepEqual(program.lines, ['held', 'nothing left']);
      const next = await (await sharedActor('thread')).open(kind, { name });
      assert.equal((await next.acquire()).abandoned, true);
    });

    it(`${kind}: a release in process.on('exit') frees the lock`, async () => {
      const name = freshName();
      const witness = await (await sharedActor('thread')).open(kind, { name });
      const program = new Program('event-loop.mjs', { args: ['release-at-exit', kind, name] });
      assert.deepEqual(await program.end(), byItself);
      assert.deepEqual(program.lines, ['nothing left', 'released']);
      assert.equal((await witness.acquire()).abandoned, false);
    });

    it(`${kind}: an acquisition in process.on('exit') is abandoned`, async () => {
      const name = freshName();
      const program = new Program('event-loop.mjs', {
        args: ['exit-handler-acquires', kind, name],
      });
      assert.deepEqual(await program.end(), byItself);
      assert.deepEqual(program.lines, ['nothing left', 'acquired']);
      const next = await (await sharedActor('thread')).open(kind, { name });
      assert.equal((await next.acquire()).abandoned, true);
    });
  }

  it('an acquisition that need not wait resolves in the same turn', async () => {
    const lock = await (await sharedActor('thread')).open('Lock', { name: freshName() });
    const order: string[] = [];
    setImmediate(() => order.push('next turn'));
    await lock.acquire();
    order.push('acquired');
    await new Promise((resolve) => setImmediate(resolve));
    assert.deepEqual(order, ['acquired', 'next turn']);
  });
});
