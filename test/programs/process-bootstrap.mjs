// A module that --import, --require or NODE_OPTIONS loads into a program, and so into its children.
// $BOOTSTRAP says what it does. $GENERATION counts the processes between it and the program, and
// ends a chain that would have no end.
import { currentProcess, parentProcess, Process, setStartMethod } from 'holdfast';
import { say } from './process-program.mjs';

const generation = Number(process.env.GENERATION ?? 0);
process.env.GENERATION = String(generation + 1);
if (generation > 3) process.exit(99);

const here = { module: import.meta.url, export: 'target' };
const parent = parentProcess();
say(['preloaded', generation, currentProcess().name, parent && [parent.name, parent.alive()]]);

export function target() {
  say(['target', currentProcess().name, process.env.HOLDFAST_CHILD ?? null]);
}

const acts = {
  guarded() {
    if (parentProcess() === null) new Process(here).start();
  },
  unguarded() {
    try {
      new Process(here).start();
    } catch (error) {
      say(['refused', error.message.slice(0, 27)]);
    }
  },
  forkserver() {
    setStartMethod('forkserver', { idle: 1 });
  },
};

acts[process.env.BOOTSTRAP]();
