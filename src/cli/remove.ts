// `holdfast rm` and `holdfast gc`.
import { type KindName, NotFoundError, list, unlink } from '../index.js';
import { kinds } from '../native/enums.js';
import { addon } from '../native/load.js';
import { now } from '../waiting/clock.js';
import { type Command, UsageError, exit, read, say } from './command.js';
import { printable } from '../observe/printable.js';

/** Somebody may have the directory locked all the time. */
const longestSweep_ms = 60_000;

/** The kind that a user means, whatever its case. */
function kindOf(text: string): KindName | 'unknown' {
  const all = [...Object.keys(kinds), 'unknown'];
  const kind = all.find((one) => one.toLowerCase() === text.toLowerCase());
  if (kind === undefined) throw new UsageError(`KIND is one of ${all.join(', ')}, not ${text}`);
  return kind as KindName | 'unknown';
}

export const rm: Command = {
  summary: 'take the name of an object away',
  help: `usage: holdfast rm [--force] KIND NAME

Takes the name away at once, as unlink() does. Those who have the object open keep it; the next open
of the name makes a new object. While somebody has it open, --force is needed: two programs that
believe to share it would then have two objects.

  -f, --force  also if somebody has it open; no error if there is none

Exit codes: 0; 1 it is in use; 64 wrong arguments; 66 there is no such object; 71 the system refused
something.
`,
  run(args) {
    const { values, positionals } = read(args, { force: { type: 'boolean', short: 'f' } }, [
      'KIND',
      'NAME',
    ]);
    const kind = kindOf(positionals[0]!);
    const name = positionals[1]!;
    const isUsed = list().some((one) => one.kind === kind && one.name === name && one.inUse);
    if (isUsed && !values['force']) {
      say(`rm: ${kind} ${JSON.stringify(name)} is in use; --force removes it`);
      return exit.negative;
    }
    try {
      unlink(kind, name);
    } catch (error) {
      if (!values['force'] || !(error instanceof NotFoundError)) throw error;
    }
    return exit.ok;
  },
};

export const gc: Command = {
  summary: 'remove what dead processes left',
  help: `usage: holdfast gc [--abandoned] [--foreign] [--dry-run]

Removes what killed processes left: half-made files, doorbells, objects that nobody can use any
more. The package does the same whenever a program starts. Two things stay until they are asked
for, because somebody may still want them:

  --abandoned  also locks whose holder died while nobody else had them open: the next holder will
               not be told of that death
  --foreign    also objects of other versions of the package that nobody has open, with what is in
               them
  --dry-run    only say what would be removed

Persistent objects stay: see holdfast rm. Prints what it removes, one object a line.
Exit codes: 0; 64 wrong arguments; 71 the system refused something.
`,
  run(args) {
    const { values } = read(args, {
      abandoned: { type: 'boolean' },
      foreign: { type: 'boolean' },
      'dry-run': { type: 'boolean' },
    });
    // The first look at the directory begins to sweep it, and gives way to others after each step.
    list();
    const deadline = now() + longestSweep_ms;
    while (addon.sweep() && now() < deadline);
    for (const { kind, name, persistent, inUse, format } of list()) {
      if (inUse) continue;
      const isAsked = format !== undefined ? values['foreign'] : values['abandoned'] && !persistent;
      if (!isAsked) continue;
      process.stdout.write(`${kind} ${printable(name)}\n`);
      if (!values['dry-run']) unlink(kind, name);
    }
    return exit.ok;
  },
};
