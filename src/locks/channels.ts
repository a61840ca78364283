// What node:diagnostics_channel hears of requests, by the names that Node's own LockManager has.
import { channel } from 'node:diagnostics_channel';
import type { LockMode } from './lock.js';

/** What is published of a request. */
export interface RequestFacts {
  readonly namespace: string;
  readonly name: string;
  readonly mode: LockMode;
  /** On `locks.request.end`: why the promise rejected. */
  readonly error?: unknown;
}

const channels = {
  /** request() was called. */
  start: channel('locks.request.start'),
  /** The callback is about to be called with the lock. */
  grant: channel('locks.request.grant'),
  /** `ifAvailable` found the lock taken. */
  miss: channel('locks.request.miss'),
  /** The lock was released, or the request ended without it. */
  end: channel('locks.request.end'),
};

export function publish(
  which: keyof typeof channels,
  namespace: string,
  { name, mode }: { name: string; mode: LockMode },
  failure?: { error: unknown },
): void {
  if (!channels[which].hasSubscribers) return;
  const facts: RequestFacts = { namespace, name, mode, ...failure };
  channels[which].publish(facts);
}
