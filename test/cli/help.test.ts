// Every subcommand says what it does, and docs/cli.md knows it.
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import path from 'node:path';
import { cli } from '../support/index.js';

const page = readFileSync(path.join(import.meta.dirname, '../../docs/cli.md'), 'utf8');

describe('holdfast --help', function () {
  this.timeout(180_000); // many processes, one after the other
  /** What --help of each command prints. */
  const helps = new Map<string, string>();
  before(async () => {
    const { code, stdout } = await cli(['--help']);
    assert.equal(code, 0);
    const commands = [...stdout.matchAll(/^ {2}(\w+) {2,}\S/gm)].map(([, name]) => name!);
    assert.ok(commands.length >= 13, stdout);
    for (const command of commands) {
      const help = await cli([command, '--help']);
      assert.equal(help.code, 0, command);
      helps.set(command, help.stdout);
    }
  });

  it('each command has a help with its usage and its exit codes', () => {
    for (const [command, stdout] of helps) {
      assert.ok(stdout.startsWith(`usage: holdfast ${command} `), stdout);
      assert.match(stdout, /^Exit codes?: /m, command);
      for (const line of stdout.split('\n')) assert.ok(line.length <= 100, line);
    }
  });

  it('each command, and each of its options, is in docs/cli.md', () => {
    for (const [command, stdout] of helps) {
      assert.match(page, new RegExp(`^## .*\\b${command}\\b`, 'm'), `a section for ${command}`);
      for (const [, option] of stdout.matchAll(/^ +(?:-\w, +)?--([a-z-]+)/gm)) {
        const short = new RegExp(` +-(\\w), --${option}\\b`).exec(stdout)?.[1];
        const isThere = page.includes(`--${option}`) || (short && page.includes(`-${short} `));
        assert.ok(isThere, `--${option} of ${command}`);
      }
    }
  });

  it('no command, or an unknown one: 64', async () => {
    assert.equal((await cli([])).code, 64);
    const { code, stderr } = await cli(['lock']);
    assert.equal(code, 64);
    assert.match(stderr, /there is no command "lock"; see holdfast --help/);
  });

  it('--version', async () => {
    const file = path.join(import.meta.dirname, '../../package.json');
    const { version } = JSON.parse(readFileSync(file, 'utf8')) as { version: string };
    assert.equal((await cli(['--version'])).stdout, `${version}\n`);
  });
});
