// Jobs travel as JSON: an engine is read by programs in other languages, and on other hosts.
import { DecodeError, EncodeError } from '../errors.js';

/** @throws EncodeError for what JSON cannot carry. */
export function toJson(value: unknown): string {
  let text: string | undefined;
  try {
    text = JSON.stringify(value) as string | undefined;
  } catch (cause) {
    throw new EncodeError('a job must be a value that JSON can carry', { cause });
  }
  if (text === undefined) {
    throw new EncodeError(`a job must be a value that JSON can carry, not ${typeof value}`);
  }
  return text;
}

/** @throws DecodeError */
export function fromJson(text: string): unknown {
  try {
    return JSON.parse(text) as unknown;
  } catch (cause) {
    throw new DecodeError('a job is no JSON: another program has put it', Buffer.from(text), {
      cause,
    });
  }
}

export function isJson(text: string): boolean {
  try {
    JSON.parse(text);
    return true;
  } catch {
    return false;
  }
}
