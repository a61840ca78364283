// LockManager: holders and requesters that are killed at any instant. No lock is held twice, no
// grant is lost, and the next one is told. `npm run soak -- --locks` kills 500.
import assert from 'node:assert/strict';
import { random, scaled } from '../support/index.js';
import { LockKills } from '../support/lock-kills.js';
import { type LedgerRequest, judge } from '../support/lock-ledger.js';

type Step = [player: number, asked: number, granted: number, left: number, more?: object];

/** Requests of one name by hand. Tokens are in the order of the grants. */
function ledger(...steps: Step[]): LedgerRequest[] {
  return steps.map(([player, asked, granted, left, more], token) => ({
    player,
    name: 0,
    isShared: false,
    asked,
    granted,
    token: token + 1,
    isAbandoned: false,
    left,
    ended: left,
    ...more,
  }));
}

const shared = { isShared: true };
const told = { isAbandoned: true };

describe('LockManager: kills', () => {
  const kills = new Map([[9, { from: 5, to: 5.5 }]]);
  const right: [title: string, requests: LedgerRequest[]][] = [
    ['one after the other', ledger([1, 1, 2, 3], [2, 1, 4, 5])],
    ['two that share', ledger([1, 1, 2, 5, shared], [2, 1, 3, 4, shared], [3, 1, 6, 7])],
    ['a holder that died, and news', ledger([9, 1, 2, 0], [1, 3, 6, 7, told], [2, 3, 8, 9])],
    ['a killed player wrote nothing', ledger([1, 1, 2, 3], [2, 3, 6, 7, told])],
    ['a request that withdrew', ledger([1, 1, 2, 3], [2, 1, 0, 0, { ended: 3 }])],
  ];
  const wrong: [title: string, requests: LedgerRequest[]][] = [
    ['held twice', ledger([1, 1, 2, 5], [2, 1, 4, 6])],
    ['shared while another holds', ledger([1, 1, 2, 5], [2, 1, 4, 6, shared])],
    ['exclusive while another shares', ledger([1, 1, 2, 5, shared], [2, 1, 4, 6])],
    ['one token twice', ledger([1, 1, 2, 3], [2, 1, 4, 5, { token: 1 }])],
    ['a grant that is lost', ledger([1, 1, 2, 3], [2, 1, 0, 0])],
    ['a callback without an end', ledger([1, 1, 2, 0, { ended: 0 }])],
    ['no news', ledger([9, 1, 2, 0], [1, 3, 6, 7])],
    ['news without a death', ledger([1, 1, 2, 3], [2, 1, 4, 4.5, told])],
  ];
  for (const [title, requests] of right) {
    it(`the judge allows: ${title}`, () => assert.deepEqual(judge(requests, kills).faults, []));
  }
  for (const [title, requests] of wrong) {
    it(`the judge refuses: ${title}`, () =>
      assert.notEqual(judge(requests, kills).faults.length, 0));
  }

  it('no lock is held twice, and no grant and no news are lost', async function () {
    this.timeout(240_000);
    const { faults, ...counts } = await new LockKills(random('kills')).play(scaled(40));
    console.log(`      ${JSON.stringify(counts)}`);
    assert.deepEqual(faults, []);
    assert.ok(counts.diedHolding > 0, 'some were killed while they held');
  });
});
