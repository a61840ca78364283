// Names of locks, semaphores and queues on their way to an engine.
//
// A name is any string of JavaScript: it may contain NUL and lone surrogates, which no UTF-8 has.
// Engines get a text in which those are written with a backslash, and two different names never
// become the same text.
import { createHash } from 'node:crypto';
import { toText } from '../locks/arguments.js';

/** In UTF-16 units. */
const longestName = 32_768;
/** In UTF-16 units of the text. PostgreSQL indexes at most 2704 bytes. */
const longestKey = 512;

/**
 * A name as any string that was passed in, converted as WebIDL does.
 *
 * @throws QuotaExceededError (a DOMException) if it is too long.
 */
export function readName(value: unknown): string {
  const name = toText(value, 'name');
  checkNameLength(name);
  return name;
}

/** @throws QuotaExceededError (a DOMException) if it is too long. */
export function checkNameLength(name: string): void {
  if (name.length <= longestName) return;
  throw new DOMException(
    `a name must be at most ${longestName} UTF-16 units, not ${name.length}`,
    'QuotaExceededError',
  );
}

/** A name of these characters stands for itself. */
const isPlain = /^[\w .:/@-]*$/;

/** The text that stands for a name. nameOf() turns it back. */
export function textOf(name: string): string {
  if (isPlain.test(name)) return name;
  const text = name.replaceAll('\\', '\\\\').replaceAll('\0', '\\0');
  return text.replaceAll(/\p{Surrogate}/gu, (unit) => `\\u${unit.charCodeAt(0).toString(16)}`);
}

/** The name that a text of textOf() stands for. */
export function nameOf(text: string): string {
  return text.replaceAll(/\\(\\|0|u([0-9a-f]{4}))/g, (_, what: string, code: string) => {
    if (what === '\\') return '\\';
    return what === '0' ? '\0' : String.fromCharCode(Number.parseInt(code, 16));
  });
}

/** What engines find a name by: its text, or of a long one the beginning and a hash. */
export function keyOf(name: string): string {
  const text = textOf(name);
  if (text.length <= longestKey) return text;
  const hash = createHash('sha256').update(text).digest('hex');
  // No text ends so: a backslash is doubled in it, or followed by `0` or `u`.
  return `${text.slice(0, 64).toWellFormed()}\\#${hash}`;
}
