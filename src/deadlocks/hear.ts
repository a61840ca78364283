// What all threads tell of their waits, as it is heard.
import { addon } from '../native/load.js';
import { type Told, fromText } from './record.js';

/** What all threads tell, and the texts of it by agent. */
export function hear(): { threads: Told[]; texts: Map<string, string> } {
  const row = addon.hearWaits();
  const threads: Told[] = [];
  const texts = new Map<string, string>();
  for (let i = 0; i < row.length; i += 3) {
    const [agent, version, text] = row.slice(i, i + 3) as [string, number, string];
    const told = fromText(agent, version, text);
    if (told === undefined) continue;
    threads.push(told);
    texts.set(agent, text);
  }
  return { threads, texts };
}
