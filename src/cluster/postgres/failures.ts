// What went wrong in PostgreSQL, as an error of clusters.
import { engineErrorOf } from '../errors.js';

/** SQLSTATEs, or the beginnings of them, that no second try changes. What to do about them. */
const unsupported: readonly (readonly [string, string])[] = [
  ['28', 'the server refuses this user or password'],
  ['3D000', 'there is no such database'],
  ['42501', 'the user lacks a privilege: see the page of clusters for what it needs'],
  ['0A000', 'the server cannot do what is needed'],
  ['08P01', 'this is no PostgreSQL, or a pooler is in between: connect to the server itself'],
  ['42', 'the schema "holdfast" is not as this version of the package has made it'],
  ['25006', 'the server is read-only: connect to the primary'],
];

/** `pg` has no code for it. */
const noTls = 'The server does not support SSL connections';

/** Turns any error into one that is documented. */
export function engineError(error: unknown): Error {
  const { code, message } = error as { code?: unknown; message?: unknown };
  if (message === noTls) return engineErrorOf(error, 'PostgreSQL', '');
  const state = typeof code === 'string' ? code : '';
  const found = unsupported.find(([begin]) => state.startsWith(begin));
  return engineErrorOf(error, 'PostgreSQL', found?.[1]);
}
