// The ledger of the cluster soak finds what it is there for.
import assert from 'node:assert/strict';
import { type Hold, Ledger } from '../soak/cluster-ledger.mjs';

/** A hold from one moment to another, asked for just before. */
function held(token: bigint, from: number, to: number | undefined, more: Partial<Hold> = {}): Hold {
  return { name: 'it', mode: 'exclusive', token, asked: from - 1, from, to, ...more };
}

function faultsOf(...holds: Hold[]): string[] {
  const ledger = new Ledger();
  for (const hold of holds) ledger.hold(hold);
  return ledger.faults();
}

describe('the ledger of the cluster soak', () => {
  it('takes holds one after the other, shared ones together, and those that were lost', () => {
    const shared = { mode: 'shared' } as const;
    assert.deepEqual(faultsOf(held(1n, 10, 20), held(2n, 30, 40)), []);
    assert.deepEqual(faultsOf(held(1n, 10, 20, shared), held(2n, 12, 18, shared)), []);
    assert.deepEqual(faultsOf(held(1n, 10, undefined), held(2n, 15, 20)), []);
    assert.deepEqual(faultsOf(held(1n, 10, 20), held(2n, 15, 25, { name: 'other' })), []);
  });

  it('finds two holders, also beside a reader', () => {
    assert.equal(faultsOf(held(1n, 10, 20), held(2n, 15, 25)).length, 1);
    assert.equal(faultsOf(held(1n, 10, 20, { mode: 'shared' }), held(2n, 15, 25)).length, 1);
    assert.equal(faultsOf(held(1n, 10, 40), held(2n, 15, 18, { mode: 'shared' })).length, 1);
  });

  it('finds a token that goes back, and one that comes twice', () => {
    assert.equal(faultsOf(held(5n, 10, 20), held(4n, 30, 40)).length, 1);
    const beside = { asked: 5, mode: 'shared' } as const;
    assert.equal(faultsOf(held(5n, 10, 20, beside), held(5n, 12, 18, beside)).length, 1);
    assert.deepEqual(faultsOf(held(5n, 10, 20, beside), held(4n, 12, 18, beside)), []);
  });

  it('finds a job that nobody did', () => {
    const ledger = new Ledger();
    ledger.put('one');
    ledger.put('two');
    ledger.done('two');
    assert.equal(ledger.unfinished, 1);
    assert.equal(ledger.faults().length, 1);
    ledger.done('one');
    assert.deepEqual(ledger.faults(), []);
  });
});
