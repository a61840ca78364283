// Who has a session, for those who look at an engine from outside, and for deadlocks.
import os from 'node:os';
import { type ThreadFacts, thisThread } from '../identity.js';

/** A thread of a process on some host. */
export interface Client extends ThreadFacts {
  readonly host: string;
}

/** Of an engine that does not know who has a session. */
export const unknownClient: Client = { host: '', pid: 0, threadId: 0, processName: '' };

/** This thread, as JSON. */
export function clientText(): string {
  const client: Client = { host: os.hostname(), ...thisThread() };
  // PostgreSQL takes no NUL, and no half of a character.
  return JSON.stringify(client).replaceAll('\\u0000', '').toWellFormed();
}

/** What clientText() made. Of an older version of this package nothing is known. */
export function clientOf(text: string): Client {
  return { ...unknownClient, ...(JSON.parse(text) as Partial<Client>) };
}
