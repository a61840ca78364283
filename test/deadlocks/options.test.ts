// Which waits take part in the search for deadlocks, and that { deadlock: false } takes each of
// them out of it.
import assert from 'node:assert/strict';
import {
  type AcquireOptions,
  BoundedSemaphore,
  Condition,
  type Guard,
  Lock,
  ReadWriteLock,
  SharedValue,
  acquireAll,
} from 'holdfast';
import { freshName, platform, track, within } from '../support/index.js';

/** Something that is held by callbacks, and that another task waits for. */
interface Contended {
  readonly what: string;
  hold<T>(inner: () => Promise<T>): Promise<T>;
  wait(options: AcquireOptions): Promise<unknown>;
}

function contended(): Contended[] {
  const lock = track(new Lock({ name: freshName() }));
  const permits = track(new BoundedSemaphore(1, { name: freshName() }));
  const table = track(new ReadWriteLock({ name: freshName() }));
  const all = track(new Lock({ name: freshName() }));
  const value = track(new SharedValue('int32', 0, { name: freshName() }));
  return [
    {
      what: 'waitForRelease() of a Lock',
      hold: (inner) => lock.runExclusive(inner),
      wait: (options) => lock.waitForRelease(options),
    },
    {
      what: 'waitForRelease() of a BoundedSemaphore',
      hold: (inner) => permits.withPermit(inner),
      wait: (options) => permits.waitForRelease(options),
    },
    {
      what: 'waitForRelease() of a ReadWriteLock that is read',
      hold: (inner) => table.runShared(inner),
      wait: (options) => table.waitForRelease(options),
    },
    {
      what: 'acquireAll()',
      hold: (inner) => all.runExclusive(inner),
      wait: (options) => acquireAll([all], options),
    },
    {
      what: 'withLock()',
      hold: (inner) => value.withLock(inner),
      wait: (options) => value.withLock(() => {}, options),
    },
  ];
}

const aMoment = () => new Promise((resolve) => setTimeout(resolve, 100));

/** Two tasks that wait for each other. The wait in question is the younger one. */
async function cross({ hold, wait }: Contended, options: AcquireOptions): Promise<string[]> {
  const lock = track(new Lock({ name: freshName() }));
  const { timeout } = options;
  const older = hold(() => lock.runExclusive(() => {}, { timeout }));
  const younger = lock.runExclusive(async () => {
    await aMoment();
    const guard = (await wait(options)) as Guard | undefined;
    guard?.release();
  });
  const ends = await within(Promise.allSettled([older, younger]), 'the ends of both');
  return ends.map((end) => (end.status === 'fulfilled' ? 'done' : String(end.reason.name)));
}

describe('deadlocks: which waits take part', () => {
  if (platform !== 'linux') return; // it is the same code everywhere, and takes some seconds

  it('the wait ends by DeadlockError, and with { deadlock: false } by its timeout', async () => {
    const certain = contended().map(async (one) => {
      assert.deepEqual(await cross(one, {}), ['done', 'DeadlockError'], one.what);
    });
    const without = contended().map(async (one) => {
      const ends = await cross(one, { deadlock: false, timeout: 1900 });
      assert.ok(ends.includes('TimeoutError'), `${one.what}: ${ends.join()}`);
      assert.ok(!ends.includes('DeadlockError'), `${one.what}: ${ends.join()}`);
    });
    await Promise.all([...certain, ...without]);
  });

  it('a hold by a callback does not count with { deadlock: false }', async () => {
    const lock = track(new Lock({ name: freshName() }));
    const permits = track(new BoundedSemaphore(1, { name: freshName() }));
    const table = track(new ReadWriteLock({ name: freshName() }));
    const loose = { deadlock: false };
    const holds: Contended[] = [
      {
        what: 'runExclusive() of a Lock',
        hold: (inner) => lock.runExclusive(inner, loose),
        wait: (options) => lock.acquire(options),
      },
      {
        what: 'withPermit()',
        hold: (inner) => permits.withPermit(inner, loose),
        wait: (options) => permits.acquire(options),
      },
      {
        what: 'runShared()',
        hold: (inner) => table.runShared(inner, loose),
        wait: (options) => table.acquireExclusive(options),
      },
    ];
    await Promise.all(
      holds.map(async (one) => {
        const ends = await cross(one, { timeout: 1900 });
        assert.ok(!ends.includes('DeadlockError'), `${one.what}: ${ends.join()}`);
      }),
    );
  });

  it('the way of a Condition back to its lock, unless its wait says { deadlock: false }', async () => {
    const play = async (options: AcquireOptions): Promise<string> => {
      const lock = track(new Lock({ name: freshName() }));
      const condition = track(new Condition(undefined, { name: freshName() }));
      const first = lock.runExclusive(() =>
        condition.runExclusive(() => condition.wait({ timeout: 300, ...options })),
      );
      await aMoment();
      const second = condition.runExclusive(() => lock.runExclusive(() => {}, { timeout: 1900 }));
      const [wait, other] = await within(Promise.allSettled([first, second]), 'the ends of both');
      assert.equal(wait.status === 'rejected' && wait.reason.name, 'TimeoutError');
      return other.status === 'fulfilled' ? 'done' : String(other.reason.name);
    };
    const ends = await Promise.all([play({}), play({ deadlock: false })]);
    assert.deepEqual(ends, ['DeadlockError', 'TimeoutError']);
  });
});
