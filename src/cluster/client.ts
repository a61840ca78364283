// Who has a session, for those who look at an engine from outside, and for deadlocks.
import os from 'node:os';
import { isMainThread, threadId } from 'node:worker_threads';
import { processName } from '../identity.js';

/** A thread of a process on some host. */
export interface Client {
  readonly host: string;
  readonly pid: number;
  readonly threadId: number;
  readonly processName: string;
}

/** This thread, as JSON. */
export function clientText(): string {
  const client: Client = {
    host: os.hostname(),
    pid: process.pid,
    threadId: isMainThread ? 0 : threadId,
    processName: processName(),
  };
  // PostgreSQL takes no NUL, and no half of a character.
  return JSON.stringify(client).replaceAll('\\u0000', '').toWellFormed();
}

/** What clientText() made. Of an older version of this package nothing is known. */
export function clientOf(text: string): Client {
  const read = JSON.parse(text) as Partial<Client>;
  return { host: '', pid: 0, threadId: 0, processName: '', ...read };
}
