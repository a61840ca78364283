// Pending acquisitions of one thread are served in the order of their calls. Only the first of them
// competes with other threads and processes.
import assert from 'node:assert/strict';
import { Lock, Semaphore } from 'holdfast';
import {
  type Hold,
  type Kind,
  type RemoteObject,
  allKinds,
  freshName,
  isFree,
  newActor,
  sharedActor,
  track,
  waiting,
} from '../support/index.js';

const places = ['thread', 'worker', 'process'] as const;

describe('first in, first out within a thread', () => {
  for (const kind of allKinds) {
    for (const place of places) {
      describe(`${kind}, in a ${place}`, () => {
        it('waiters are served in the order of their calls', async () => {
          const { held, objects, witness } = await setUp(kind, place);
          const order: number[] = [];
          const waits = Array.from({ length: 30 }, (_, i) => objects[i % 2]!.acquire());
          const served = waits.map((wait, i) => serve(wait, () => order.push(i)));
          await Promise.all(waits.map((wait) => wait.started));
          await held.release();
          await Promise.all(served);
          assert.deepEqual(order, [...waits.keys()]);
          assert.ok(await isFree(witness));
        });

        it('waits that give up do not change the order of the others', async () => {
          const { held, objects, witness } = await setUp(kind, place);
          const order: number[] = [];
          const [goesByClose, stays] = objects;
          const waits = [
            stays.acquire({ signal: 'live' }), // the head
            stays.acquire(),
            goesByClose.acquire(),
            stays.acquire({ signal: 'live' }),
            stays.acquire({ timeout: 10 }),
            stays.acquire(),
            stays.acquire({ signal: 'live' }), // the tail
            stays.acquire(),
          ];
          const served = waits.map((wait, i) => serve(wait, () => order.push(i)));
          await Promise.all(waits.map((wait) => wait.started));
          await waits[0]!.abort();
          await waits[3]!.abort();
          await waits[6]!.abort();
          await goesByClose.close();
          await assert.rejects(waits[4]!, { name: 'TimeoutError' });
          await held.release();
          const outcomes = await Promise.allSettled(served);
          assert.deepEqual(order, [1, 5, 7]);
          assert.deepEqual(
            outcomes.flatMap(({ status }, i) => (status === 'rejected' ? [i] : [])),
            [0, 2, 3, 4, 6],
          );
          assert.ok(await isFree(witness));
        });

        it('a new wait queues behind them, even if the lock is free at that moment', async () => {
          const { held, objects, witness } = await setUp(kind, place);
          const order: string[] = [];
          const first = serve(objects[0].acquire(), () => order.push('first'));
          await waiting(witness);
          // The thread may or may not have read the doorbell for the first wait by then.
          const released = held.release();
          const second = serve(objects[1].acquire(), () => order.push('second'));
          await Promise.all([released, first, second]);
          assert.deepEqual(order, ['first', 'second']);
        });
      });
    }
  }

  it('a new wait in the turn of the release queues behind them, too', async () => {
    for (const object of [track(new Lock()), track(new Semaphore(1))]) {
      object.acquireSync();
      const order: number[] = [];
      const take = async (number: number) => {
        await object.acquire();
        order.push(number);
        object.release();
      };
      const waits = [take(1), take(2)];
      object.release();
      waits.push(take(3));
      // tryAcquire() may overtake, because it does not queue.
      const overtakes = object.tryAcquire();
      if (overtakes) order.push(0);
      if (overtakes) object.release();
      await Promise.all(waits);
      assert.deepEqual(order, [0, 1, 2, 3]);
    }
  });

  it('waits for different objects do not queue behind each other', async () => {
    const elsewhere = await sharedActor('worker');
    const names = [freshName('taken'), freshName('free')];
    const held = await (await elsewhere.open('Lock', { name: names[0]! })).acquire();
    const here = await sharedActor('thread');
    const taken = await here.open('Lock', { name: names[0]! });
    const free = await here.open('Lock', { name: names[1]! });
    const wait = taken.acquire();
    await wait.started;
    await (await free.acquire()).release();
    await held.release();
    await (await wait).release();
  });

  async function setUp(kind: Kind, place: (typeof places)[number]) {
    const name = freshName(kind);
    const witness = await (await newActor('worker')).open(kind, { name });
    const held = await witness.acquire();
    const actor = await sharedActor(place);
    const objects: [RemoteObject, RemoteObject] = [
      await actor.open(kind, { name }),
      await actor.open(kind, { name }),
    ];
    return { witness, held, objects };
  }

  function serve(wait: Promise<Hold>, served: () => void): Promise<void> {
    const done = (async () => {
      const hold = await wait;
      served();
      await hold.release();
    })();
    done.catch(() => {}); // a test looks later at one that gives up
    return done;
  }
});
