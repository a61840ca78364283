// A death can leave a lock free that nobody can acquire yet. Programs that open the lock, try once
// and close it find that out, even while an idle process has it open all the time.
//
// Such a death happens at a single instruction, at which the sweep in native/test/sweep kills. This
// test makes the state that it leaves behind.
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

/** Runs the program while an idle process has the object open, and returns how often it tried. */
async function attempts(kind: 'Lock' | 'ReadWriteLock', name: string): Promise<number> {
  const program = new Program('short-attempts.mjs', { args: [kind, name] });
  const { said, stderr } = await within(program.outcome(), 'the lock', 20_000);
  assert.equal(stderr, '');
  return said[0] as number;
}

describe('short attempts', () => {
  it('replace the token of a Lock that a dead agent took', async function () {
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
