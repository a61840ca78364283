// What the addon offers for a LockManager: see bindings.ts.
import type { NativeAgent } from './listing.js';

/** What query() shows, in three lists. */
export interface NativeRequests {
  /** A name for each request. */
  names: string[];
  /** Three numbers for each request: which of the clients, 1 if exclusive, 1 if held. */
  rows: Uint32Array;
  /** `agent` is null if it has ended meanwhile. */
  clients: {
    id: string;
    agent: NativeAgent | null;
  }[];
}

/** LockManager (native/addon/lock_manager.cc). Cell and ticket say which request is meant. */
export interface LockManagerOperations<N> {
  /** Wakes this thread when it has news to collect. */
  tag(object: N): number;
  /** Its status (`requestStatus`). The rest is in the mailbox: see table.ts. */
  request(
    object: N,
    name: string,
    exclusive: boolean,
    ifAvailable: boolean,
    steal: boolean,
  ): number;
  /** Ends it, whether it waits or holds. What it was until then. */
  end(object: N, cell: number, ticket: number): number;
  /**
   * What this thread has to be told, each once: of each request its status, cell, ticket, token and
   * abandoned (0 or 1), all in a row. Undefined if the table cannot be read any more.
   */
  collect(object: N): number[] | undefined;
  /** Each slice while requests wait: the dead that are in their way leave. */
  look(object: N): void;
  /** Looks for up to 20 us, if that has helped lately, whether the request is no longer pending. */
  spinBriefly(object: N, cell: number, ticket: number): boolean;
  /** Blocks the thread for `ms` or one slice. True if the request is no longer pending. */
  wait(object: N, cell: number, ticket: number, ms: number): boolean;
  /** All requests of the living; undefined if the table was busy. */
  query(object: N): NativeRequests | undefined;
  /** Has this thread a request that waits or holds? */
  hasRequests(object: N): boolean;
  inspect(object: N): {
    maxRequests: number;
    grants: number;
    contentions: number;
    abandonments: number;
    steals: number;
  };
}
