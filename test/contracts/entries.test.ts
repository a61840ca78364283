// The two entries of the package: one for import, one for require().
import assert from 'node:assert/strict';
import { createRequire } from 'node:module';
import * as imported from 'holdfast';

const required = createRequire(import.meta.url)('holdfast') as Record<string, unknown>;

describe('entries', () => {
  it('import gives the same exports as require()', () => {
    const names = Object.keys(imported);
    assert.ok(names.includes('Lock'));
    assert.deepEqual(names.toSorted(), Object.keys(required).toSorted());
    for (const name of names) {
      assert.equal(imported[name as keyof typeof imported], required[name], name);
    }
  });
});
