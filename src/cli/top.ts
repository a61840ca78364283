// `holdfast top`: all objects and Pools, live.
import { graphOf } from '../observe/graph.js';
import { PoolRates, type RatedPool, seePools } from '../observe/pools.js';
import { type Rated, Rates, keyOf } from '../observe/rates.js';
import { waitsOf } from '../observe/snapshot.js';
import { clearInterval, now, setInterval, setTimeout } from '../waiting/clock.js';
import {
  type Command,
  UsageError,
  choiceOption,
  exit,
  numberOption,
  read,
  secondsOption,
} from './command.js';
import { holdersOf, queueColumns } from './list.js';
import { type Source, sourceHelp, sourceOf, sourceOptions } from './source.js';
import { printable } from '../observe/printable.js';
import { type Column, bytes, cut, duration, rate, table } from './text.js';

const columns: readonly Column<Rated>[] = [
  { head: 'KIND', of: ({ kind }) => kind },
  { head: 'NAME', of: ({ name }) => cut(printable(name), 40) },
  { head: 'USED/s', of: ({ acquired }) => rate(acquired), right: true },
  { head: 'CONTENDED/s', of: ({ contended }) => rate(contended), right: true },
  { head: 'WAITING', of: (one) => String(waitsOf(one)), right: true },
  { head: 'LONGEST', of: ({ state }) => duration(state?.longestWait), right: true },
  { head: 'FOR', of: ({ state }) => duration(state?.heldFor), right: true },
  ...queueColumns,
  { head: 'HELD BY', of: holdersOf },
];

const poolColumns: readonly Column<RatedPool>[] = [
  { head: 'POOL', of: ({ name }) => cut(printable(name), 40) },
  { head: 'PID', of: ({ pid }) => String(pid), right: true },
  { head: 'WORKERS', of: ({ processes }) => String(processes), right: true },
  { head: 'BUSY', of: ({ busy }) => String(busy), right: true },
  { head: 'WAITING', of: ({ waiting }) => String(waiting), right: true },
  { head: 'TASKS/s', of: (pool) => rate(pool.rate), right: true },
  { head: 'DONE', of: ({ done }) => String(done), right: true },
  { head: 'FAILED', of: ({ failed }) => String(failed), right: true },
  { head: 'LONGEST', of: ({ longest }) => duration(longest), right: true },
  { head: 'MEMORY', of: ({ memory }) => bytes(memory), right: true },
];

/** By which number the rows are sorted, the largest first; names the other way round. */
const orders = {
  used: (one: Rated) => one.acquired,
  contended: (one: Rated) => one.contended,
  waiting: waitsOf,
  longest: (one: Rated) => one.state?.longestWait ?? -1,
  held: (one: Rated) => one.state?.heldFor ?? -1,
  name: () => 0,
} as const;
type Order = keyof typeof orders;
const orderNames = Object.keys(orders) as Order[];

function rowsOf(rated: readonly Rated[], order: Order, filter: string): Rated[] {
  const wanted = rated.filter((one) => keyOf(one).toLowerCase().includes(filter.toLowerCase()));
  return wanted.toSorted(
    (a, b) => orders[order](b) - orders[order](a) || (a.name < b.name ? -1 : 1),
  );
}

/** What is seen at one moment. */
interface Look {
  readonly rated: readonly Rated[];
  readonly pools: readonly RatedPool[];
}

/** Looks again and again. */
class Looks {
  readonly #rates = new Rates();
  readonly #poolRates = new PoolRates();

  readonly #source: Source;

  constructor(source: Source) {
    this.#source = source;
  }

  async next(): Promise<Look> {
    const seen = await this.#source.next();
    const at = now();
    const pools = this.#source.isEngine ? [] : seePools(seen);
    return { rated: this.#rates.next(seen, at), pools: this.#poolRates.next(pools, at) };
  }
}

interface View {
  order: Order;
  filter: string;
  /** What is typed into the filter now; undefined otherwise. */
  typing: string | undefined;
}

/** The lines of one picture: a head, as many rows as fit, and the Pools. */
function picture({ rated, pools }: Look, view: View, width: number, height: number): string[] {
  const filter = view.typing ?? view.filter;
  const rows = rowsOf(rated, view.order, filter);
  const { waits, suspicions } = graphOf(rated);
  const held = rated.filter(({ state }) => (state?.holders.length ?? 0) > 0).length;
  const cycles = suspicions.length === 0 ? '' : `, possible deadlocks: ${suspicions.length}`;
  const head = `${rated.length} objects, ${held} held, ${waits.length} waits${cycles}`;
  const typed = view.typing === undefined ? '' : '_';
  const shown = filter || typed ? `, only "${printable(filter)}${typed}"` : '';
  const lines = [`${head}; by ${view.order}${shown}`, ...table(rows, columns)];
  const wanted = filter.toLowerCase();
  const found = pools.filter(({ name }) => `pool ${name}`.toLowerCase().includes(wanted));
  const below = found.length === 0 ? [] : ['', ...table(found, poolColumns)];
  const room = Math.max(2, height - below.length);
  const left = lines.length - room;
  if (left > 0) lines.splice(room - 1, lines.length, `... ${left + 1} more`);
  return [...lines, ...below].map((line) => cut(line, width));
}

const keysHelp = 'q quit   s sort   / filter';

/** What a key does. Returns false to quit. */
function press(view: View, key: string): boolean {
  if (key === '\u0003') return false;
  if (view.typing !== undefined) {
    if (key === '\r' || key === '\n') [view.filter, view.typing] = [view.typing, undefined];
    else if (key === '\u001B') view.typing = undefined;
    else if (key === '\u007F' || key === '\b') view.typing = [...view.typing].slice(0, -1).join('');
    else if (!/\p{Cc}/u.test(key)) view.typing += key;
    return true;
  }
  if (key === 'q') return false;
  if (key === 's') {
    view.order = orderNames[(orderNames.indexOf(view.order) + 1) % orderNames.length]!;
  }
  if (key === '/') view.typing = '';
  if (key === '\u001B') view.filter = '';
  return true;
}

/** A terminal: the alternate screen, raw keys, and a new picture after each change. */
function live(source: Source, view: View, interval: number): Promise<number> {
  const { stdin, stdout } = process;
  const looks = new Looks(source);
  let seen: Look = { rated: [], pools: [] };
  let isOver = false;
  const draw = () => {
    if (isOver) return;
    const { columns: width = 80, rows: height = 24 } = stdout;
    const lines = picture(seen, view, width, height - 1).slice(0, Math.max(0, height - 1));
    const padded = [
      ...lines,
      ...Array.from({ length: Math.max(0, height - 1 - lines.length) }, () => ''),
    ];
    const bold = (line: string, i: number) => (i === 1 ? `\u001B[7m${line}\u001B[0m` : line);
    const body = padded.map((line, i) => `${bold(line, i)}\u001B[K`).join('\r\n');
    stdout.write(`\u001B[H${body}\r\n${cut(keysHelp, width - 1)}\u001B[K`);
  };
  return new Promise((resolve, reject) => {
    let isLooking = false;
    const look = () => {
      if (isLooking) return;
      isLooking = true;
      looks.next().then((look) => {
        isLooking = false;
        seen = look;
        draw();
      }, end);
    };
    const onKey = (text: Buffer) => {
      for (const key of text.toString()) if (!press(view, key)) return end();
      draw();
    };
    const timer = setInterval(look, interval);
    const end = (error?: unknown) => {
      if (isOver) return;
      isOver = true;
      clearInterval(timer);
      stdin.off('data', onKey).setRawMode?.(false).pause();
      stdout.off('resize', draw).write('\u001B[?7h\u001B[?25h\u001B[?1049l');
      for (const signal of ['SIGTERM', 'SIGHUP', 'SIGINT']) process.off(signal, onSignal);
      if (error === undefined) resolve(exit.ok);
      else reject(error as Error);
    };
    const onSignal = () => end();
    for (const signal of ['SIGTERM', 'SIGHUP', 'SIGINT']) process.on(signal, onSignal);
    // No line wraps: some characters take two columns, and cut() counts one.
    stdout.write('\u001B[?1049h\u001B[?25l\u001B[?7l\u001B[2J');
    stdout.on('resize', draw);
    stdin.setRawMode?.(true);
    stdin.on('data', onKey);
    look();
  });
}

/** Not a terminal: one picture after the other, whole and without escapes. */
async function plain(source: Source, view: View, interval: number, count: number): Promise<number> {
  const looks = new Looks(source);
  await looks.next();
  for (let i = 0; i < count; i++) {
    await new Promise((resolve) => setTimeout(resolve, interval));
    const lines = picture(await looks.next(), view, Infinity, Infinity);
    process.stdout.write(`${i > 0 ? '\n' : ''}${lines.join('\n')}\n`);
  }
  return exit.ok;
}

export const top: Command = {
  summary: 'watch all objects and Pools live',
  help: `usage: holdfast top [--sort ORDER] [--filter TEXT] [--interval S] [--count N]
                    [--url URL [--namespace NAME]]

Shows all objects and what happens to them, again every second. USED/s: acquisitions, of a queue
items put. CONTENDED/s: those that had to wait. Of a queue: ITEMS that can be had now, and DELAYED
ones, which nobody can take yet. Below them: Pools, with BUSY workers, WAITING tasks, and how long
the LONGEST task has run.

      --sort ORDER    ${orderNames.join(', ')}; the first without it
      --filter TEXT   only objects and Pools with TEXT in kind or name
      --interval S    seconds between two looks; 1 without it
      --count N       so many pictures; without it one, and no end in a terminal
${sourceHelp}

In a terminal: q quits, s sorts by the next column, / filters (Enter keeps, Escape drops it).
Written to a file or a pipe, it is plain text.
Exit codes: 0; 64 wrong arguments; 71 the system refused something.
`,
  run(args) {
    const { values } = read(args, {
      sort: { type: 'string' },
      filter: { type: 'string' },
      interval: { type: 'string' },
      count: { type: 'string' },
      ...sourceOptions,
    });
    const order = choiceOption(values, 'sort', orderNames) ?? 'used';
    const interval = secondsOption(values, 'interval') ?? 1000;
    if (interval < 50) throw new UsageError('--interval is at least 0.05');
    const count = numberOption(values, 'count', 1, 1e9);
    const view: View = { order, filter: String(values['filter'] ?? ''), typing: undefined };
    const isLive = process.stdout.isTTY && process.stdin.isTTY && count === undefined;
    const source = sourceOf(values);
    const shown = isLive ? live(source, view, interval) : plain(source, view, interval, count ?? 1);
    return shown.finally(() => source.close());
  },
};
