// What the addon offers for the wait sets of an object: see bindings.ts.

/**
 * The operations of one wait set of an object. A wait set wakes the threads that wait
 * (native/addon/waiting.h). src/waiting/wait-set.ts explains the operations.
 */
export interface WaitSetOperations<N> {
  tag(object: N): number;
  enrol(object: N, index: number, waiting: number): number;
  cancel(object: N, index: number): boolean;
  spinBriefly(object: N): boolean;
  passOn(object: N): void;
  /** Not of every wait set. */
  announce?(object: N, waited_ms: number): void;
  withdraw?(object: N): void;
  /** Not of every wait set. */
  mayDoze?(object: N, index: number): boolean;
}
