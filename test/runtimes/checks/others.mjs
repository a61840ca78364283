import { attach, ExistsError, list, Lock, NotFoundError, Queue, unlink } from 'holdfast';
import { places } from '../actors.mjs';
import { deepEqual, equal, freshName, ok, throws } from '../expect.mjs';

const listed = (name) => list().filter((entry) => entry.name === name);

export const others = {
  'names: two objects of one name are one': () => {
    const name = freshName();
    const [first, second] = [new Lock({ name }), new Lock({ name })];
    const guard = first.acquireSync();
    ok(second.locked());
    guard.release();
    throws(ExistsError, () => new Lock({ name, exclusive: true }));
    first.close();
    second.close();
    throws(NotFoundError, () => new Lock({ name, mustExist: true }));
  },

  'names: list() and unlink()': () => {
    const name = freshName();
    const queue = new Queue({ name, persistent: true });
    queue.putSync('kept');
    queue.close();
    deepEqual(
      listed(name).map(({ kind, persistent, inUse }) => [kind, persistent, inUse]),
      [['Queue', true, false]],
    );
    const again = new Queue({ name, mustExist: true });
    equal(again.getSync(), 'kept');
    again.close();
    unlink('Queue', name);
    equal(listed(name).length, 0);
  },

  'handles: an anonymous object travels as JSON': async () => {
    const queue = new Queue();
    for (const start of places) {
      const actor = start('putIntoHandle', queue.toJSON(), 'from far');
      equal(await queue.get(), 'from far');
      await actor.ended;
    }
    const same = attach(JSON.parse(JSON.stringify(queue)));
    same.putSync('from here');
    equal(queue.getSync(), 'from here');
    same.close();
    queue.close();
  },
};
