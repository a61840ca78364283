// All modules of the package are in one file (docs/adr/0072-one-file.md). Its source map leads from
// there to the sources.
import assert from 'node:assert/strict';
import { Program } from '../support/index.js';

describe('a stack trace', () => {
  const code = "require('holdfast').unlink('Sock', 'x')";

  async function stackOf(nodeArgs: string[]): Promise<string> {
    const program = new Program('', { nodeArgs: [...nodeArgs, '-e', code], cwd: process.cwd() });
    const { stderr } = await program.outcome();
    return stderr.slice(stderr.indexOf('TypeError: kind must be one of'));
  }

  it('names functions, and with --enable-source-maps their places in src/', async () => {
    assert.match(await stackOf([]), /at checkKind \(.*\/lib\/modules\.js:\d+:\d+\)/);
    const stack = await stackOf(['--enable-source-maps']);
    assert.match(stack, /at checkKind \(.*\/src\/objects\/shared\.ts:\d+:\d+\)/);
    assert.match(stack, /at .*unlink \(.*\/src\/objects\/shared\.ts:\d+:\d+\)/);
  });
});
