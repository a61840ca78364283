// What a preload leaves in an idle child, and a fresh process does not have.
import { writeSync } from 'node:fs';

globalThis.preloaded = (globalThis.preloaded ?? 0) + 1;
if (process.env.SAY_PRELOADED) writeSync(1, '"preloaded"\n');
