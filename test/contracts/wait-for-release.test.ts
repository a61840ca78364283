// waitForRelease(): the wait ends when the object is free, and leaves it free.
import assert from 'node:assert/strict';
import { type BoundedSemaphore, Lock, type RLock, ReadWriteLock, Semaphore } from 'holdfast';
import {
  assertAborts,
  assertRejects,
  assertThrows,
  assertTimesOut,
  freshName,
  newActor,
  openers,
  remotePlaces,
  sharedActor,
  track,
  until,
  within,
} from '../support/index.js';

type Kind = 'Lock' | 'RLock' | 'Semaphore' | 'BoundedSemaphore' | 'ReadWriteLock';
type Subject = Lock | RLock | Semaphore | BoundedSemaphore | ReadWriteLock;

const kinds: readonly Kind[] = ['Lock', 'RLock', 'Semaphore', 'BoundedSemaphore', 'ReadWriteLock'];

function open(kind: Kind, name: string): Subject {
  return track(openers[kind]({ name })) as Subject;
}

/** The method by which another actor takes all there is. */
const acquireOf = (kind: Kind) => (kind === 'ReadWriteLock' ? 'acquireExclusive' : 'acquire');

function isFree(object: Subject): boolean {
  if (object instanceof ReadWriteLock) return object.inspect().writer === null;
  return 'locked' in object ? !object.locked() : object.value() === 1;
}

describe('waitForRelease()', () => {
  for (const kind of kinds) {
    it(`${kind}: at once if it is free; otherwise after the release, and it is free then`, async () => {
      const name = freshName(kind);
      const object = open(kind, name);
      await object.waitForRelease();
      object.waitForReleaseSync({ timeout: 0 });
      const there = await (await sharedActor('process')).open(kind, { name }, ...one(kind));
      const hold = await there.begin(acquireOf(kind));
      await assertTimesOut((options) => object.waitForRelease(options), 20, { kind });
      await assertTimesOut((options) => object.waitForReleaseSync(options), 20, { kind });
      let stays: Promise<void> | undefined;
      await assertAborts(
        (options) => object.waitForRelease(options),
        () => (stays = object.waitForRelease()),
      );
      await hold.release();
      await within(stays!, 'the wait');
      assert.equal(isFree(object), true);
    });

    it(`${kind}: a wait that blocks ends with the release, too`, async () => {
      const name = freshName(kind);
      const object = open(kind, name);
      const waiter = await (await sharedActor('worker')).open(kind, { name }, ...one(kind));
      const guard = take(object);
      const wait = waiter.start('waitForReleaseSync');
      await wait.started;
      guard.release();
      await within(wait, 'the wait');
      assert.equal(isFree(object), true);
    });

    if (kind === 'Semaphore') continue; // permits without owners
    for (const place of remotePlaces) {
      it(`${kind}: the death of a holder ends it (${place})`, async () => {
        const name = freshName(kind);
        const object = open(kind, name);
        const actor = await newActor(place);
        const there = await actor.open(kind, { name }, ...one(kind));
        await there.begin(acquireOf(kind));
        const wait = object.waitForRelease();
        await actor.kill();
        await within(wait, 'the wait');
        assert.equal(isFree(object), true);
      });
    }
  }

  it('many waits and an acquisition end with one release', async () => {
    const name = freshName();
    const lock = open('Lock', name) as Lock;
    const there = await (await sharedActor('process')).open('Lock', { name });
    const far = [1, 2, 3].map(() => there.start('waitForRelease'));
    const guard = lock.acquireSync();
    const near = [lock.waitForRelease(), lock.waitForRelease()];
    await until(async () => (await there.waiters()) >= 2, 'they wait');
    const next = lock.acquire();
    guard.release();
    await within(Promise.all(near), 'the waits here');
    (await next).release();
    await within(Promise.all(far), 'the waits there');
  });

  it('a thread that holds it and blocks would wait for itself', () => {
    for (const kind of ['Lock', 'RLock', 'ReadWriteLock', 'BoundedSemaphore'] as const) {
      const object = open(kind, freshName(kind));
      const guard = take(object);
      assertThrows(() => object.waitForReleaseSync(), 'DeadlockError', { kind });
      guard.release();
    }
  });

  it('close() ends it', async () => {
    const lock = open('Lock', freshName()) as Lock;
    const other = track(new Lock({ name: lock.name }));
    using guard = other.acquireSync();
    const wait = lock.waitForRelease();
    lock.close();
    await assertRejects(wait, 'ClosedError');
    await assertRejects(lock.waitForRelease(), 'ClosedError');
    void guard;
  });
});

function take(object: Subject): { release(): void } {
  if (object instanceof ReadWriteLock) return object.acquireExclusiveSync();
  if (!(object instanceof Semaphore)) return object.acquireSync();
  object.acquireSync();
  return { release: () => object.release() };
}

/** What a semaphore is made with. */
function one(kind: Kind): number[] {
  return kind.endsWith('Semaphore') ? [1] : [];
}
