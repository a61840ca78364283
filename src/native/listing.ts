// What the addon tells of all objects in the directory: see bindings.ts.

/** Who holds something. */
export interface NativeAgent {
  pid: number;
  threadId: number;
  processName: string;
}

export interface NativeListing {
  kind: number;
  name: string;
  persistent: boolean;
  inUse: boolean;
  /** The format, in words; '' if it is this program's own. */
  format: string;
  /** If it was asked for. null: the object cannot be observed. */
  state?: ObservedState | null;
}

/** Those of one agent that hold an object or wait for it (native/core/store/observation.h). */
export interface ObservedParty extends NativeAgent {
  how: 'exclusive' | 'shared' | 'permit' | 'lease' | 'get' | 'put' | 'join' | 'wait';
  count: number;
}

/** What a look at an object's file tells. */
export interface ObservedState {
  holders: ObservedParty[];
  waiters: ObservedParty[];
  abandoned: boolean;
  heldFor: number | null;
  longestWait: number | null;
  acquisitions?: number;
  contentions?: number;
  abandonments?: number;
  permits?: number;
  sets?: number;
  notifications?: number;
  parties?: number;
  arrived?: number;
  round?: number;
  capacity?: number;
  puts?: number;
  gets?: number;
  size?: number;
  leased?: number;
}
