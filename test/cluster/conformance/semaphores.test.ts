// The semaphores of every engine.
import assert from 'node:assert/strict';
import { stateOf, within } from '../../support/index.js';
import { rejection } from '../hold.js';
import { forEachSubject, open, openBeside } from '../subjects.js';

forEachSubject('semaphores', (subject) => {
  it('so many have a permit, and the next waits', async () => {
    const a = await open(subject);
    const b = await openBeside(subject, a);
    const ours = a.semaphore('it', 2);
    const theirs = b.semaphore('it', 2);
    const first = await ours.acquire();
    const second = await theirs.acquire();
    assert.ok(second.token > first.token);
    assert.equal(await theirs.tryAcquire(), null);
    const third = theirs.acquire();
    assert.equal(await stateOf(third), 'pending');
    first.check();
    await first.release();
    await first.release();
    const permit = await within(third, 'the third');
    assert.ok(permit.token > second.token);
    await second.release();
    await permit.release();
    await using again = (await ours.tryAcquire())!;
    again.check();
  });

  it('an abort and a timeout end the wait', async () => {
    const a = await open(subject);
    const semaphore = a.semaphore('it', 1);
    const permit = await semaphore.acquire();
    const controller = new AbortController();
    const aborted = semaphore.acquire({ signal: controller.signal });
    controller.abort(new Error('enough'));
    assert.equal(((await rejection(aborted)) as Error).message, 'enough');
    const late = semaphore.acquire({ timeout: 30 });
    assert.equal(((await rejection(late)) as Error).name, 'TimeoutError');
    await permit.release();
    await (await semaphore.acquire()).release();
  });

  it('a permit is not a lock of the same name, and another name is another semaphore', async () => {
    const a = await open(subject);
    await using lock = await a.locks.acquire('it');
    await using permit = await a.semaphore('it', 1).acquire();
    await using other = await a.semaphore('it too', 1).acquire();
    for (const held of [lock, permit, other]) held.check();
    assert.equal((await a.locks.query()).held.length, 1);
  });

  it('a wrong number of permits is refused', async () => {
    const a = await open(subject);
    for (const permits of [0, 1.5, 32_768]) {
      assert.throws(() => a.semaphore('it', permits), RangeError);
    }
    await using permit = await a.semaphore('it', 2).acquire();
    const error = await rejection(a.semaphore('it', 3).acquire());
    assert.equal((error as Error).name, 'IncompatibleError');
    permit.check();
  });
});
