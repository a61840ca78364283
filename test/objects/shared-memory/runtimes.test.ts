// A runtime may forbid buffers over memory of the system, as Electron does. The build that plays
// one is that of `npm test -- --no-external-buffers`.
import assert from 'node:assert/strict';
import { list, SharedMemory } from 'holdfast';
import { freshName, hasExternalBuffers, suiteOfRefusal } from '../../support/index.js';

const kind = 'SharedMemory';

function refuses(name: string, open: () => SharedMemory): void {
  assert.throws(open, (error: unknown) => {
    assert.ok(error instanceof Error);
    assert.equal((error as { code?: string }).code, 'ERR_HOLDFAST_UNSUPPORTED');
    assert.equal((error as { kind?: string }).kind, kind);
    assert.equal((error as { objectName?: string }).objectName, name);
    return true;
  });
}

describe(suiteOfRefusal, () => {
  it('allows buffers over memory of the system: the buffer is the memory', function () {
    if (!hasExternalBuffers) this.skip();
    const name = freshName(kind);
    using one = new SharedMemory(8, { name });
    using other = new SharedMemory(8, { name });
    new Uint8Array(one.buffer)[3] = 4;
    assert.equal(new Uint8Array(other.buffer)[3], 4);
  });

  it('forbids them: an error of its own code, before anything is made', function () {
    if (hasExternalBuffers) this.skip();
    const name = freshName(kind);
    const before = list();
    refuses(name, () => new SharedMemory(8, { name, persistent: true }));
    refuses(name, () => new SharedMemory(undefined, { name }));
    refuses('', () => new SharedMemory(8));
    assert.deepEqual(list(), before);
    // A wrong argument is still the first thing that is told.
    assert.throws(() => new SharedMemory(0, { name }), RangeError);
  });
});
