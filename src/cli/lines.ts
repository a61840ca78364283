// `holdfast put`, `get` and `take`: a queue and lines of JSON.
import { fstatSync, writeSync } from 'node:fs';
import {
  EndedError,
  IncompatibleError,
  JoinableQueue,
  NotFoundError,
  Queue,
  type Task,
  TimeoutError,
  type WaitOptions,
} from '../index.js';
import { runHolding } from './child.js';
import {
  type Command,
  UsageError,
  type Values,
  exit,
  numberOption,
  read,
  say,
  splitCommand,
  waitOf,
  waitOptions,
} from './command.js';

/** Opens a queue of either kind. */
function openQueue(name: string, values: Values): Queue {
  const options = { name, ...(values['create'] ? { persistent: true } : { mustExist: true }) };
  try {
    return values['joinable'] ? new JoinableQueue(options) : new Queue(options);
  } catch (error) {
    if (error instanceof IncompatibleError) return new JoinableQueue({ name, mustExist: true });
    if (!(error instanceof NotFoundError)) throw error;
    throw new NotFoundError(`${error.message}; put --create makes a persistent one`, {
      cause: error,
    });
  }
}

function openJoinable(name: string): JoinableQueue {
  return new JoinableQueue({ name, mustExist: true });
}

/** What JSON has no form for becomes what comes closest. */
function toLine(item: unknown): string {
  const text = JSON.stringify(item, (_key, value: unknown) => {
    if (typeof value === 'bigint') return value.toString();
    if (value instanceof Map) return Object.fromEntries(value) as unknown;
    if (value instanceof Set) return [...value] as unknown;
    if (value instanceof Error) return { name: value.name, message: value.message };
    return value;
  });
  return `${text ?? 'null'}\n`;
}

/** Returns when the line is with whoever reads it, so that an item is not lost in a buffer. */
function writeLine(line: string): void {
  const bytes = Buffer.from(line);
  for (let at = 0; at < bytes.length; ) {
    try {
      at += writeSync(1, bytes, at);
    } catch (error) {
      // A pipe that is full and does not block.
      if ((error as NodeJS.ErrnoException).code !== 'EAGAIN') throw error;
      Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, 2);
    }
  }
}

/** The lines of a stream. Those of node:readline end at U+2028 as well, which JSON may have. */
async function* linesOf(input: AsyncIterable<Buffer>): AsyncGenerator<Buffer> {
  let begun: Buffer[] = [];
  for await (const chunk of input) {
    let from = 0;
    for (let at = chunk.indexOf('\n'); at >= 0; at = chunk.indexOf('\n', from)) {
      yield Buffer.concat([...begun, chunk.subarray(from, at)]);
      begun = [];
      from = at + 1;
    }
    begun.push(chunk.subarray(from));
  }
  yield Buffer.concat(begun);
}

async function putLines(queue: Queue, wait: WaitOptions): Promise<void> {
  // Node takes a directory for an empty file.
  if (fstatSync(0).isDirectory()) throw new UsageError('standard input is a directory');
  const utf8 = new TextDecoder('utf-8', { fatal: true });
  let number = 0;
  for await (const line of linesOf(process.stdin)) {
    number++;
    let item: unknown;
    try {
      const text = utf8.decode(line).trim();
      if (text === '') continue;
      item = JSON.parse(text);
    } catch (error) {
      throw new UsageError(`line ${number} is no JSON: ${(error as Error).message}`);
    }
    await queue.put(item, wait);
  }
}

export const put: Command = {
  summary: 'put lines of JSON from standard input into a queue',
  help: `usage: holdfast put [options] QUEUE

Puts each line of standard input, which is JSON, into the queue, in order. Waits for room if the
queue is full. When it ends with 0, all items are in the queue.

      --create     make a persistent Queue if there is none; holdfast rm removes it
      --joinable   make a JoinableQueue
      --end        end the queue after the last line: getters drain it, and then see its end
  -w, --timeout S  wait for room for S seconds at the most, for each item
  -n, --no-wait    do not wait for room

Exit codes: 0; 1 there was no room in time; 64 wrong arguments, standard input is a directory, or a
line is no JSON (those before it are in the queue); 66 there is no such queue; 71 the system refused
something, or the queue has ended.
`,
  async run(args) {
    const { values, positionals } = read(args, { ...waitOptions, ...making, end }, ['QUEUE']);
    const wait = waitOf(values);
    const queue = openQueue(positionals[0]!, values);
    try {
      await putLines(queue, wait);
      if (values['end']) queue.end();
      return exit.ok;
    } catch (error) {
      if (!(error instanceof TimeoutError)) throw error;
      say(`put: ${error.message}`);
      return exit.negative;
    } finally {
      process.stdin.destroy();
      queue.close();
    }
  },
};

const end = { type: 'boolean' } as const;
const making = { create: { type: 'boolean' }, joinable: { type: 'boolean' } } as const;
const counting = {
  count: { type: 'string', short: 'N' },
  follow: { type: 'boolean', short: 'f' },
} as const;

/** How many items are asked for. */
function countOf(values: Values): number {
  if (values['follow'] && values['count'] !== undefined) {
    throw new UsageError('take one of --count and --follow');
  }
  if (values['follow']) return Infinity;
  return numberOption(values, 'count', 1, Number.MAX_SAFE_INTEGER) ?? 1;
}

/**
 * Calls `one` for each item. The exit code: 0 if there were as many as asked for, or the queue has
 * ended after at least one, or with --follow; 1 otherwise.
 */
async function forItems(count: number, one: () => Promise<void>): Promise<number> {
  let done = 0;
  try {
    for (; done < count; done++) await one();
    return exit.ok;
  } catch (error) {
    if (!(error instanceof EndedError || error instanceof TimeoutError)) throw error;
    const isWhole = error instanceof EndedError && (count === Infinity || done > 0);
    return isWhole ? exit.ok : exit.negative;
  }
}

const itemOptions = `  -N, --count N    so many items; 1 without it
  -f, --follow     until the queue has ended (put --end, queue.end())
  -w, --timeout S  wait for S seconds at the most, for each item
  -n, --no-wait    do not wait`;

export const get: Command = {
  summary: 'get items out of a queue, as lines of JSON',
  help: `usage: holdfast get [options] QUEUE

Gets an item and prints it as a line of JSON. An item whose reader goes away before it has read the
line is lost: holdfast take is for items that must not be.

${itemOptions}

Values that JSON does not have are written as what comes closest: a BigInt as text, a Map as an
object, a Set as an array, bytes as { type: 'Buffer', data }.
Exit codes: 0; 1 there was nothing in time, or the queue has ended; 64 wrong arguments; 66 there is
no such queue; 71 the system refused something.
`,
  async run(args) {
    const { values, positionals } = read(args, { ...waitOptions, ...counting }, ['QUEUE']);
    const wait = waitOf(values);
    const count = countOf(values);
    const queue = openQueue(positionals[0]!, values);
    try {
      return await forItems(count, async () => writeLine(toLine(await queue.get(wait))));
    } finally {
      queue.close();
    }
  },
};

export const take: Command = {
  summary: 'take items of a JoinableQueue, one command for each',
  help: `usage: holdfast take [options] QUEUE -- COMMAND [arguments]
       holdfast take [options] QUEUE

Takes an item on lease and runs COMMAND with the item as a line of JSON on its standard input. If
COMMAND ends with 0, the item is done. Otherwise it goes back, and somebody else takes it.
HOLDFAST_DELIVERIES says how often it has been taken. If holdfast is killed, the lease lasts until
COMMAND has ended; then the item goes back.

Without COMMAND the item is printed as a line, and is done as soon as the line is written.

${itemOptions}

Exit codes: 0; the exit code of the first COMMAND that failed; 1 there was nothing in time, or the
queue has ended; 64 wrong arguments; 66 there is no such queue; 69 COMMAND cannot be started; 71 the
system refused something.
`,
  async run(args) {
    const [ours, command] = splitCommand(args);
    const { values, positionals } = read(ours, { ...waitOptions, ...counting }, ['QUEUE']);
    const wait = waitOf(values);
    const count = countOf(values);
    const queue = openJoinable(positionals[0]!);
    let failure = 0;
    const one = async () => {
      const task = await queue.take(wait);
      let code;
      try {
        code = await work(queue, task, command);
      } catch (error) {
        task.retry(); // it was not printed, or no command was started
        throw error;
      }
      failure ||= code;
      // What cannot be started fails for every item, and what was interrupted is to stop.
      if (code === exit.unavailable || code > 128) throw new Stopped();
    };
    try {
      const code = await forItems(count, one);
      return failure || code;
    } catch (error) {
      if (error instanceof Stopped) return failure;
      // A reader that has seen enough is no failure.
      if ((error as NodeJS.ErrnoException).code === 'EPIPE') return exit.ok;
      throw error;
    } finally {
      queue.close();
    }
  },
};

/** Does what is to be done with an item that was taken. Returns the exit code. */
async function work(queue: JoinableQueue, task: Task<unknown>, command: string[]): Promise<number> {
  const line = toLine(task.value);
  if (command.length === 0) {
    writeLine(line);
    task.done();
    return exit.ok;
  }
  const env = { ...process.env, HOLDFAST_DELIVERIES: String(task.deliveries) };
  const code = await runHolding(queue.native, command, { env, input: line });
  if (code === 0) task.done();
  else task.retry();
  return code;
}

/** Ends the loop of take. */
class Stopped extends Error {}
