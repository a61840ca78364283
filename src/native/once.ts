// What a thread has once, however many copies of this package's JavaScript it loads over one addon.
// A test runner loads modules again for each test file, and the addon only once. So the addon keeps
// what the copies share. Copies of another version have an addon of their own, and so an agent, too.
import { addon } from './load.js';

/** Returns what the first copy made under that name. */
export function once<T>(name: string, make: () => T): T {
  const kept = (addon.kept ??= new Map());
  if (!kept.has(name)) kept.set(name, make());
  return kept.get(name) as T;
}
