// What the addon offers for a LockManager: see bindings.ts.

/** What became of a request: status (`requestStatus`), cell, ticket, token, abandoned (0 or 1). */
export type NativeRequest = readonly [
  status: number,
  cell: number,
  ticket: number,
  token: number,
  abandoned: number,
];

/** LockManager (native/addon/lock_manager.cc). Cell and ticket say which request is meant. */
export interface LockManagerOperations<N> {
  /** Wakes this thread when it has news to collect. */
  tag(object: N): number;
  request(
    object: N,
    name: string,
    exclusive: boolean,
    ifAvailable: boolean,
    steal: boolean,
  ): NativeRequest;
  /** Ends it, whether it waits or holds. What it was until then. */
  end(object: N, cell: number, ticket: number): number;
  /**
   * What this thread has to be told, each once: the numbers of all these requests in a row.
   * Undefined if the table cannot be read any more.
   */
  collect(object: N): number[] | undefined;
  collectOne(object: N, cell: number, ticket: number): NativeRequest;
  /** Each slice while requests wait: the dead that are in their way leave. */
  look(object: N): void;
  /** Blocks the thread for `ms` or one slice. True if the request is no longer pending. */
  wait(object: N, cell: number, ticket: number, ms: number): boolean;
  /** All requests of the living; undefined if the table was busy. */
  query(object: N):
    | {
        name: string;
        exclusive: boolean;
        held: boolean;
        client: string;
        agent: { pid: number; threadId: number; processName: string } | null;
      }[]
    | undefined;
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
