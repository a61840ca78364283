// State that exists once in a thread, however many copies of this package's JavaScript the thread
// loads over one addon. A test runner loads modules again for each test file, and the addon only
// once. So the addon keeps what the copies share. A copy of another version has its own addon, and
// so its own agent.
import { addon } from './load.js';

/** Returns the value of that name. The first copy that asks makes it. */
export function once<T>(name: string, make: () => T): T {
  const kept = addon.kept!;
  if (!kept.has(name)) kept.set(name, make());
  return kept.get(name) as T;
}
