// `holdfast trace`: a picture of every wait and hold of all processes that a command starts.
import { mkdtempSync, readFileSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { type TraceLine, type TraceThread, traceOf } from '../observe/trace.js';
import { runCommand } from './child.js';
import { type Command, UsageError, read, say, splitCommand } from './command.js';

/** What a thread has written. The last line of one that was killed may be cut off. */
function readThread(file: string): TraceThread {
  const [pid, threadId] = path.basename(file, '.jsonl').split('-').map(Number);
  const lines = readFileSync(file, 'utf8')
    .split('\n')
    .flatMap((line): TraceLine[] => {
      try {
        return [JSON.parse(line) as TraceLine];
      } catch {
        return [];
      }
    });
  return { pid: pid!, threadId: threadId!, lines };
}

/** NODE_OPTIONS that load the module that listens. Node reads quoted words there. */
function nodeOptions(): string {
  const file = path.join(__dirname, 'trace-preload.js');
  const quoted = `"${file.replace(/["\\]/g, '\\$&')}"`;
  return `${process.env['NODE_OPTIONS'] ?? ''} --require ${quoted}`.trim();
}

async function run(args: string[]): Promise<number> {
  const [ours, command] = splitCommand(args);
  const { values } = read(ours, { output: { type: 'string', short: 'o' } });
  const output = values['output'];
  if (typeof output !== 'string') throw new UsageError('-o FILE is missing');
  if (command.length === 0) throw new UsageError('-- COMMAND is missing');
  writeFileSync(output, ''); // an error before the command has run is better than one after it
  const directory = mkdtempSync(path.join(os.tmpdir(), 'holdfast-trace-'));
  try {
    const env = {
      ...process.env,
      NODE_OPTIONS: nodeOptions(),
      HOLDFAST_TRACE_DIR: directory,
    };
    const code = await runCommand(command, { env });
    const files = readdirSync(directory).map((name) => path.join(directory, name));
    const traceEvents = traceOf(files.map(readThread));
    writeFileSync(output, JSON.stringify({ displayTimeUnit: 'ms', traceEvents }));
    if (traceEvents.length === 0) say('trace: no process has used a lock or a queue');
    return code;
  } finally {
    rmSync(directory, { recursive: true, force: true });
  }
}

export const trace: Command = {
  summary: 'write a Chrome trace of all waits and holds of a command',
  help: `usage: holdfast trace -o FILE -- COMMAND [arguments]

Runs COMMAND and writes a trace of every wait and hold of all Node processes that it starts, and of
their worker threads: when each thread waited for which object, when it held it, and an arrow from
each release to the acquisition that had waited for it; puts and gets; starts and ends of Processes.
The file is a Chrome trace: open it at https://ui.perfetto.dev or in chrome://tracing.

  -o, --output FILE  where to write it

The processes are found by NODE_OPTIONS, so one that clears its environment is not seen. Tracing
costs some microseconds for each acquisition.
Exit codes: that of COMMAND, or 128 and the number of the signal that ended it; 64 wrong arguments;
69 COMMAND cannot be started; 71 the system refused something.
`,
  run,
};
