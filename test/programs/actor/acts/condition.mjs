const wordsOf = (memory) => new Int32Array(memory.buffer);

/**
 * Adds one to word 0 for each wait that ends with a wake-up, and waits again, until the object is
 * closed.
 */
export function keepWaiting({ condition, memory, tasks }) {
  const words = wordsOf(memory);
  const one = async () => {
    for (;;) {
      const guard = await condition.acquire();
      try {
        await condition.wait();
        Atomics.add(words, 0, 1);
      } finally {
        guard.release();
      }
    }
  };
  for (let i = 0; i < tasks; i++) one().catch(() => {});
}

/** Notifies one to three waits at a time until it is killed. */
export function keepNotifying({ condition }) {
  setImmediate(function burst() {
    for (let i = 0; i < 10; i++) {
      const guard = condition.acquireSync();
      condition.notify(1 + (i % 3));
      guard.release();
    }
    setTimeout(burst, 1);
  });
}

export function notifyOnce({ condition }) {
  const guard = condition.acquireSync();
  const notified = condition.notify();
  guard.release();
  return notified;
}

/** Notifies, and does not release the lock. */
export function notifyAndHold({ condition, count, all }) {
  // Without this reference the garbage collector might take the guard.
  globalThis.keptForEver = condition.acquireSync();
  return all ? condition.notifyAll() : condition.notify(count);
}

/** Acquires `depth` times, waits, and returns its depth then. Releases everything at the end. */
export async function waitDeep({ condition, depth, form }) {
  const guards = [];
  for (let i = 0; i < depth; i++) guards.push(condition.acquireSync());
  if (form === 'sync') condition.waitSync();
  else await condition.wait();
  const after = condition.lock.depth();
  for (const guard of guards) guard.release();
  return { after, left: condition.lock.depth() };
}

/**
 * One wait that may end by itself at any instant. `how`: 'timeout' or 'abort', after `ms`; 'never'.
 * Resolves to 'woken' or 'gave up', with the lock released.
 */
export async function shortWait({ condition, how, ms, form }) {
  const guard = form === 'sync' ? condition.acquireSync() : await condition.acquire();
  const controller = new AbortController();
  try {
    if (form === 'sync') condition.waitSync({ timeout: ms });
    else if (how === 'timeout') await condition.wait({ timeout: ms });
    else {
      if (how === 'abort') setTimeout(() => controller.abort(), ms);
      await condition.wait({ signal: controller.signal });
    }
    return 'woken';
  } catch (error) {
    if (error.code !== 'ERR_HOLDFAST_TIMEOUT' && error.name !== 'AbortError') throw error;
    return 'gave up';
  } finally {
    guard.release(); // throws if the wait did not end with the lock
  }
}

/**
 * Waits with the predicate "word 0 is at least `target`"; resolves to what the predicate returned.
 */
export async function waitForWord({ condition, memory, target, form, timeout }) {
  const words = wordsOf(memory);
  let calls = 0;
  const predicate = () => {
    calls++;
    return Atomics.load(words, 0) >= target && `reached ${target}`;
  };
  const guard = form === 'sync' ? condition.acquireSync() : await condition.acquire();
  try {
    const result =
      form === 'sync'
        ? condition.waitForSync(predicate, { timeout })
        : await condition.waitFor(predicate, { timeout });
    return { result, calls };
  } finally {
    guard.release();
  }
}
