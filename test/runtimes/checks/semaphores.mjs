import { BoundedSemaphore, OverReleaseError, Semaphore, TimeoutError } from 'holdfast';
import { eachActor, eachHolder } from '../actors.mjs';
import { equal, freshName, rejects, throws } from '../expect.mjs';

export const semaphores = {
  'Semaphore counts': async () => {
    const semaphore = new Semaphore(2);
    semaphore.acquireSync();
    await semaphore.acquire();
    equal(semaphore.tryAcquire(), false);
    throws(TimeoutError, () => semaphore.acquireSync({ timeout: 5 }));
    semaphore.release(2);
    equal(semaphore.value(), 2);
    semaphore.close();
  },

  'Semaphore: others post, and an asynchronous and a blocking wait end': async () => {
    const name = freshName();
    const semaphore = new Semaphore(0, { name });
    for await (const actor of eachActor('ready', 'postSemaphore', name, 2)) {
      const wait = semaphore.acquire();
      actor.tell('post');
      await wait;
      semaphore.acquireSync();
      equal(semaphore.value(), 0);
    }
    semaphore.close();
  },

  'BoundedSemaphore has so many permits and no more': async () => {
    const semaphore = new BoundedSemaphore(2);
    const guards = [semaphore.acquireSync(), await semaphore.acquire()];
    equal(semaphore.tryAcquire(), null);
    await rejects(TimeoutError, semaphore.acquire({ timeout: 5 }));
    for (const guard of guards) guard.release();
    throws(OverReleaseError, () => semaphore.release());
    equal(await semaphore.withPermit(() => semaphore.value()), 1);
    semaphore.close();
  },

  'BoundedSemaphore: the permits of a killed holder come back': async () => {
    const name = freshName();
    const semaphore = new BoundedSemaphore(1, { name });
    for await (const holder of eachHolder('Permit', name)) {
      equal(semaphore.tryAcquire(), null);
      const wait = semaphore.acquire();
      await holder.kill();
      (await wait).release();
    }
    equal(semaphore.value(), 1);
    semaphore.close();
  },
};
