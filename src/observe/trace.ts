// Makes a Chrome trace (for Perfetto or chrome://tracing) of what the channels said in all threads.
//
// Each thread has a track for each object that it used. On it are slices: when it waited, and when
// it held. Where two of them overlap, as two permits do, the track has several lanes. An arrow goes
// from the end of a hold to the hold of the one that had waited for it.

/** A line of a thread's file. */
export interface TraceLine {
  /** Microseconds on the monotonic clock. */
  readonly at: number;
  readonly channel?: 'acquire' | 'queue' | 'process';
  readonly event?: string;
  readonly id?: number;
  readonly kind?: string;
  readonly name?: string;
  readonly lock?: string;
  readonly mode?: string;
  readonly count?: number;
  readonly pid?: number;
  readonly error?: string;
  /** On the first line: the program. */
  readonly title?: string;
}

export interface TraceThread {
  readonly pid: number;
  readonly threadId: number;
  readonly lines: readonly TraceLine[];
}

/** An event of the Trace Event Format. */
export interface TraceEvent {
  readonly ph: 'M' | 'X' | 'i' | 's' | 'f';
  readonly name: string;
  readonly pid: number;
  readonly tid: number;
  readonly ts?: number;
  readonly dur?: number;
  readonly cat?: string;
  readonly id?: number;
  readonly bp?: 'e';
  readonly s?: 't';
  readonly args?: Record<string, unknown>;
}

/** A wait or a hold. */
interface Slice {
  readonly thread: TraceThread;
  readonly object: string;
  readonly mode: string;
  readonly what: 'wait' | 'hold';
  readonly from: number;
  to: number;
  /** How it ended. */
  end: string;
  abandoned: boolean;
  /** Of a hold: it was waited for. */
  readonly hasWaited: boolean;
  tid: number;
}

function objectOf({ kind = '', name = '', lock }: TraceLine): string {
  return lock === undefined ? `${kind} ${name}` : `${kind} ${name}: ${lock}`;
}

/** The waits and holds of one thread. */
function slicesOf(thread: TraceThread, end: number): Slice[] {
  const all: Slice[] = [];
  const open = new Map<number, Slice>();
  const begin = (line: TraceLine, what: Slice['what'], hasWaited: boolean) => {
    const { at: from, mode = '', id = 0 } = line;
    const object = objectOf(line);
    const rest = { to: end, end: 'never ended', abandoned: false, hasWaited, tid: 0 };
    const slice: Slice = { thread, object, mode, what, from, ...rest };
    open.set(id, slice);
    all.push(slice);
  };
  const finish = (id: number, at: number, how: string) => {
    const slice = open.get(id);
    if (slice === undefined) return false;
    [slice.to, slice.end] = [at, how];
    open.delete(id);
    return slice.what === 'wait';
  };
  for (const line of thread.lines) {
    const { channel, event = '', id = 0, at } = line;
    if (channel !== 'acquire') continue;
    if (event === 'wait') begin(line, 'wait', false);
    else if (event === 'acquired') begin(line, 'hold', finish(id, at, 'acquired'));
    else if (event === 'abandoned') {
      const hold = open.get(id);
      if (hold) hold.abandoned = true;
    } else if (event !== 'start') finish(event === 'released' ? heldId(open, line) : id, at, event);
  }
  return all;
}

/**
 * The id of the hold that a release ends. One by name ends the last hold of the object, and so does
 * that of a guard whose hold a Condition has ended and begun again.
 */
function heldId(open: ReadonlyMap<number, Slice>, line: TraceLine): number {
  const { id = 0 } = line;
  if (open.get(id)?.what === 'hold') return id;
  const of = [...open].filter(([, one]) => one.what === 'hold' && one.object === objectOf(line));
  return of.at(-1)?.[0] ?? 0;
}

/**
 * A release is told after it has happened. By then the next holder may have told that it holds. So
 * a hold that excludes others ends where the next one begins.
 */
function clip(holds: readonly Slice[]): void {
  const byTime = holds.toSorted((a, b) => a.from - b.from);
  byTime.forEach((hold, i) => {
    const next = byTime[i + 1];
    if (next && hold.mode === 'exclusive' && hold.to > next.from) hold.to = next.from;
  });
}

/** The hold whose end let this one in. */
function before(hold: Slice, holds: readonly Slice[]): Slice | undefined {
  const earlier = holds.filter((one) => one !== hold && one.from <= hold.from);
  const ended = earlier.filter((one) => one.to <= hold.from + 2000 && one.end !== 'never ended');
  return ended.toSorted((a, b) => b.to - a.to)[0];
}

function group<T>(items: readonly T[], keyOf: (item: T) => string): T[][] {
  const groups = new Map<string, T[]>();
  for (const item of items) {
    const key = keyOf(item);
    const known = groups.get(key);
    if (known) known.push(item);
    else groups.set(key, [item]);
  }
  return [...groups.values()];
}

const meta = (name: string, pid: number, tid: number, value: unknown): TraceEvent => ({
  ph: 'M',
  name,
  pid,
  tid,
  args: name.endsWith('index') ? { sort_index: value } : { name: value },
});

/** Gives each slice a track, on which slices do not overlap. Returns the names of the tracks. */
function layOut(slices: readonly Slice[]): TraceEvent[] {
  const names: TraceEvent[] = [];
  let tid = 0;
  for (const ofTrack of group(slices, ({ thread: { pid, threadId }, object }) => {
    return `${pid} ${threadId} ${object}`;
  })) {
    const lanes: { tid: number; free: number }[] = [];
    for (const slice of ofTrack.toSorted((a, b) => a.from - b.from)) {
      let lane = lanes.find(({ free }) => free <= slice.from);
      if (lane === undefined) {
        const { pid, threadId } = slice.thread;
        lanes.push((lane = { tid: ++tid, free: 0 }));
        const worker = threadId === 0 ? '' : `worker ${threadId}: `;
        const nth = lanes.length === 1 ? '' : ` (${lanes.length})`;
        names.push(meta('thread_name', pid, tid, `${worker}${slice.object}${nth}`));
        names.push(meta('thread_sort_index', pid, tid, tid));
      }
      lane.free = slice.to;
      slice.tid = lane.tid;
    }
  }
  return names;
}

function toEvent({ thread: { pid }, tid, what, object, mode, from, to, end, abandoned }: Slice) {
  const args = { object, mode, end, ...(abandoned && { abandoned }) };
  const event: TraceEvent = {
    ph: 'X',
    name: what,
    cat: what,
    pid,
    tid,
    ts: from,
    dur: to - from,
    args,
  };
  return event;
}

function arrows(holds: readonly Slice[]): TraceEvent[] {
  const events: TraceEvent[] = [];
  let id = 0;
  for (const ofObject of group(holds, ({ object }) => object)) {
    for (const hold of ofObject) {
      const cause = hold.hasWaited ? before(hold, ofObject) : undefined;
      if (cause === undefined) continue;
      const common = { name: 'hand-over', cat: 'hand-over', id: ++id };
      // Inside the slice that it leaves, or the viewer does not find that.
      const ts = Math.max(cause.from, Math.min(cause.to, hold.from) - 0.001);
      events.push({ ph: 's', ...common, pid: cause.thread.pid, tid: cause.tid, ts });
      events.push({
        ph: 'f',
        bp: 'e',
        ...common,
        pid: hold.thread.pid,
        tid: hold.tid,
        ts: hold.from,
      });
    }
  }
  return events;
}

/** Puts and gets, starts and ends of Processes. */
function instants(thread: TraceThread): TraceEvent[] {
  const { pid, threadId } = thread;
  return thread.lines.flatMap((line): TraceEvent[] => {
    const { channel, event, at: ts, kind, name, count, pid: child } = line;
    if (channel !== 'queue' && channel !== 'process') return [];
    const what = channel === 'queue' ? `${event} ${kind} ${name}` : `${event} Process ${name}`;
    const args = channel === 'queue' ? { count } : { pid: child };
    return [{ ph: 'i', s: 't', name: what, cat: channel, pid, tid: -threadId, ts, args }];
  });
}

/** All events of a trace, times from its beginning. */
export function traceOf(threads: readonly TraceThread[]): TraceEvent[] {
  const times = threads.flatMap(({ lines }) => lines.map(({ at }) => at));
  const [start, end] = times.reduce(
    ([least, most], at) => [Math.min(least, at), Math.max(most, at)],
    [Infinity, 0],
  );
  const slices = threads.flatMap((thread) => slicesOf(thread, end));
  const holds = slices.filter(({ what }) => what === 'hold');
  for (const ofObject of group(holds, ({ object }) => object)) clip(ofObject);
  const names = layOut(slices);
  for (const { pid, lines } of threads) {
    const title = lines.find((line) => line.title !== undefined)?.title;
    if (title !== undefined) names.push(meta('process_name', pid, 0, title));
  }
  const events = [...slices.map(toEvent), ...arrows(holds), ...threads.flatMap(instants)];
  const shifted = events.map((event) => ({ ...event, ts: event.ts! - start }));
  return [...names, ...shifted.toSorted((a, b) => a.ts - b.ts)];
}
