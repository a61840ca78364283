// What the classes other than Lock, RLock, Semaphore and Queue have in common as objects with a
// name: opening and closing, handles, the end of an object. Each class has suites of its own for
// its methods.
import assert from 'node:assert/strict';
import { inspect } from 'node:util';
import { type OpenOptions, attach, list, unlink } from 'holdfast';
import {
  type OtherKind,
  Program,
  assertRejects,
  assertThrows,
  freshName,
  lastingDirectory,
  newProcess,
  newWorker,
  objectFiles,
  openers,
  removeDirectories,
  run,
  sharedActor,
  temporaryDirectory,
  track,
  until,
} from './index.js';

/** What these tests need to know of a class. */
export interface NamedObject<T> {
  readonly kind: OtherKind;
  /** The number that the class is made with, if it has one, and the limit of that number. */
  readonly number?: { name: string; value: number; other: number; largest: number };
  open(options?: OpenOptions): T;
  /** Every method that needs an open object, by name. */
  readonly calls: Record<string, (object: T) => unknown>;
  /**
   * Leaves a mark in the object. isMarked() tells whether the mark is there, and so whether two
   * objects are the same.
   */
  mark(object: T): void;
  isMarked(object: T): boolean;
  /** What object-argument.mjs prints. */
  readonly asArgument: unknown[];
}

export interface Shared {
  readonly name: string;
  close(): void;
  unlink(): void;
  toJSON(): unknown;
  inspect(): unknown;
  [Symbol.dispose](): void;
}

/** Defines the tests of what all of these classes have in common. */
export function describeObject<T extends Shared>(subject: NamedObject<T>): void {
  describe('as an object with a name', () => {
    itHasAName(subject);
    itIsFound(subject);
    itRefuses(subject);
    itEnds(subject);
  });
}

/** A name means one object, for as long as the object has that name. */
function itHasAName<T extends Shared>(subject: NamedObject<T>): void {
  const { kind } = subject;
  const about = (name: string) => ({ kind, objectName: name });
  const open = (options?: OpenOptions) => track(subject.open(options));

  it('a name means one object; without a name each is another', () => {
    const name = freshName(kind);
    const [one, two, other] = [open({ name }), open({ name }), open()];
    subject.mark(one);
    assert.equal(subject.isMarked(two), true);
    assert.equal(subject.isMarked(other), false);
    assert.equal(one.name, name);
    assert.notEqual(other.name, open().name);
    const entry = list().find((it) => it.name === name);
    assert.deepEqual(entry, { kind, name, persistent: false, inUse: true });
    two.close();
    one.close();
    assert.deepEqual(
      list().filter((it) => it.name === name),
      [],
    );
  });

  it('unlink() takes the name away; users keep the object', () => {
    const name = freshName(kind);
    const [old, shared] = [open({ name }), open({ name })];
    old.unlink();
    assertThrows(() => old.unlink(), 'NotFoundError', about(name));
    assertThrows(() => unlink(kind, name), 'NotFoundError', about(name));
    const fresh = open({ name, exclusive: true });
    subject.mark(old);
    assert.equal(subject.isMarked(shared), true);
    assert.equal(subject.isMarked(fresh), false);
    assertThrows(() => unlink(kind === 'Event' ? 'Lock' : 'Event', name), 'NotFoundError');
    unlink(kind, name);
    assertThrows(() => subject.open({ name, mustExist: true }), 'NotFoundError');
  });

  it('another kind of that name is an IncompatibleError, both ways', () => {
    const name = freshName(kind);
    const object = open({ name });
    const foreign = freshName('foreign');
    for (const [other, make] of Object.entries(openers)) {
      if (other === kind) continue;
      assertThrows(() => make({ name }), 'IncompatibleError', { kind: other, objectName: name });
      const theirs = track(make({ name: foreign }));
      assertThrows(() => subject.open({ name: foreign }), 'IncompatibleError', about(foreign));
      theirs.close();
    }
    subject.mark(object);
    assert.equal(subject.isMarked(object), true);
  });
}

/** An object is found by its handle or its name, wherever these go. */
function itIsFound<T extends Shared>(subject: NamedObject<T>): void {
  const { kind, number } = subject;
  const about = (name: string) => ({ kind, objectName: name });
  const open = (options?: OpenOptions) => track(subject.open(options));

  it('exclusive and mustExist', async () => {
    const name = freshName(kind);
    assertThrows(() => subject.open({ name, mustExist: true }), 'NotFoundError', about(name));
    const first = open({ name, exclusive: true });
    assertThrows(() => subject.open({ name, exclusive: true }), 'ExistsError', about(name));
    const there = (await sharedActor('process')).open(
      kind,
      { name, exclusive: true },
      number?.value,
    );
    await assertRejects(there, 'ExistsError', about(name));
    const second = open({ name, mustExist: true });
    first.close();
    assertThrows(() => subject.open({ name, exclusive: true }), 'ExistsError', about(name));
    second.close();
    assertThrows(() => subject.open({ name, mustExist: true }), 'NotFoundError', about(name));
  });

  it('toJSON() and attach(), by JSON and structured clone, named or not', async () => {
    for (const name of [freshName(kind), undefined, `${freshName('Größe "1"\n😀')}`]) {
      const object = open({ name });
      assert.deepEqual(object.toJSON(), { holdfast: kind, name: object.name });
      assert.equal(
        JSON.stringify([object]),
        JSON.stringify([{ holdfast: kind, name: object.name }]),
      );
      const handle = object.toJSON() as never;
      const byJson = track(attach(JSON.parse(JSON.stringify(object)))) as unknown as T;
      const byClone = track(attach(structuredClone(handle))) as unknown as T;
      subject.mark(object);
      assert.equal(subject.isMarked(byJson) && subject.isMarked(byClone), true);
      const remote = await (await sharedActor('process')).attach(handle);
      assert.equal(remote.name, object.name);
      await remote.close();
      for (const it of [byJson, byClone, object]) it.close();
      assertThrows(() => attach(handle), 'NotFoundError', about(object.name));
    }
  });

  it('an argument of a Process arrives as itself', async () => {
    const { said, stderr, code } = await run('object-argument.mjs', { args: [kind] });
    assert.equal(code, 0, stderr);
    assert.deepEqual(said, subject.asArgument, stderr);
  });
}

/** Wrong arguments change nothing, and a closed object says so. */
function itRefuses<T extends Shared>(subject: NamedObject<T>): void {
  const { kind, number } = subject;
  const about = (name: string) => ({ kind, objectName: name });
  const open = (options?: OpenOptions) => track(subject.open(options));

  it('wrong options change nothing', () => {
    for (const options of [null, 1, 'name', [], () => {}]) {
      assert.throws(() => subject.open(options as never), TypeError, String(options));
    }
    for (const options of [
      { name: 1 },
      { name: null },
      { persistent: 1, name: 'x' },
      { exclusive: 'yes' },
      { mustExist: true },
      { persistent: true },
      { name: 'x', exclusive: true, mustExist: true },
    ]) {
      assert.throws(() => subject.open(options as never), TypeError, JSON.stringify(options));
    }
    for (const name of ['', 'a\0b', '\ud800', 'x'.repeat(4097), 'é'.repeat(2049)]) {
      assert.throws(() => subject.open({ name }), RangeError, JSON.stringify(name));
    }
  });

  it('after close() every call is a ClosedError; name and handle stay', async () => {
    const object = open({ name: freshName(kind) });
    const { name } = object;
    object.close();
    object.close();
    object[Symbol.dispose]();
    for (const [call, make] of Object.entries(subject.calls)) {
      const result = (async () => make(object))();
      await assertRejects(result, 'ClosedError', about(name)).catch((error: Error) => {
        throw new Error(`${call}: ${error.message}`, { cause: error });
      });
    }
    assert.equal(object.name, name);
    assert.deepEqual(object.toJSON(), { holdfast: kind, name });
  });

  it('inspect() and console.log show no internals', () => {
    const object = open({ name: freshName(kind) });
    assert.ok(!/structured clone|native|Symbol/.test(inspect(object)));
    const state = object.inspect() as { kind: string; name: string };
    assert.deepEqual([state.kind, state.name], [kind, object.name]);
  });

  if (number) {
    it(`another number of ${number.name} is an IncompatibleError; undefined opens it with its own`, async () => {
      const name = freshName(kind);
      const object = open({ name });
      const there = await sharedActor('process');
      for (const value of [number.other, 1, number.largest]) {
        await assertRejects(there.open(kind, { name }, value), 'IncompatibleError', about(name));
      }
      subject.mark(object);
      const same = await there.open(kind, { name });
      await same.close();
      const missing = freshName(kind);
      await assertRejects(there.open(kind, { name: missing }), 'NotFoundError', about(missing));
      assert.deepEqual(
        list().filter((it) => it.name === missing),
        [],
      );
    });
  }
}

/** An object ends with its last user, unless it is persistent. */
function itEnds<T extends Shared>(subject: NamedObject<T>): void {
  const { kind, number } = subject;

  it('it ends with its last user, in a process or a worker', async () => {
    const directory = temporaryDirectory();
    const env = { HOLDFAST_DIR: directory };
    const [one, two] = await Promise.all([newProcess({ env }), newProcess({ env })]);
    await one.open(kind, { name: 'it' }, number?.value);
    await two.open(kind, { name: 'it' }, number?.value);
    await one.kill();
    assert.equal(objectFiles(directory).length, 1);
    await two.leave();
    assert.deepEqual(objectFiles(directory), []);

    const name = freshName(kind);
    const worker = await newWorker();
    await worker.open(kind, { name }, number?.value);
    await worker.kill();
    await until(() => !list().some((it) => it.name === name), 'the worker was its last user');
  });

  it('persistent: it stays unchanged without users, until unlink()', async () => {
    const directory = lastingDirectory();
    try {
      const env = { HOLDFAST_DIR: directory };
      const one = await newProcess({ env });
      const first = await one.open(kind, { name: 'it', persistent: true }, number?.value);
      if (kind === 'Event') await first.call('set');
      await one.kill();
      const two = await newProcess({ env });
      assert.deepEqual(await two.list(), [{ kind, name: 'it', persistent: true, inUse: false }]);
      const again = await two.open(kind, { name: 'it', mustExist: true });
      if (kind === 'Event') assert.equal(await again.call('isSet'), true);
      await again.close();
      await two.unlinkName(kind, 'it');
      assert.deepEqual(objectFiles(directory), []);
    } finally {
      removeDirectories([directory]);
    }
  });

  it('objects that are dropped are collected, and leave nothing behind', async () => {
    const program = new Program('drop-objects.mjs', {
      args: [kind, '300'],
      env: {
        HOLDFAST_DIR: temporaryDirectory(),
        NODE_OPTIONS: '--expose-gc',
      },
    });
    const { before, after } = JSON.parse(await program.line('{')) as Record<string, object>;
    await program.end();
    assert.deepEqual(after, before);
  });
}
