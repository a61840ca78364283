// Targets of a Process: functions whose arguments are objects of this package.

/** Notifies one wait. */
export function notify(condition) {
  const guard = condition.acquireSync();
  condition.notify();
  guard.release();
}

export async function arrive(barrier) {
  await barrier.wait();
}

/** Does the items that are there. */
export async function work(queue) {
  for (;;) {
    const task = queue.tryTake();
    if (task === undefined) return;
    task.done();
  }
}
