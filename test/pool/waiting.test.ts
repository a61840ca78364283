// Pool: the list of tasks that wait, when most of them are aborted.
import assert from 'node:assert/strict';
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import { Waiting } from '../../lib/pool/task.js';

type Task = Parameters<Waiting['add']>[0];

describe('Pool: tasks that wait', () => {
  it('what was aborted is let go, and the others keep their order', () => {
    const waiting = new Waiting();
    const make = (i: number) => ({ i }) as unknown as Task;
    const refs: WeakRef<Task>[] = [];
    (() => {
      for (let i = 0; i < 20_000; i++) {
        const task = make(i);
        waiting.add(task);
        if (i % 5000 === 0) continue;
        refs.push(new WeakRef(task));
        waiting.forget(task);
      }
    })();
    return new Promise<void>((resolve) => setImmediate(resolve)).then(() => {
      setFlagsFromString('--expose-gc');
      (runInNewContext('gc') as () => void)();
      const left = refs.filter((ref) => ref.deref() !== undefined).length;
      assert.ok(left < 2000, `${left} of ${refs.length} are left`);
      assert.equal(waiting.length, 4);
      const taken = [1, 2, 3, 4].map(() => (waiting.take() as unknown as { i: number }).i);
      assert.deepEqual(taken, [0, 5000, 10_000, 15_000]);
      assert.equal(waiting.take(), undefined);
    });
  });
});
