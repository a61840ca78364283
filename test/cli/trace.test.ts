// `holdfast trace`: the file against what happened.
import assert from 'node:assert/strict';
import { existsSync, readFileSync, readdirSync } from 'node:fs';
import path from 'node:path';
import { traceOf } from '../../lib/observe/trace.js';
import { cli, freshName, programFile, temporaryDirectory } from '../support/index.js';

interface Event {
  ph: string;
  name: string;
  cat?: string;
  pid: number;
  tid: number;
  ts: number;
  dur: number;
  id?: number;
  args: { object: string; mode: string; end: string; name: string; count: number };
}

const rounds = 6;

async function traced(): Promise<{ events: Event[]; lock: string; queue: string }> {
  const file = path.join(temporaryDirectory(), 'trace.json');
  const name = freshName('trace');
  const program = [process.execPath, programFile('traced.mjs'), 'main', name, String(rounds)];
  const { code, stderr } = await cli(['trace', '-o', file, '--', ...program]);
  assert.equal(code, 0, stderr);
  const { traceEvents } = JSON.parse(readFileSync(file, 'utf8')) as { traceEvents: Event[] };
  return { events: traceEvents, lock: `Lock ${name} lock`, queue: `Queue ${name} queue` };
}

describe('holdfast trace', function () {
  this.timeout(180_000); // many processes, one after the other

  it('every hold and wait of three processes, and an arrow for each hand-over', async () => {
    const { events, lock, queue } = await traced();
    const of = (what: string) =>
      events.filter((one) => one.ph === 'X' && one.name === what && one.args.object === lock);
    const holds = of('hold');
    assert.equal(holds.length, 3 * rounds + 1);
    assert.equal(new Set(holds.map(({ pid }) => pid)).size, 3);
    assert.ok(holds.every(({ args, dur }) => args.end === 'released' && dur >= 0));
    // One holder at a time.
    const byTime = holds.toSorted((a, b) => a.ts - b.ts);
    byTime
      .slice(1)
      .forEach((hold, i) => assert.ok(byTime[i]!.ts + byTime[i]!.dur <= hold.ts + 0.01));
    const waits = of('wait');
    assert.ok(waits.length >= 2, 'both children waited for the first hold');
    assert.ok(waits.every(({ args }) => args.end === 'acquired'));
    // Each arrow ends in a hold that was waited for, and begins in the hold before it.
    const starts = events.filter(({ ph }) => ph === 's');
    const ends = events.filter(({ ph }) => ph === 'f');
    assert.equal(starts.length, waits.length);
    assert.equal(ends.length, waits.length);
    const at = ({ pid, tid, ts }: Event) =>
      byTime.findIndex(
        (one) => one.pid === pid && one.tid === tid && one.ts <= ts && ts <= one.ts + one.dur,
      );
    for (const start of starts) {
      const end = ends.find(({ id }) => id === start.id)!;
      assert.equal(at(end), at(start) + 1);
    }
    const count = (what: string) => events.filter(({ name }) => name === `${what} ${queue}`).length;
    assert.deepEqual([count('put'), count('get')], [3 * rounds, 3 * rounds]);
    const tracks = events.filter(({ ph, name }) => ph === 'M' && name === 'thread_name');
    assert.equal(tracks.filter(({ args }) => args.name === lock).length, 3);
  });

  it('the hold that a Condition begins again ends with its guard', () => {
    const what = { channel: 'acquire', kind: 'Lock', name: 'x', mode: 'exclusive' } as const;
    const lines = [
      { ...what, at: 10, event: 'acquired', id: 1 },
      { ...what, at: 20, event: 'released', id: 0 },
      { ...what, at: 30, event: 'acquired', id: 2 },
      { ...what, at: 45, event: 'released', id: 1 },
      { ...what, at: 90, event: 'start', id: 3 },
    ];
    const holds = traceOf([{ pid: 1, threadId: 0, lines }]).filter(({ name }) => name === 'hold');
    assert.deepEqual(
      holds.map(({ ts, dur, args }) => [ts, dur, args?.['end']]),
      [
        [0, 10, 'released'],
        [20, 15, 'released'],
      ],
    );
  });

  it('the exit code of the command; nothing stays in the temporary directory', async () => {
    const file = path.join(temporaryDirectory(), 'trace.json');
    const TMPDIR = temporaryDirectory();
    const args = ['trace', '-o', file, '--', 'sh', '-c', 'exit 3'];
    assert.equal((await cli(args, { env: { TMPDIR } })).code, 3);
    assert.ok(existsSync(file));
    assert.deepEqual(readdirSync(TMPDIR), []);
  });

  it('wrong arguments: 64', async () => {
    assert.equal((await cli(['trace', '--', 'true'])).code, 64);
    assert.equal((await cli(['trace', '-o', '/tmp/none.json'])).code, 64);
  });
});
