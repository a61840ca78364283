#!/usr/bin/env node
// `holdfast`, the command. docs/cli.md describes it for users.
import path from 'node:path';
import { DeadlockError, HoldfastError, NotFoundError } from '../index.js';
import { type Command, UsageError, exit, say } from './command.js';
import { commands } from './commands.js';

function version(): string {
  return (require(path.join(__dirname, '../../package.json')) as { version: string }).version;
}

function help(): string {
  const width = Math.max(...Object.keys(commands).map((name) => name.length));
  const lines = Object.entries(commands).map(
    ([name, { summary }]) => `  ${name.padEnd(width)}  ${summary}`,
  );
  return `holdfast ${version()}: locks and queues between processes, from the shell

usage: holdfast COMMAND [arguments]
       holdfast COMMAND --help
       holdfast --help | --version

${lines.join('\n')}

Objects are those of the user, in $HOLDFAST_DIR or the default directory.
Exit codes: 0 all went well, 1 as the command's --help says, 64 wrong arguments,
66 no such object, 69 a command cannot be started, 70 a deadlock,
71 the system refused something.
`;
}

async function runCommand(name: string, command: Command, args: string[]): Promise<number> {
  // Only in front: `run NAME command --help` asks the command.
  if (args[0] === '--help') {
    process.stdout.write(command.help);
    return exit.ok;
  }
  try {
    return await command.run(args);
  } catch (error) {
    return explain(name, error);
  }
}

function explain(name: string, error: unknown): number {
  if (error instanceof UsageError) {
    say(`${name}: ${error.message}; see holdfast ${name} --help`);
    return exit.usage;
  }
  if (error instanceof TypeError || error instanceof RangeError) {
    say(`${name}: ${error.message}`);
    return exit.usage;
  }
  say(`${name}: ${error instanceof Error ? error.message : String(error)}`);
  if (error instanceof NotFoundError) return exit.noInput;
  if (error instanceof DeadlockError) return exit.deadlock;
  const isUnexpected = error instanceof Error && !(error instanceof HoldfastError);
  if (isUnexpected && process.env['HOLDFAST_DEBUG']) say(error.stack ?? '');
  return exit.system;
}

async function main(args: string[]): Promise<number> {
  const [name, ...rest] = args;
  if (name === undefined) {
    process.stderr.write(help());
    return exit.usage;
  }
  if (name === '--help' || name === 'help') {
    process.stdout.write(help());
    return exit.ok;
  }
  if (name === '--version') {
    process.stdout.write(`${version()}\n`);
    return exit.ok;
  }
  const command = Object.hasOwn(commands, name) ? commands[name] : undefined;
  if (command === undefined) {
    say(`there is no command ${JSON.stringify(name)}; see holdfast --help`);
    return exit.usage;
  }
  return runCommand(name, command, rest);
}

// A reader that has seen enough, such as `head`, is no failure.
process.stdout.on('error', (error: NodeJS.ErrnoException) => {
  process.exit(error.code === 'EPIPE' ? exit.ok : exit.system);
});

void main(process.argv.slice(2)).then((code) => {
  process.exitCode = code;
});
