// Must show: a lock that a death has left free, but not to be had, is found by programs that open
// it, try once and close it, although an idle process has it open all the time.
//
// The deaths are at single instructions, at which the sweep of native/test/sweep kills. Here is
// what they leave behind.
import assert from 'node:assert/strict';
import { closeSync, openSync, writeSync } from 'node:fs';
import { Lock, ReadWriteLock } from 'holdfast';
import {
  Program,
  freshName,
  readWrite,
  semaphoreFile,
  track,
  within,
  writeWord,
} from '../support/index.js';

/** Runs the program beside whoever has the object open, and returns how often it tried. */
async function attempts(kind: 'Lock' | 'ReadWriteLock', name: string): Promise<number> {
  const program = new Program('short-attempts.mjs', { args: [kind, name] });
  const { said, stderr } = await within(program.outcome(), 'the lock', 20_000);
  assert.equal(stderr, '');
  return said[0] as number;
}

describe('short attempts', () => {
  it('find the token of a Lock that died with somebody', async function () {
    const idle = track(new Lock({ name: freshName() }));
    const file = semaphoreFile(idle.posixName);
    if (file === undefined) this.skip(); // where a semaphore is no file
    const fd = openSync(file, 'r+');
    writeSync(fd, new Uint8Array(4), 0, 4, 0); // its value
    closeSync(fd);
    assert.equal(idle.locked(), false);
    assert.ok((await attempts('Lock', idle.name)) > 1);
    assert.equal(await attempts('Lock', idle.name), 1);
  });

  it('end the turn of a reader of a ReadWriteLock that died', async () => {
    const idle = track(new ReadWriteLock({ name: freshName() }));
    writeWord(idle.name, readWrite.turn, 1n);
    assert.ok((await attempts('ReadWriteLock', idle.name)) > 1);
    assert.equal(await attempts('ReadWriteLock', idle.name), 1);
  });
});
