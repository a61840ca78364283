// `holdfast ls` and `holdfast show`.
import { NotFoundError } from '../index.js';
import { type Seen, snapshot, waitsOf } from '../observe/snapshot.js';
import { type Command, exit, read } from './command.js';
import { lookOnce, sourceHelp, sourceOf, sourceOptions } from './source.js';
import { printable } from '../observe/printable.js';
import { type Column, agent, bytes, count, duration, table } from './text.js';

/** The holders in few words. */
export function holdersOf({ state, locks }: Seen): string {
  if (locks) return locks.length === 0 ? '-' : `${locks.length} names`;
  if (!state) return '-';
  if (state.holders.length === 0) return state.abandoned ? 'died' : '-';
  const [first, ...more] = state.holders;
  const times = first!.count > 1 ? ` x${first!.count}` : '';
  return `${agent(first!)}${times}${more.length > 0 ? ` +${more.length}` : ''}`;
}

/** What a queue has in it. */
export const queueColumns: readonly Column<Seen>[] = [
  { head: 'ITEMS', of: ({ state }) => count(state?.size), right: true },
  { head: 'DELAYED', of: ({ state }) => count(state?.delayed), right: true },
];

export const columns: readonly Column<Seen>[] = [
  { head: 'KIND', of: ({ kind }) => kind },
  { head: 'NAME', of: ({ name }) => printable(name) },
  { head: 'HELD BY', of: holdersOf },
  { head: 'FOR', of: ({ state }) => duration(state?.heldFor), right: true },
  { head: 'WAITING', of: (seen) => String(waitsOf(seen)), right: true },
  { head: 'LONGEST', of: ({ state }) => duration(state?.longestWait), right: true },
  { head: 'ACQUIRED', of: ({ state }) => count(state?.acquisitions ?? state?.puts), right: true },
  { head: 'CONTENDED', of: ({ state }) => count(state?.contentions), right: true },
  { head: 'ABANDONED', of: ({ state }) => count(state?.abandonments), right: true },
  ...queueColumns,
  { head: 'STORAGE', of: (seen) => bytes(seen.bytes), right: true },
];

const columnOf = (head: string): Column<Seen> => columns.find((one) => one.head === head)!;

/** What an engine knows. */
const engineColumns: readonly Column<Seen>[] = [
  ...['KIND', 'NAME', 'HELD BY', 'FOR', 'WAITING', 'LONGEST'].map(columnOf),
  { head: 'TOKEN', of: ({ token }) => token ?? '-', right: true },
  columnOf('ITEMS'),
  { head: 'TAKEN', of: ({ state }) => count(state?.leased), right: true },
];

export const ls: Command = {
  summary: 'list all objects: who holds them, who waits',
  help: `usage: holdfast ls [--json] [--url URL [--namespace NAME]]

Lists every object of the user: its kind and name, the thread that holds it (pid, /worker, name of
the process), for how long it has been seen held, how many wait, how long the longest has waited,
how often it was acquired (queues: items put), how many acquisitions had to wait, how many
followed a holder that died, how many items a queue has that can be had now, and how many are
DELAYED: nobody can take them yet. Last comes the storage of its file. "died": the last holder died,
and nobody has been told of it yet.

  --json            one JSON array with everything that is known
${sourceHelp}

Of an engine: locks and semaphores that are held or waited for, with the TOKEN of the last grant,
and queues that have jobs, with how many wait (ITEMS) and how many are TAKEN.

Exit codes: 0; 64 wrong arguments; 71 the system or the engine refused something.
`,
  async run(args) {
    const { values } = read(args, { json: { type: 'boolean' }, ...sourceOptions });
    const source = sourceOf(values);
    const seen = await lookOnce(source);
    const shown = source.isEngine ? engineColumns : columns;
    if (values['json']) process.stdout.write(`${JSON.stringify(seen, undefined, 2)}\n`);
    else process.stdout.write(`${table(seen, shown).join('\n')}\n`);
    return exit.ok;
  },
};

/** All that is known of an object, a fact a line. */
function* facts({
  kind,
  name,
  persistent,
  inUse,
  format,
  state,
  locks,
  bytes: size,
}: Seen): Generator<[string, string]> {
  yield ['kind', kind];
  yield ['name', printable(name)];
  yield ['persistent', persistent ? 'yes' : 'no'];
  yield ['in use', inUse ? 'yes' : 'no'];
  if (format !== undefined) yield ['format', `${format}; this program cannot open it`];
  yield ['storage', bytes(size)];
  for (const lock of locks ?? []) {
    yield ['lock', printable(lock.name)];
    for (const holder of lock.holders) yield ['  held by', `${agent(holder)}, ${holder.how}`];
    for (const waiter of lock.waiters) yield ['  waiting', `${agent(waiter)}, ${waiter.how}`];
  }
  if (!state) return;
  const { holders, waiters, abandoned, heldFor, longestWait, ...numbers } = state;
  if (abandoned) yield ['abandoned', 'a holder died, and nobody has been told of it yet'];
  for (const { how, count: held, ...holder } of holders) {
    yield ['held by', `${agent(holder)}, ${how}${held > 1 ? `, ${held} times` : ''}`];
  }
  if (holders.length > 0) yield ['held for', duration(heldFor)];
  for (const { how, count: waiting, ...waiter } of waiters) {
    yield ['waiting', `${agent(waiter)}, ${how}${waiting > 1 ? `, ${waiting} times` : ''}`];
  }
  if (waiters.length > 0) yield ['longest wait', duration(longestWait)];
  for (const [key, value] of Object.entries(numbers)) yield [key, String(value)];
}

export const show: Command = {
  summary: 'show all that is known of one object',
  help: `usage: holdfast show [--json] KIND NAME

Shows one object: who holds it and who waits for it, and its counters. KIND is a class, such as
Lock; upper and lower case are the same.

  --json  one JSON object

Exit codes: 0; 64 wrong arguments; 66 there is no such object; 71 the system refused something.
`,
  async run(args) {
    const { values, positionals } = read(args, { json: { type: 'boolean' } }, ['KIND', 'NAME']);
    const [kind, name] = positionals as [string, string];
    const found = (await snapshot()).find(
      (one) => one.kind.toLowerCase() === kind.toLowerCase() && one.name === name,
    );
    if (found === undefined) {
      throw new NotFoundError(`there is no ${kind} ${JSON.stringify(name)}`);
    }
    if (values['json']) {
      process.stdout.write(`${JSON.stringify(found, undefined, 2)}\n`);
      return exit.ok;
    }
    const lines = [...facts(found)];
    const width = Math.max(...lines.map(([key]) => key.length));
    for (const [key, value] of lines) process.stdout.write(`${key.padEnd(width)}  ${value}\n`);
    return exit.ok;
  },
};
