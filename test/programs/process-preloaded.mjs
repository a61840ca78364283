// What a preload leaves, and a fresh process has not.
import { writeSync } from 'node:fs';

globalThis.preloaded = (globalThis.preloaded ?? 0) + 1;
if (process.env.SAY_PRELOADED) writeSync(1, '"preloaded"\n');
