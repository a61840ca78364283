// What Process.result() gives, and the surroundings of a child. The first argument names the
// scenario.
import assert from 'node:assert/strict';
import { once } from 'node:events';
import { inspect } from 'node:util';
import { Lock, NotFoundError, Process, Queue, TimeoutError } from 'holdfast';
import { refused, runScenario, say, slowly } from './process-program.mjs';

export { slowly };

export class ParseError extends SyntaxError {
  name = 'ParseError';
  constructor(line) {
    super(`line ${line} makes no sense`);
    this.line = line;
  }
}

class Unexported extends RangeError {}

const thrown = {
  own: () => new ParseError(7),
  nearest: () => new Unexported('out'),
  ours: () => new NotFoundError('gone', { kind: 'Lock', objectName: 'x' }),
  caused: () => new Error('outer', { cause: new TypeError('inner', { cause: 'text' }) }),
  many: () => new AggregateError([new RangeError('one'), 2], 'many'),
  text: () => 'a text',
  uncloneable: () => Object.assign(new Error('with a function'), { call() {} }),
  circular() {
    const error = new Error('itself');
    return Object.assign(error, { cause: error });
  },
  foreign: () => new DOMException('stopped', 'AbortError'),
  unreadable() {
    const get = () => {
      throw new Error('from a getter');
    };
    return Object.defineProperties(new RangeError(), {
      message: { get },
      more: { enumerable: true, get },
      [inspect.custom]: { value: get },
    });
  },
  holding: () => Object.assign(new Error('holding'), { lock: new Lock({ name: 'held' }) }),
};

export function throws(how) {
  throw thrown[how]();
}

const returned = {
  value: () => ({ date: new Date(5), map: new Map([[1, Buffer.from('b')]]) }),
  nothing() {},
  refused: () => ({ inside: [() => 1] }),
  unreadable: () => ({
    get inside() {
      throw null;
    },
  }),
  large: () => Buffer.alloc(3_000_000, 'x'),
  exits: () => process.exit(0),
  killed: () => process.kill(process.pid, 'SIGKILL'),
  never: () => new Promise(() => {}),
};

export async function returns(how) {
  return returned[how]();
}

/** Returns an anonymous queue, which ends with its last user. */
export function opens() {
  const queue = new Queue();
  queue.putSync('from the child');
  return { queue };
}

export function surroundings() {
  const { COLOUR, PATH, HOLDFAST_DIR } = process.env;
  return [COLOUR ?? null, PATH ?? null, HOLDFAST_DIR ?? null, process.cwd(), process.execArgv];
}

export async function echoes() {
  for await (const chunk of process.stdin) process.stdout.write(`echo ${chunk}`);
  process.stderr.write('end of input');
}

const start = (target, ...args) => new Process(target, { args }).start();

const scenarios = {
  async values() {
    const value = await start(returns, 'value').result();
    assert.deepEqual(value, { date: new Date(5), map: new Map([[1, Buffer.from('b')]]) });
    assert.equal(await start(returns, 'nothing').result(), undefined);
    assert.equal((await start(returns, 'large').result()).length, 3_000_000);
    const child = start(returns, 'value');
    await child.join();
    assert.deepEqual(await child.result(), await child.result()); // also after the end
    const other = start(opens);
    const { queue } = await other.result();
    assert.equal(await queue.get(), 'from the child');
    await other.join();
    assert.equal(other.exitCode, 0);
    queue.close();
    say('done');
  },

  async errors() {
    const errors = [ParseError];
    const children = Object.keys(thrown).map((how) =>
      new Process(throws, { args: [how], errors }).start(),
    );
    const caught = await Promise.all(children.map((child) => child.result().catch((e) => e)));
    const [own, nearest, ours, caused, many, text, uncloneable, circular, ...others] = caught;
    assert.ok(own instanceof ParseError && own instanceof SyntaxError);
    assert.deepEqual([own.name, own.line, own.message], ['ParseError', 7, thrown.own().message]);
    assert.match(own.stack, /process-results\.mjs/);
    assert.ok(nearest instanceof RangeError && nearest.name === 'Unexported');
    assert.ok(ours instanceof NotFoundError);
    assert.deepEqual([ours.code, ours.kind], ['ERR_HOLDFAST_NOT_FOUND', 'Lock']);
    assert.ok(caused.cause instanceof TypeError && caused.cause.cause === 'text');
    assert.ok(many instanceof AggregateError && many.errors[0] instanceof RangeError);
    assert.deepEqual([many.errors[1], text], [2, 'a text']);
    assert.match(uncloneable.call, /Function/);
    assert.equal(circular.cause, 'Error: itself'); // an error inside of itself becomes text
    const [foreign, unreadable, holding] = others;
    assert.ok(foreign instanceof DOMException && foreign.name === 'AbortError');
    assert.ok(unreadable instanceof RangeError && !('more' in unreadable));
    assert.deepEqual([holding.message, holding.lock.name], ['holding', 'held']);
    assert.equal(holding.lock.holdfast, 'Lock'); // a handle
    say('done');
  },

  async none() {
    const failure = async (child) => {
      const error = await child.result().catch((e) => e);
      return [error.name, error.message, error.exitCode ?? null, error.signal ?? null];
    };
    const rows = await Promise.all(
      ['exits', 'killed', 'never', 'refused', 'unreadable'].map((how) =>
        failure(start(returns, how)),
      ),
    );
    say(rows);
    say(await refused(() => new Process(returns, { args: ['value'] }).result()));
    const slow = start(slowly, 60_000);
    say(await refused(() => slow.result({ timeout: 20 })));
    const reason = new TimeoutError('enough');
    const signal = AbortSignal.abort(reason);
    assert.equal(await slow.result({ signal }).catch((e) => e), reason);
    slow.kill();
  },

  async surroundings() {
    const run = (options) => new Process(surroundings, options).start().result();
    process.env.HOLDFAST_DIR ??= '';
    const directory = process.env.HOLDFAST_DIR;
    assert.deepEqual(await run({ env: { COLOUR: 'red', PATH: undefined } }), [
      'red',
      null,
      directory,
      process.cwd(),
      process.execArgv,
    ]);
    assert.equal((await run({ cwd: '/' }))[3], '/');
    assert.equal((await run({ cwd: new URL('file:///') }))[3], '/');
    assert.deepEqual((await run({ execArgv: ['--stack-size=900'] }))[4], ['--stack-size=900']);
    const child = new Process(echoes, { stdio: 'pipe' });
    assert.equal(child.stdin, undefined);
    child.start();
    child.stdout.setEncoding('utf8');
    child.stderr.setEncoding('utf8');
    child.stdin.end('hello');
    const [[text], [end]] = await Promise.all([
      once(child.stdout, 'data'),
      once(child.stderr, 'data'),
    ]);
    assert.deepEqual([text, end], ['echo hello', 'end of input']);
    await child.join();
    const silent = new Process(echoes, { stdio: ['ignore', 'ignore', 'ignore'] }).start();
    assert.equal(silent.stdout, null);
    await silent.result();
    say('done');
  },

  async wrong() {
    const attempt = (options) =>
      refused(() => new Process(returns, { args: ['value'], ...options }).start());
    const rows = [];
    for (const options of [
      { env: 'x' },
      { env: { A: 1 } },
      { env: { 'A=B': '1' } },
      { env: { A: 'nul\0' } },
      { cwd: 7 },
      { cwd: '' },
      { cwd: new URL('http://x/') },
      { cwd: '/no/such/directory' },
      { stdio: 'inherited' },
      { stdio: ['pipe', 'pipe'] },
      { execArgv: '--x' },
      { execArgv: [1] },
      { execArgv: ['--eval', '1'] },
      { errors: [Object] },
    ]) {
      rows.push((await attempt(options))[0]);
    }
    say(rows);
  },
};

await runScenario(import.meta, scenarios);
