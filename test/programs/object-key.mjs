import { createHash } from 'node:crypto';

/** What the names of an object's files end with, which begin with `object.` and `spare.`. */
export function objectKey(name) {
  return createHash('sha256').update(name).digest('hex').slice(0, 26);
}
