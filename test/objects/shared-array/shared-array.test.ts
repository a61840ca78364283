// SharedArray and SharedValue: typed views on shared memory, with a lock of their own.
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { existsSync } from 'node:fs';
import { SharedArray, SharedMemory, SharedValue, attach, list } from 'holdfast';
import { assertThrows, freshName, programFile, run, track } from '../../support/index.js';

const hasPython = spawnSync('python3', ['-c', 'import multiprocessing.shared_memory']).status === 0;

describe('SharedArray', () => {
  it('a name means the same elements; values are written once', () => {
    const name = freshName();
    const one = track(new SharedArray('int32', [1, 2, 3], { name }));
    const two = track(new SharedArray('int32', 3, { name }));
    const three = track(new SharedArray('int32', undefined, { name }));
    one.view[0] = 7;
    assert.deepEqual([...two.view], [7, 2, 3]);
    assert.equal(three.length, 3);
    const same = track(attach(JSON.parse(JSON.stringify(one)))) as SharedArray<'int32'>;
    same.view[2] = 9;
    assert.equal(one.view[2], 9);
    for (const it of [two, three, same]) it.close();
    assert.throws(() => two.view, /closed/);
    one.close();
    assert.deepEqual(
      list().filter((it) => it.name === name || it.name.startsWith('lock of SharedArray')),
      [],
    );
  });

  it('every type holds its values', () => {
    for (const type of ['int8', 'uint8', 'int16', 'uint16', 'int32', 'uint32'] as const) {
      assert.deepEqual([...track(new SharedArray(type, [1, 2])).view], [1, 2], type);
    }
    for (const type of ['float32', 'float64'] as const) {
      assert.deepEqual([...track(new SharedArray(type, [0.5, -1])).view], [0.5, -1], type);
    }
    for (const type of ['int64', 'uint64'] as const) {
      assert.deepEqual([...track(new SharedArray(type, [1n, 2n])).view], [1n, 2n], type);
    }
  });

  it('withLock() excludes: processes add to one number, and nothing is lost', async () => {
    const name = freshName();
    const value = track(new SharedValue('int32', 0, { name }));
    const rounds = 300;
    const outcomes = await Promise.all(
      ['async', 'sync'].map((form) => run('shared-value.mjs', { args: [name, form, `${rounds}`] })),
    );
    for (const { code, stderr } of outcomes) assert.equal(code, 0, stderr);
    assert.equal(value.value, 2 * rounds);
    assert.equal(await value.withLock(() => value.lock.locked()), true);
    assert.equal(
      value.withLockSync(() => value.lock.depth()),
      1,
    );
    assert.throws(() => value.withLockSync(() => Promise.resolve()), TypeError);
    value.value = 5;
    assert.equal(value.value, 5);
  });

  it('another type or length is an IncompatibleError, and so is memory that is no array', () => {
    const name = freshName();
    const array = track(new SharedArray('int32', 3, { name }));
    assertThrows(() => new SharedArray('uint32', 3, { name }), 'IncompatibleError');
    assertThrows(() => new SharedArray('int32', 4, { name }), 'IncompatibleError');
    assertThrows(() => new SharedArray('int32', 30, { name }), 'IncompatibleError');
    assertThrows(() => new SharedArray('int32', 3, { name, exclusive: true }), 'ExistsError');
    const memory = track(new SharedMemory(64, { name: freshName() }));
    assertThrows(
      () => new SharedArray('int32', undefined, { name: memory.name }),
      'IncompatibleError',
    );
    assertThrows(() => new SharedArray('int8', undefined, { name: freshName() }), 'NotFoundError');
    array.unlink();
    assertThrows(() => array.unlink(), 'NotFoundError');
  });

  it('wrong arguments are refused before anything is made', () => {
    const before = list().length;
    const make = (...args: unknown[]) =>
      new SharedArray(...(args as ConstructorParameters<typeof SharedArray>));
    for (const args of [['int'], ['int32', '3'], ['int32', [1n]], ['int64', [1]], ['int32', {}]]) {
      assert.throws(() => make(...args), TypeError, String(args));
    }
    for (const length of [0, -1, 1.5, NaN, 2 ** 32, []]) {
      assert.throws(() => make('int32', length), RangeError, String(length));
    }
    assert.throws(() => make('int32', undefined), TypeError);
    assert.throws(() => make('int32', 1, { nmae: 'x' }), TypeError);
    assert.throws(() => new SharedValue('int32', 1n as never), TypeError);
    const value = track(new SharedValue('int64', 1n));
    assert.throws(() => (value.value = 1 as never), TypeError);
    value.close();
    assert.equal(list().length, before);
  });

  it('Python adds to the same elements, by posixName', async function () {
    if (!hasPython) this.skip(); // there is no python3 with shared_memory
    const array = track(new SharedArray('int32', [1, 2, 3], { name: freshName() }));
    const name = array.posixName;
    if (name === undefined) this.skip(); // the objects are not in /dev/shm
    for (const expected of [
      [1, 2, 3],
      [2, 3, 4],
    ]) {
      // CPython's resource tracker may have unlinked the name: then it is made again.
      assert.equal(array.posixName, name);
      const args = [name, String(array.posixOffset), '3'];
      const script = programFile('shared_array.py');
      const { code, stdout, stderr } = await run('python3', { args: [script, ...args] });
      assert.equal(code, 0, stderr);
      assert.equal(stdout.trim(), expected.join(' '));
    }
    assert.deepEqual([...array.view], [3, 4, 5]);
    assert.equal(array.posixName, name);
    assert.equal(existsSync(`/dev/shm${name}`), true);
    array.close();
    assert.equal(existsSync(`/dev/shm${name}`), false);
  });
});
