// Holds that stand in each other's way. Each act resolves to how it ended. `hows` says how the
// first and the second object are held.
import { Lock, acquireAll, acquireAllSync } from 'holdfast';

/** Calls `inner` while it holds the object. */
function inside(object, how, inner, options = {}) {
  const name = 'a lock';
  if (how === 'shared') return object.runShared(inner, options);
  if (how === 'permit') return object.withPermit(inner, options);
  if (how === 'two permits') return object.withPermits(2, inner, options);
  if (how === 'web') return object.request(name, options, inner);
  if (how === 'web shared') return object.request(name, { ...options, mode: 'shared' }, inner);
  return object.runExclusive(inner, options);
}

/** The same, blocking. Returns a function that releases it. */
function holdSync(object, how, options = {}) {
  const methods = { shared: 'acquireSharedSync', write: 'acquireExclusiveSync' };
  const guard =
    how === 'two permits'
      ? object.acquireSync(2, options)
      : object[methods[how] ?? 'acquireSync'](options);
  return () => guard.release();
}

function ended(error) {
  const { name, code, cycle, kind, objectName } = error;
  return { name, code, cycle, kind, objectName };
}

/**
 * Holds the first, says so by the Event `held`, waits for the Event `go`, and takes the second
 * inside of the first.
 */
export async function nest({ first, second, hows, held, go, options }) {
  try {
    return await inside(first, hows[0], async () => {
      held.set();
      await go.wait();
      return inside(second, hows[1], () => 'got both', options);
    });
  } catch (error) {
    return ended(error);
  }
}

/** The same in a thread that blocks. */
export function nestSync({ first, second, hows, held, go, options }) {
  const release = holdSync(first, hows[0]);
  try {
    held.set();
    go.waitSync();
    holdSync(second, hows[1], options)();
    return 'got both';
  } catch (error) {
    return ended(error);
  } finally {
    release();
  }
}

/** The callback of the first blocks the thread. */
export async function nestBlocked({ first, second, hows, held, go, options }) {
  try {
    return await inside(first, hows[0], async () => {
      held.set();
      await go.wait();
      holdSync(second, hows[1], options)();
      return 'got both';
    });
  } catch (error) {
    return ended(error);
  }
}

/** The first is held by a guard in a variable: other code could release it. */
export async function nestLoosely({ first, second, hows, held, go, options }) {
  const guard = await first.acquire();
  try {
    held.set();
    await go.wait();
    return await inside(second, hows[1], () => 'got both', options);
  } catch (error) {
    return ended(error);
  } finally {
    guard.release();
  }
}

/** Says so, waits for the Event `go`, and takes both in one call. */
export async function gather({ first, second, held, go, options }) {
  try {
    held.set();
    await go.wait();
    (await acquireAll([first, second], options)).release();
    return 'got both';
  } catch (error) {
    return ended(error);
  }
}

/** The same in a thread that blocks. */
export function gatherSync({ first, second, held, go, options }) {
  try {
    held.set();
    go.waitSync();
    acquireAllSync([first, second], options).release();
    return 'got both';
  } catch (error) {
    return ended(error);
  }
}

/**
 * Holds the first, waits for a Condition of the second, and has to have the second again, while
 * another one has it that wants the first.
 */
export function nestInCondition({ first, condition, held }) {
  const release = holdSync(first, 'exclusive');
  try {
    condition.acquireSync();
    held.set();
    condition.waitSync();
    condition.release();
    return 'got both';
  } catch (error) {
    return ended(error);
  } finally {
    release();
  }
}

/** Notifies the Condition, and takes the second while it has the lock of the Condition. */
export function notifyAndNest({ condition, second, options }) {
  condition.acquireSync();
  try {
    condition.notify();
    holdSync(second, 'exclusive', options)();
    return 'got both';
  } catch (error) {
    return ended(error);
  } finally {
    condition.release();
  }
}

/**
 * Takes part in many circles at once: holds one lock of each, says so, and at the word takes the
 * next one of each. Resolves to how each of the waits ended.
 */
export async function takePartInCircles({ mine, next, held, go }) {
  const open = (names) => names.map((name) => new Lock({ name }));
  const locks = open(mine);
  const wanted = open(next);
  let count = 0;
  const ends = await Promise.all(
    locks.map((lock, i) =>
      lock
        .runExclusive(async () => {
          if (++count === locks.length) held.set();
          await go.wait();
          await wanted[i].runExclusive(() => {});
          return 'got both';
        })
        .catch(({ name }) => name),
    ),
  );
  for (const lock of [...locks, ...wanted]) lock.close();
  return ends;
}
