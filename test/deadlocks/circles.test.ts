// Which waits can never end: what circlesIn() finds in what threads tell.
import assert from 'node:assert/strict';
import { circlesIn, pathFrom, suspicionsIn, youngestOf } from '../../lib/deadlocks/circles.js';
import { fromText, toText } from '../../lib/deadlocks/record.js';
import type { Need, Pin, Told } from '../../src/deadlocks/record.js';

let serial = 0;

function need(resource: string, more: Partial<Need> = {}): Need {
  return { resource, kind: 'Lock', name: resource, how: 'exclusive', ...more };
}

function pin(resource: string, mode: Pin['mode'] = 'exclusive', hold = 1): Pin {
  return { resource, hold, mode };
}

/** A thread with one wait. `since` is the number of the thread, so a later one is younger. */
function thread(agent: number, needs: Need, pins: Pin[], isSync = true): Told {
  const wait = { serial: ++serial, since: agent, isSync, need: needs, pins };
  const facts = { pid: agent, threadId: 0, processName: `P${agent}` };
  return { agent: String(agent), version: 1, ...facts, waits: [wait], held: pins };
}

/** The numbers of the threads in each circle. */
function found(...threads: Told[]): number[][] {
  return circlesIn(threads)
    .map((circle) => [...circle].map((wait) => wait.thread.pid).toSorted((a, b) => a - b))
    .toSorted((a, b) => a[0]! - b[0]!);
}

describe('circles of waits', () => {
  it('two threads that have each other’s lock', () => {
    assert.deepEqual(found(thread(1, need('b'), [pin('a')]), thread(2, need('a'), [pin('b')])), [
      [1, 2],
    ]);
  });

  it('no circle: a chain, one who holds and does not wait, one who waits and holds nothing', () => {
    assert.deepEqual(found(), []);
    assert.deepEqual(found(thread(1, need('b'), [pin('a')]), thread(2, need('c'), [pin('b')])), []);
    assert.deepEqual(found(thread(1, need('b'), [pin('a')]), thread(2, need('a'), [])), []);
  });

  it('who only waits for a circle is not in it', () => {
    const circle = [thread(1, need('b'), [pin('a')]), thread(2, need('a'), [pin('b')])];
    assert.deepEqual(found(...circle, thread(3, need('a'), [pin('c')])), [[1, 2]]);
  });

  it('two circles, and one in the shape of an eight', () => {
    const first = [thread(1, need('b'), [pin('a')]), thread(2, need('a'), [pin('b')])];
    const second = [thread(3, need('d'), [pin('c')]), thread(4, need('c'), [pin('d')])];
    assert.deepEqual(found(...first, ...second), [
      [1, 2],
      [3, 4],
    ]);
    const both = [...first, thread(3, need('a'), [pin('c'), pin('b', 'shared')])];
    const reader = need('b', { how: 'exclusive' });
    assert.deepEqual(found(both[1]!, both[2]!, thread(1, reader, [pin('a')])), [[1, 2, 3]]);
  });

  it('what is held loosely makes a suspicion and no circle', () => {
    const certain = thread(1, need('b'), [pin('a')]);
    const loose = { ...thread(2, need('a'), []), held: [pin('b')] };
    assert.deepEqual(found(certain, loose), []);
    assert.equal(suspicionsIn([certain, loose]).length, 1);
    const both = [thread(1, need('b'), [pin('a')]), thread(2, need('a'), [pin('b')])];
    assert.deepEqual([circlesIn(both).length, suspicionsIn(both).length], [1, 0]);
  });

  it('a wait for what its own task holds', () => {
    assert.deepEqual(found(thread(1, need('a'), [pin('a')], false)), [[1]]);
  });

  it('readers do not wait for readers, and a writer waits for any of them', () => {
    const shared = { how: 'shared' } as const;
    const reads = thread(1, need('b'), [pin('rw', 'shared')]);
    assert.deepEqual(found(reads, thread(2, need('rw', shared), [pin('b')])), []);
    assert.deepEqual(found(reads, thread(2, need('rw'), [pin('b')])), [[1, 2]]);
    const writes = thread(1, need('b'), [pin('rw')]);
    assert.deepEqual(found(writes, thread(2, need('rw', shared), [pin('b')])), [[1, 2]]);
  });

  it('a reader waits for a writer that has its place in line, unless its thread reads', () => {
    const reads = thread(1, need('b'), [pin('rw', 'shared')]);
    const writer = thread(2, need('rw'), [pin('rw', 'claim', 0)]);
    const behind = (more: Partial<Need>) =>
      thread(3, need('rw', { how: 'shared', ...more }), [pin('b')]);
    assert.deepEqual(found(reads, writer, behind({})), [[1, 2, 3]]);
    assert.deepEqual(found(reads, writer, behind({ passesClaims: true })), []);
    assert.deepEqual(found(writer), [], 'nobody waits for its own place');
    const untilFree = need('rw', { passesClaims: true });
    assert.deepEqual(found(thread(1, need('b'), [pin('rw')]), thread(2, untilFree, [pin('b')])), [
      [1, 2],
    ]);
    const claims = thread(1, need('b'), [pin('rw', 'claim', 0)]);
    assert.deepEqual(found(claims, thread(2, untilFree, [pin('b')])), []);
  });

  it('a wait for a permit needs all permits in the circle', () => {
    const permit = need('s', { how: 'permit', permits: 2 });
    const holder = (agent: number, hold: number, needs = need('a')) =>
      thread(agent, needs, [pin('s', 'exclusive', hold)]);
    const waiter = thread(3, permit, [pin('a')]);
    assert.deepEqual(found(holder(1, 1), waiter), []);
    assert.deepEqual(found(holder(1, 1), holder(2, 1), waiter), [[1, 2, 3]]);
    // One hold that two waits keep is one hold.
    const twice = holder(1, 1);
    const again = { ...twice, waits: [...twice.waits, { ...twice.waits[0]!, serial: 0 }] };
    assert.deepEqual(found(again, waiter), []);
    // The other permit is held by who waits for another circle: when that ends, it comes back.
    const elsewhere = [thread(4, need('d'), [pin('c')]), thread(5, need('c'), [pin('d')])];
    assert.deepEqual(found(holder(1, 1), holder(2, 1, need('c')), waiter, ...elsewhere), [[4, 5]]);
  });

  it('a request waits for all with a lower ticket', () => {
    const line = (ticket: number, how: 'shared' | 'exclusive') => need('l', { how, ticket });
    const outer = thread(1, line(3, 'shared'), [pin('l', 'shared')], false);
    assert.deepEqual(found(outer), []);
    assert.deepEqual(found(outer, thread(2, line(2, 'exclusive'), [])), [[1, 2]]);
    assert.deepEqual(found(outer, thread(2, line(4, 'exclusive'), [])), []);
  });

  it('a chain of two thousand waits, a ring of them, and a long line', () => {
    const all = Array.from({ length: 2000 }, (_, i) => thread(i, need(`${i + 1}`), [pin(`${i}`)]));
    assert.deepEqual(circlesIn(all), []);
    const closing = thread(2000, need('0'), [pin('2000')]);
    const [ring] = circlesIn([...all, closing]);
    assert.equal(ring!.size, 2001);
    const line = all.map((_, i) => thread(i, need('0', { ticket: i }), [pin('l', 'shared', i)]));
    assert.deepEqual(circlesIn(line), []);
    const [last] = circlesIn([...line, thread(2000, need('l'), [pin('0')])]);
    assert.equal(last!.size, 2001);
    assert.equal(pathFrom(youngestOf(last!)!, last!).length, 2);
  });

  it('the youngest ends, never the way back to a lock, and the cycle begins with it', () => {
    const threads = [
      thread(1, need('b'), [pin('a')]),
      thread(3, need('c', { mustGoOn: true }), [pin('b')]),
      thread(2, need('a'), [pin('c')]),
    ];
    const [circle] = circlesIn(threads);
    const youngest = youngestOf(circle!)!;
    assert.equal(youngest.thread.pid, 2);
    const path = pathFrom(youngest, circle!);
    assert.deepEqual(
      path.map((wait) => wait.thread.pid),
      [2, 1, 3],
    );
  });

  it('what is told comes back from its text, and the text of another program is none', () => {
    const { waits } = thread(1, need('a'), [pin('b')]);
    const told = fromText('7', 5, toText(waits, [pin('c')]))!;
    assert.deepEqual(told.held, [pin('c')]);
    assert.deepEqual(told.waits, waits);
    assert.equal(told.agent, '7');
    assert.equal(told.version, 5);
    const wrong = [
      '',
      '{',
      'null',
      '1',
      '[]',
      '{"format":2,"waits":[]}',
      '{"format":1,"waits":[],"held":[]}',
    ];
    for (const text of wrong) assert.equal(fromText('7', 5, text), undefined, text);
  });
});
