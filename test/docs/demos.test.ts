// The lesson's programs print what they must, and never what they must not. Each runs as a user
// runs it, its output piped.
import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import path from 'node:path';
import { whyNoPostgres } from '../cluster/servers/postgres.mjs';

const root = path.resolve(import.meta.dirname, '../..');

/** Runs a demo to its end. The watchdog kills it, and the assertion on the exit code tells. */
async function run(name: string): Promise<{ lines: string[]; atMs: number[] }> {
  const file = path.join(root, 'demos', `${name}.ts`);
  const started = performance.now();
  const child = spawn(process.execPath, ['--import', 'tsx', file], {
    cwd: root,
    stdio: ['ignore', 'pipe', 'inherit'],
    env: { ...process.env, TSX_DISABLE_CACHE: '1' },
  });
  const watchdog = setTimeout(() => child.kill('SIGKILL'), 90_000);
  const lines: string[] = [];
  const atMs: number[] = [];
  let rest = '';
  child.stdout.setEncoding('utf8').on('data', (text: string) => {
    const parts = (rest + text).split('\n');
    rest = parts.pop()!;
    for (const line of parts) {
      lines.push(line);
      atMs.push(performance.now() - started);
    }
  });
  const [code, signal] = await once(child, 'close');
  clearTimeout(watchdog);
  assert.deepEqual([code, signal, rest], [0, null, ''], lines.join('\n'));
  return { lines, atMs };
}

const processed = /^child process (Process-[12]) processed (\d+) items from the queue$/;

function counts(lines: string[]): Map<string, number> {
  const matches = lines.map((line) => processed.exec(line)).filter((match) => match !== null);
  return new Map(matches.map(([, name, count]) => [name!, Number(count)]));
}

function digits(lines: string[]): number {
  return lines.filter((line) => /^\d$/.test(line)).length;
}

describe('demos', function () {
  this.timeout(120_000);

  it('faulty-queue: every digit once, and each child has ended or was found hanging', async () => {
    const { lines } = await run('faulty-queue');
    assert.equal(digits(lines), 100);
    const ended = counts(lines);
    const hung = lines.filter((line) => line.includes('found the queue not empty, but then'));
    assert.equal(ended.size + hung.length, 2);
    // A hanging child has printed its items, but not how many they were.
    const total = [...ended.values()].reduce((sum, count) => sum + count, 0);
    if (hung.length === 0) assert.equal(total, 100);
    else assert.ok(total <= 100);
    assert.equal(lines.filter((line) => line.includes('It was luck')).length, hung.length ? 0 : 1);
  });

  it('fixed-queue: the counts add up to 100, and both children end', async () => {
    const { lines } = await run('fixed-queue');
    assert.equal(digits(lines), 100);
    assert.equal(lines.length, 102);
    const ended = counts(lines);
    assert.deepEqual([...ended.keys()].toSorted(), ['Process-1', 'Process-2']);
    assert.equal(
      [...ended.values()].reduce((sum, count) => sum + count, 0),
      100,
    );
  });

  it('fixed-queue-fair: names the CPUs first, and the counts add up to 100', async () => {
    const { lines } = await run('fixed-queue-fair');
    assert.match(lines[0]!, /^this machine has \d+ CPUs$/);
    assert.equal(digits(lines), 100);
    assert.equal(lines.length, 103);
    const ended = counts(lines);
    assert.equal(ended.size, 2);
    assert.equal(
      [...ended.values()].reduce((sum, count) => sum + count, 0),
      100,
    );
  });

  for (const name of ['rlock', 'rlock-slow']) {
    it(`${name}: nothing for three seconds, then five lines of the one and five of the other`, async () => {
      const { lines, atMs } = await run(name);
      assert.ok(atMs[0]! >= 3000, `the first line came after ${atMs[0]} ms`);
      const speakers = lines.map((line) => /^I am child process (Process-[12])$/.exec(line)?.[1]);
      const [first] = speakers;
      assert.ok(first);
      const other = first === 'Process-1' ? 'Process-2' : 'Process-1';
      assert.deepEqual(speakers, [...Array(5).fill(first), ...Array(5).fill(other)]);
    });
  }

  it('killed-holder: the second child is told, and the accounts are right', async () => {
    const { lines } = await run('killed-holder');
    const text = lines.join('\n');
    assert.match(text, /^Process-1: I have the lock, and nobody died$/m);
    assert.match(text, /^Process-2: .* its last holder DIED while holding it$/m);
    assert.match(text, /^Process-2: Bob has them$/m);
    assert.doesNotMatch(text, /^Process-1: Bob has them$/m);
    assert.equal(lines.at(-1), 'parent: Process-1 ended with -9; Ann 70, Bob 130: 200 in all');
  });

  it('cluster: the counts add up to 100 over PostgreSQL; without it, what is needed', async () => {
    const { lines } = await run('cluster');
    if (whyNoPostgres !== undefined && process.env['CI'] === undefined) {
      assert.match(lines.join('\n'), /needs PostgreSQL/);
      return;
    }
    assert.equal(digits(lines), 100);
    const ended = counts(lines);
    assert.deepEqual([...ended.keys()].toSorted(), ['Process-1', 'Process-2']);
    assert.equal(
      [...ended.values()].reduce((sum, count) => sum + count, 0),
      100,
    );
  });
});
