// What the suites of RLock share: code that runs in no task.
import { AsyncLocalStorage } from 'node:async_hooks';

/** Calls outside of every task, whoever calls it. */
export const outside = AsyncLocalStorage.snapshot() as <R>(fn: () => R) => R;
