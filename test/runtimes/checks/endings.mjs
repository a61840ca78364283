// How programs end: what keeps them alive, and what they leave.
import { list, Lock } from 'holdfast';
import { eachActor, inProcess, inWorker, places, startProgram } from '../actors.mjs';
import { equal, freshName, ok } from '../expect.mjs';

export const endings = {
  'a program with open objects ends by itself': async () => {
    for await (const actor of eachActor('5 open', 'openAndEnd')) {
      equal(await actor.ended, 0);
    }
  },

  'a pending wait keeps a program alive until it is served': async () => {
    const name = freshName();
    const lock = new Lock({ name });
    for (const start of places) {
      const guard = lock.acquireSync();
      const waiter = start('acquireAsync', name);
      equal(await waiter.says(), 'waits');
      guard.release();
      equal(await waiter.says(), 'acquired, abandoned: false');
      equal(await waiter.ended, 0);
    }
    lock.close();
  },

  'workers come and go': async () => {
    for (let i = 0; i < 10; i++) {
      const workers = [inWorker('openAndEnd'), inWorker('hold', 'Lock', freshName())];
      equal(await workers[1].says(), 'held');
      await workers[1].kill();
      equal(await workers[0].ended, 0);
    }
  },

  'a program whose workers alone use it starts others afterwards, and ends': async () => {
    const program = startProgram('only-workers');
    for (let round = 0; round < 2; round++) equal(await program.says(), 'started: 0');
    equal(await program.ended, 0);
  },

  'killed programs leave nothing that the next one does not sweep': async () => {
    const name = freshName();
    const actor = inProcess('hold', 'Lock', name);
    equal(await actor.says(), 'held');
    ok(list().some((entry) => entry.name === name && entry.inUse));
    await actor.kill();
    const lock = new Lock();
    lock.close();
    ok(!list().some((entry) => entry.name === name && entry.inUse));
  },
};
