// A test file of node:test whose subject has Processes.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Process } from 'holdfast';

export function target() {
  console.log('the target ran');
}

if (process.argv[1] === import.meta.filename) {
  test('a Process', async () => {
    const child = new Process(target).start();
    await child.join();
    assert.equal(child.exitCode, 0);
  });
}
