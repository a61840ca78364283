// Sets and clears an event, for ever, until it is killed at some instruction.
import { writeSync } from 'node:fs';
import { Event } from 'holdfast';

const event = new Event({ name: process.argv[2] });
event.set();
event.clear();
writeSync(1, 'ready\n');
for (;;) {
  event.set();
  event.clear();
}
