// Loaded into every process and worker thread that a traced command starts (--require). Writes what
// the channels say to a file of the thread, one message a line, at once: a SIGKILL loses nothing.
// Imports nothing of the package, so that it does not load a second copy of it.
import { subscribe } from 'node:diagnostics_channel';
import { closeSync, openSync, writeSync } from 'node:fs';
import path from 'node:path';
import { threadId } from 'node:worker_threads';

const directory = process.env['HOLDFAST_TRACE_DIR'];

if (directory !== undefined) begin(directory);

function begin(into: string): void {
  let fd: number | undefined;
  const write = (line: object) => {
    fd ??= openSync(path.join(into, `${process.pid}-${threadId}.jsonl`), 'a', 0o600);
    writeSync(fd, `${JSON.stringify(line)}\n`);
  };
  // One clock for all processes of the machine.
  const now_us = () => Number(process.hrtime.bigint()) / 1000;
  const note = (channel: string) => (message: unknown) => {
    const { error, ...rest } = message as { error?: unknown };
    try {
      if (fd === undefined) write({ at: now_us(), title: titleOf() });
      const why = error instanceof Error ? error.message : undefined;
      write({ at: now_us(), channel, ...rest, ...(why !== undefined && { error: why }) });
    } catch {
      // The trace has ended before this process, or there is no space. The program goes on.
      if (fd !== undefined) closeSync(fd);
      fd = undefined;
    }
  };
  for (const channel of ['acquire', 'queue', 'process']) {
    subscribe(`holdfast.${channel}`, note(channel));
  }
}

function titleOf(): string {
  return process.argv[1] === undefined ? process.argv0 : path.basename(process.argv[1]);
}
