// Tasks through a Pool whose worker dies, or is stopped, before or after one of its accesses to
// what it shares with the pool. Every task must end as its claim word says.
import { constants } from 'node:os';
import { NotFoundError, Pool, Queue, SharedMemory } from 'holdfast';
import { places, words } from '../programs/pool-points.mjs';
import { isThere } from './pool-kills.js';
import { now, until } from './time.js';

export interface PoolPointsPlan {
  /** What happens to the worker. While it is stopped, a task is aborted. */
  readonly how: 'kill' | 'stop';
  /** The first point. */
  readonly first: number;
  /** Every so many points. */
  readonly stride: number;
}

export interface PoolPointsOutcome {
  /** At how many points something has happened. */
  points: number;
  /** The places of these points that have a name and never came. */
  missing: string[];
  faults: string[];
}

const module = new URL('../programs/pool-points.mjs', import.meta.url);
const signals = { kill: constants.signals.SIGKILL, stop: constants.signals.SIGSTOP };
const reason = new Error('not needed');

/** The tasks of a round: what they call, how many records their answers have, their retries. */
const tasks = [
  { name: 'plain', records: 1, retries: 0 },
  { name: 'large', records: 2, retries: 1 },
  { name: 'fails', records: 1, retries: 0 },
  { name: 'object', records: 1, retries: 0 },
  { name: 'large', records: 2, retries: 0 },
  { name: 'slow', records: 1, retries: 1 },
  { name: 'plain', records: 1, retries: 0 },
] as const;

/** How a task ended: `right`, `lost` with its worker, `aborted`, or with something else. */
type End = 'right' | 'lost' | 'aborted' | 'gone' | `wrong: ${string}`;

function endOf(i: number, { status, ...rest }: PromiseSettledResult<unknown>): End {
  const { value, reason: error } = rest as {
    value?: unknown;
    reason?: Error & { signal?: string };
  };
  const { name } = tasks[i]!;
  if (status === 'fulfilled') {
    if (value instanceof Queue) value.close();
    const isRight =
      name === 'large'
        ? Buffer.isBuffer(value) && value.equals(Buffer.alloc(20_000, i))
        : name === 'object'
          ? value instanceof Queue
          : value === i && name !== 'fails';
    return isRight ? 'right' : `wrong: ${String(value)}`;
  }
  if (error === reason) return 'aborted';
  if (name === 'fails' && error instanceof RangeError && error.message === `task ${i}`) {
    return 'right';
  }
  const { signal, message } = Object(error) as { signal?: string; message?: string };
  if (signal === 'SIGKILL' && message?.startsWith(`the task ${name}() was lost`)) return 'lost';
  if (name === 'object' && error instanceof NotFoundError) return 'gone';
  return `wrong: ${String(error)}`;
}

/** One round: what was seen when the worker acted, and how the tasks ended. */
interface Round {
  /** Undefined if the worker had no such point. */
  readonly place: string | undefined;
  /** The task that had begun last, and whether its answer had been put as a whole. */
  readonly current: number;
  readonly isAnswered: boolean;
  /** How often each task had been called. */
  readonly calledThen: readonly number[];
  readonly called: readonly number[];
  readonly ends: readonly End[];
  readonly aborted: number | undefined;
}

async function playRound(
  pool: Pool,
  shared: Int32Array,
  how: 'kill' | 'stop',
  point: number,
): Promise<Round> {
  shared.fill(0);
  shared[words.signal] = signals[how];
  Atomics.store(shared, words.point, point);
  const controllers = tasks.map(() => new AbortController());
  const running = tasks.map(({ name, retries }, i) =>
    pool.run({ module, export: name }, i, { retries, signal: controllers[i]!.signal }),
  );
  const settled = Promise.allSettled(running);
  const aborted =
    how === 'stop' ? await abortInStop(shared, point, settled, controllers) : undefined;
  const ends = (await settled).map((result, i) => endOf(i, result));
  // It may act after its last answer.
  const hasActed = Atomics.exchange(shared, words.point, 0) === 0;
  if (hasActed) await until(() => shared[words.place] !== 0, 'the point');
  if (hasActed && how === 'stop') await goesOn(shared);
  const seen = shared.subarray(words.seen);
  const current = seen[words.begun]! - 1;
  const calls = (from: Int32Array) => tasks.map((_, i) => from[words.calls + i]!);
  return {
    place: places[shared[words.place]! - 1],
    current,
    isAnswered: current < 0 || seen[words.put]! >= tasks[current]!.records,
    calledThen: calls(seen),
    called: calls(shared),
    ends,
    aborted,
  };
}

/** Aborts a task while the worker is stopped, and returns which one it was. */
async function abortInStop(
  shared: Int32Array,
  point: number,
  settled: Promise<unknown>,
  controllers: readonly AbortController[],
): Promise<number | undefined> {
  // At every second point the pool has read no answer yet when it aborts.
  if (point % 2 === 0) spin(() => shared[words.place] !== 0);
  let isOver = false;
  void settled.then(() => (isOver = true));
  await until(() => isOver || shared[words.place] !== 0, 'a worker that stops, or the end');
  if (shared[words.place] === 0) return undefined;
  const aborted = point % tasks.length;
  controllers[aborted]!.abort(reason);
  await goesOn(shared);
  return aborted;
}

/** Ends the stop of the worker. It may not have stopped yet, and may have been killed. */
function goesOn(shared: Int32Array): Promise<void> {
  const pid = shared[words.pid]!;
  return until(() => {
    if (shared[words.goesOn] !== 0 || !isThere(pid)) return true;
    process.kill(pid, 'SIGCONT');
    return false;
  }, 'a worker that goes on');
}

/** Blocks this thread until then, but not for long: the worker may wait for this thread. */
function spin(holds: () => boolean): void {
  const end = now() + 50;
  while (!holds() && now() < end);
}

/** What is wrong with a round. */
function* faultsOf(round: Round): Generator<string> {
  const { place, current, isAnswered, calledThen, called, ends, aborted } = round;
  for (const [i, { retries }] of tasks.entries()) {
    const isRunning = place !== undefined && i === current && !isAnswered;
    let expected: End[] = ['right'];
    let calls = [1];
    if (i === aborted) {
      if (isRunning) [expected, calls] = [['aborted'], [calledThen[i]!, 1]];
      else if (i > current) [expected, calls] = [['aborted'], [0]];
      else expected = ['aborted', 'right'];
    } else if (aborted === undefined && isRunning) {
      if (retries === 0) [expected, calls] = [['lost'], [calledThen[i]!]];
      else calls = [calledThen[i]! + 1];
    } else if (tasks[i]!.name === 'object' && aborted === undefined && i <= current) {
      expected = ['right', 'gone']; // only its worker had the object open
    }
    if (!expected.includes(ends[i]!)) yield `task ${i} is ${ends[i]}, and not ${String(expected)}`;
    if (!calls.includes(called[i]!)) yield `task ${i} was called ${called[i]} times`;
  }
}

/**
 * Rounds in which the worker passes no further point, one after the other, before that is believed:
 * how many points there are differs a little from round to round.
 */
const lastRounds = 3;

/** Goes on until the worker passes no further point. */
export async function playPoolPoints(plan: PoolPointsPlan): Promise<PoolPointsOutcome> {
  const { how, first, stride } = plan;
  const memory = new SharedMemory(4 * words.length);
  const shared = new Int32Array(memory.buffer);
  const initializer = { module, export: 'arm' };
  const pool = new Pool({ processes: 1, initializer, initArgs: [memory], execArgv: [] });
  const faults: string[] = [];
  const missing = new Set(places);
  const pids = new Set<number>();
  let points = 0;
  try {
    for (let point = first, without = 0; without < lastRounds; point += stride) {
      const round = await playRound(pool, shared, how, point);
      for (const { pid } of pool.inspect().workers) pids.add(pid);
      const { place } = round;
      for (const fault of faultsOf(round)) {
        faults.push(`${how} at point ${point} (${place}, task ${round.current}): ${fault}`);
      }
      if (place === undefined) {
        without++;
      } else {
        without = 0;
        missing.delete(place);
        points++;
      }
    }
    const { waiting, running, workers } = pool.inspect();
    if (waiting + running !== 0 || workers.length !== 1) {
      faults.push(`left: ${waiting} tasks wait, ${running} run, ${workers.length} workers`);
    }
  } finally {
    await pool.close();
    memory.close();
  }
  for (const pid of pids) if (isThere(pid)) faults.push(`process ${pid} is left`);
  return { points, missing: [...missing], faults };
}
