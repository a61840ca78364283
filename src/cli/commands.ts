// The list of all subcommands.
import type { Command } from './command.js';
import { dashboard } from './dashboard.js';
import { doctor } from './doctor.js';
import { gc, rm } from './remove.js';
import { ls, show } from './list.js';
import { get, put, take } from './lines.js';
import { run } from './run.js';
import { top } from './top.js';
import { trace } from './trace.js';
import { waits } from './waits.js';

export const commands: Record<string, Command> = {
  run,
  ls,
  show,
  waits,
  top,
  dashboard,
  trace,
  put,
  get,
  take,
  rm,
  gc,
  doctor,
};
