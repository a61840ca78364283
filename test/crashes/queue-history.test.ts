// Histories of random calls on a small queue, with kills and stops: each can be explained by an
// order of its calls. `npm run soak -- --histories --minutes 20` plays more of them.
import assert from 'node:assert/strict';
import { type Call, type CallName, unexplained } from '../support/history.js';
import { HistoryRounds } from '../support/history-rounds.js';
import { now, random, scaled } from '../support/index.js';

type Step = [player: number, name: CallName | 'dies', from: number, to: number, result?: number];

/** A history by hand: when each call begins and ends, and what it returns. */
function history(...steps: Step[]): Call[] {
  let puts = 0;
  return steps.map(([player, name, calledAt, to, result]) => {
    const value = name === 'put' ? ++puts : name === 'done' || name === 'retry' ? result! : 0;
    const call: Call = { player, name, value, calledAt };
    return result === undefined ? call : { ...call, result, returnedAt: to };
  });
}

describe('Queue: histories', () => {
  const explained: [title: string, history: Call[]][] = [
    ['first in, first out', history([0, 'put', 0, 1, 1], [0, 'put', 2, 3, 1], [1, 'get', 4, 5, 1])],
    [
      'a size of before a put that is under way',
      history([0, 'put', 0, 1, 1], [1, 'size', 0, 1, 0]),
    ],
    [
      'a put that a kill cut off',
      history([0, 'put', 0, 0], [0, 'dies', 0, 1, 0], [1, 'get', 2, 3, 1]),
    ],
    [
      'what the dead had comes back',
      history(
        [0, 'put', 0, 1, 1],
        [0, 'take', 2, 3, 1],
        [0, 'dies', 4, 5, 0],
        [1, 'size', 6, 7, 1],
      ),
    ],
  ];
  const impossible: [title: string, history: Call[]][] = [
    ['last in, first out', history([0, 'put', 0, 1, 1], [0, 'put', 2, 3, 1], [1, 'get', 4, 5, 2])],
    ['a size that never was', history([0, 'put', 0, 1, 1], [1, 'size', 2, 3, 0])],
    ['an item twice', history([0, 'put', 0, 1, 1], [1, 'get', 2, 3, 1], [2, 'get', 2, 3, 1])],
    [
      'a put of the dead that comes late',
      history([0, 'put', 0, 0], [0, 'dies', 1, 2, 0], [1, 'size', 3, 4, 0], [1, 'get', 5, 6, 1]),
    ],
    [
      'a lease of the dead that is lost',
      history(
        [0, 'put', 0, 1, 1],
        [0, 'take', 2, 3, 1],
        [0, 'dies', 4, 5, 0],
        [1, 'size', 6, 7, 0],
      ),
    ],
  ];
  for (const [title, calls] of explained)
    it(`the search explains: ${title}`, () => assert.equal(unexplained(calls, 3), undefined));
  for (const [title, calls] of impossible)
    it(`the search refuses: ${title}`, () => assert.notEqual(unexplained(calls, 3), undefined));

  for (const kind of ['Queue', 'JoinableQueue'] as const) {
    it(`${kind}: each can be explained, with kills and stops`, async function () {
      this.timeout(120_000);
      const rounds = new HistoryRounds(kind, random('histories'));
      const deadline = now() + scaled(10_000);
      do await rounds.play();
      while (now() < deadline && rounds.played.rounds < 20);
      await rounds.end();
      const { faults, ...counts } = rounds.played;
      console.log(`      ${JSON.stringify(counts)}`);
      assert.deepEqual(faults, []);
    });
  }
});
