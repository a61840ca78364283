// Can a history be explained? A history is what several processes called, when each call began
// and ended, and what it returned. It is explained by an order of the calls, each at one instant
// between its beginning and its end, in which every result is right (linearizability).
//
// The search goes along the events in time and keeps every state that the queue may be in. When a
// call returns, only those states stay in which it has happened with the result that it had.

/** An item and who has it: nobody (ready), a player on lease, or a player that died. */
export interface Item {
  value: number;
  at: number;
}
export const ready = -1;
const ofTheDead = -2;

export type CallName = 'put' | 'get' | 'size' | 'empty' | 'full' | 'take' | 'done' | 'retry';

/** A call, or the death of a player. */
export interface Call {
  player: number;
  name: CallName | 'dies';
  value: number;
  calledAt: number;
  /** Undefined if the player died in it: then it happened with any result, or not at all. */
  result?: number | undefined;
  returnedAt?: number | undefined;
}

/** Failures that took so long say nothing: another player was stopped in the critical section. */
const patience_ms = 1.9;

type State = readonly Item[];

/** The states that the call may lead to from this one, with its result. None: it is impossible. */
function after(state: State, call: Call, maxSize: number): State[] {
  const { name, player, value, result, calledAt, returnedAt } = call;
  const isKnown = result !== undefined;
  const tookLong = isKnown && returnedAt! - calledAt >= patience_ms;
  const isReady = (item: Item) => item.at === ready;
  const size = state.filter((item) => item.at === ready || item.at === ofTheDead).length;
  const same = (holds: boolean) => (holds ? [state] : []);
  const isAnswer = (...answers: number[]) => same(!isKnown || answers.includes(result));
  const move = (from: Item, at: number) =>
    state.map((item) => (item === from ? { ...item, at } : item));

  switch (name) {
    case 'put': {
      const hasRoom = state.length < maxSize;
      if (isKnown && result !== 1) return same(result < 0 || tookLong || !hasRoom);
      return hasRoom ? [[...state, { value, at: ready }]] : same(!isKnown);
    }
    case 'get':
    case 'take': {
      const first = state.find(isReady);
      if (isKnown && result <= 0) return same(result < 0 || tookLong || size === 0);
      if (first === undefined) return same(!isKnown);
      if (isKnown && first.value !== result) return [];
      return [name === 'get' ? state.filter((item) => item !== first) : move(first, player)];
    }
    case 'size':
      return isAnswer(size, ...(tookLong ? [state.filter(isReady).length] : []));
    case 'empty':
      return isAnswer(Number(size === 0), ...(tookLong ? [Number(!state.some(isReady))] : []));
    case 'full':
      return isAnswer(Number(state.length >= maxSize));
    case 'done':
    case 'retry': {
      const leased = state.find((item) => item.value === value && item.at === player);
      if (leased === undefined) return [];
      return [name === 'done' ? state.filter((item) => item !== leased) : move(leased, ready)];
    }
    case 'dies':
      return [state.map((item) => (item.at === player ? { ...item, at: ofTheDead } : item))];
  }
}

/** What the dead had is ready again, once a living player has noticed. */
function reclaimed(state: State): State[] {
  if (!state.some((item) => item.at === ofTheDead)) return [];
  return [state.map((item) => (item.at === ofTheDead ? { ...item, at: ready } : item))];
}

/** A state, and which of the calls that are under way have happened. */
interface Possible {
  state: State;
  happened: ReadonlySet<Call>;
}

function keyOf({ state, happened }: Possible): string {
  const calls = [...happened].map((call) => `${call.player}${call.name === 'dies'}`).toSorted();
  return `${state.map((item) => `${item.value}:${item.at}`).join()} ${calls.join()}`;
}

/** All that is possible now, in which `call` has happened. */
function inWhichItHappened(
  possible: Iterable<Possible>,
  call: Call,
  underWay: ReadonlySet<Call>,
  maxSize: number,
): Map<string, Possible> {
  const found = new Map<string, Possible>();
  const seen = new Set<string>();
  const pending = [...possible];
  for (let one = pending.pop(); one !== undefined; one = pending.pop()) {
    const key = keyOf(one);
    if (seen.has(key)) continue;
    seen.add(key);
    const { state, happened } = one;
    if (happened.has(call)) found.set(key, one);
    for (const next of reclaimed(state)) pending.push({ state: next, happened });
    for (const other of underWay) {
      if (happened.has(other)) continue;
      // The dead do nothing any more.
      if ([...happened].some((done) => done.name === 'dies' && done.player === other.player))
        continue;
      for (const next of after(state, other, maxSize))
        pending.push({ state: next, happened: new Set([...happened, other]) });
    }
  }
  return found;
}

/** Undefined if the history can be explained; otherwise what cannot be, and what came before. */
export function unexplained(history: readonly Call[], maxSize: number): string | undefined {
  const events = history.flatMap((call) => [
    { at: call.calledAt, call, returns: false },
    ...(call.returnedAt === undefined ? [] : [{ at: call.returnedAt, call, returns: true }]),
  ]);
  // What begins when another ends may come first: that excludes less.
  events.sort((one, other) => one.at - other.at || Number(one.returns) - Number(other.returns));
  const underWay = new Set<Call>();
  const start: Possible = { state: [], happened: new Set() };
  let possible = new Map([[keyOf(start), start]]);
  for (const [index, { call, returns }] of events.entries()) {
    if (!returns) {
      underWay.add(call);
      continue;
    }
    const next = inWhichItHappened(possible.values(), call, underWay, maxSize);
    if (next.size === 0) {
      const before = events.slice(Math.max(0, index - 30), index + 1);
      return [
        `${describe(call)} cannot be explained. Before it:`,
        ...before.map(
          (event) => `  ${event.returns ? 'ends  ' : 'begins'} ${describe(event.call)}`,
        ),
        ...[...possible.keys()].map((key) => `  possible: ${key}`),
      ].join('\n');
    }
    // A player that has died leaves no call under way.
    const isOver = (one: Call) =>
      one === call || (call.name === 'dies' && one.player === call.player);
    for (const one of underWay) if (isOver(one)) underWay.delete(one);
    possible = new Map();
    for (const { state, happened } of next.values()) {
      const left = new Set([...happened].filter((one) => !isOver(one)));
      const one = { state, happened: left };
      possible.set(keyOf(one), one);
    }
  }
  return undefined;
}

function describe({ player, name, value, result, calledAt, returnedAt }: Call): string {
  const given = value === 0 ? '' : String(value);
  const end = returnedAt === undefined ? 'never returned' : `returned ${result}`;
  const took = returnedAt === undefined ? '' : ` after ${(returnedAt - calledAt).toFixed(4)} ms`;
  return `${calledAt.toFixed(4)} ${player}: ${name}(${given}) ${end}${took}`;
}
