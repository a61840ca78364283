// What may stand in the place of an object's file. Each such file gets an error of its own, and
// none crashes a process. What is not a whole object of holdfast is left as it is.
import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import {
  chownSync,
  lstatSync,
  mkdirSync,
  readFileSync,
  renameSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import path from 'node:path';
import { Condition, list, unlink } from 'holdfast';
import {
  type ErrorName,
  type Kind,
  type Actor,
  type RemoteObject,
  allKinds,
  assertRejects,
  assertThrows,
  conditionBody,
  freshName,
  header,
  isRoot,
  kinds,
  lastingDirectory,
  newProcess,
  objectFiles,
  objectLength,
  random,
  removeDirectories,
  semaphoreExists,
  sharedActor,
  state,
  temporaryDirectory,
  writeWord,
} from '../support/index.js';
import { type Forge, edit, corrupt, tooMuch } from './forgeries.js';

let home: string;
const join = () => newProcess({ env: { HOLDFAST_DIR: home } });
/** A process that lives as long as this suite, and the file in which it looks for the object. */
async function setUp(kind: Kind) {
  const actor = await sharedActor('process', 1, home);
  const object = await actor.open(kind, { name: 'it', persistent: true });
  const [fileName] = objectFiles(home);
  const file = path.join(home, fileName!);
  await object.close();
  const whole = readFileSync(file);
  return { actor, file, whole, posixName: object.posixName };
}

/** Things that are not files of holdfast, and how to make each. */
const strangers: [title: string, make: (file: string) => void][] = [
  ['a directory', (file) => mkdirSync(file)],
  ['a FIFO', (file) => execFileSync('mkfifo', [file])],
  ['a symbolic link to nothing', (file) => symlinkSync('/nonexistent', file)],
  ['a symbolic link to itself', (file) => symlinkSync(file, file)],
];
if (isRoot && process.platform === 'linux') {
  strangers.push(['a device', (file) => execFileSync('mknod', [file, 'c', '1', '3'])]);
}

async function assertRefused(actor: Actor, kind: Kind, error: ErrorName): Promise<void> {
  const about = { kind, objectName: 'it' };
  await assertRejects(actor.open(kind, { name: 'it' }), error, about);
  await assertRejects(actor.open(kind, { name: 'it', mustExist: true }), error, about);
  await assertRejects(actor.open(kind, { name: 'it', exclusive: true }), error, about);
  await assertRejects(actor.unlinkName(kind, 'it'), error, about);
}

/** Everything else goes on: another name, and list(). */
async function assertOthersWork(...actors: Actor[]): Promise<void> {
  for (const somebody of actors) {
    const other = await somebody.open('Lock', { name: 'another' });
    await (await other.acquire()).release();
    const names = (await somebody.list()).map((entry) => entry.name);
    assert.deepEqual(names, ['another']);
    await other.close();
  }
}

async function put(object: RemoteObject): Promise<void> {
  await (await object.acquire()).release();
  await object.unlink();
  await object.close();
}

describe('bad files', () => {
  before(() => {
    home = lastingDirectory();
  });
  afterEach(() => {
    for (const file of objectFiles(home)) rmSync(path.join(home, file), { recursive: true });
  });
  after(async () => {
    await (await sharedActor('process', 1, home)).kill();
    removeDirectories([home]);
  });

  for (const kind of allKinds) {
    describe(`in the place of a ${kind}`, () => {
      it('CorruptError, and the file stays as it is', async () => {
        const { actor, file, whole, posixName } = await setUp(kind);
        for (const [title, forge] of kind === 'Semaphore' ? [...corrupt, tooMuch] : corrupt) {
          if (kind === 'RLock' && title.startsWith('a semaphore')) continue;
          const forged = forge(Buffer.from(whole));
          writeFileSync(file, forged);
          try {
            await assertRefused(actor, kind, 'CorruptError');
          } catch (cause) {
            throw new Error(title, { cause });
          }
          assert.ok(readFileSync(file).equals(forged), `${title}: the file has changed`);
        }
        await assertOthersWork(actor, await join());
        assert.equal(objectFiles(home).length, 1, 'and no other process swept it');
        if (posixName) assert.notEqual(semaphoreExists(posixName), false);
        // When the file is whole again, the object works again.
        writeFileSync(file, whole);
        await put(await actor.open(kind, { name: 'it', mustExist: true }));
        assert.deepEqual(objectFiles(home), []);
      });

      it('random bytes: CorruptError; random damage: an error of ours or the object', async () => {
        const { actor, file, whole } = await setUp(kind);
        const { whole: number } = random(`random damage, ${kind}`);
        for (let round = 0; round < 20; round++) {
          const bytes = Buffer.from(Array.from({ length: objectLength }, () => number(0, 255)));
          writeFileSync(file, bytes);
          await assertRefused(actor, kind, 'CorruptError');
          assert.ok(readFileSync(file).equals(bytes));
        }
        for (let round = 0; round < 200; round++) {
          const bytes = Buffer.from(whole);
          // The damage is only in words that are checked. Another posix_name, for example, would
          // name the semaphore of another object.
          for (let n = number(1, 3); n > 0; n--) {
            const at = number(0, header.posixName - 1);
            bytes[at] = number(0, 255);
          }
          writeFileSync(file, bytes);
          const object = await actor.open(kind, { name: 'it' }).catch((error: Error) => {
            assert.match(error.name, /^(CorruptError|IncompatibleError)$/);
          });
          if (!object) continue;
          await object.tryAcquire();
          await object.inspect();
          await actor.reset();
        }
        writeFileSync(file, whole);
      });

      it('a file of another kind or name: IncompatibleError', async () => {
        const { actor, file, whole } = await setUp(kind);
        const renamed = Buffer.from(whole);
        renamed.write('at', header.name); // as two names with one digest would be
        writeFileSync(file, renamed);
        await assertRejects(actor.open(kind, { name: 'it' }), 'IncompatibleError');
        assert.ok(readFileSync(file).equals(renamed));
        writeFileSync(file, whole);
        for (const other of allKinds.filter((it) => it !== kind)) {
          await assertRejects(actor.open(other, { name: 'it' }), 'IncompatibleError');
        }
        assert.ok(readFileSync(file).equals(whole));
        await put(await actor.open(kind, { name: 'it' }));
      });

      for (const [title, make] of strangers) {
        it(`${title}: CorruptError, and it stays`, async () => {
          const { actor, file, posixName } = await setUp(kind);
          rmSync(file);
          make(file);
          const { ino, mode } = lstatSync(file);
          await assertRefused(actor, kind, 'CorruptError');
          await assertOthersWork(actor);
          assert.deepEqual([lstatSync(file).ino, lstatSync(file).mode], [ino, mode]);
          rmSync(file, { recursive: true });
          // The semaphore that belonged to the removed file is found and made anew.
          await put(await actor.open(kind, { name: 'it' }));
          if (posixName) assert.notEqual(semaphoreExists(posixName), true);
        });
      }

      it('a symbolic link to a whole object: CorruptError', async () => {
        const { actor, file, whole } = await setUp(kind);
        const elsewhere = path.join(temporaryDirectory(), 'whole');
        renameSync(file, elsewhere);
        symlinkSync(elsewhere, file);
        await assertRefused(actor, kind, 'CorruptError');
        assert.ok(readFileSync(elsewhere).equals(whole));
        renameSync(elsewhere, file);
        await put(await actor.open(kind, { name: 'it', mustExist: true }));
      });

      it('a file of another user: PermissionError, and it stays', async function () {
        if (!isRoot) this.skip(); // only root can make one
        const { actor, file, whole } = await setUp(kind);
        chownSync(file, 12345, 12345);
        await assertRefused(actor, kind, 'PermissionError');
        await assertOthersWork(actor);
        assert.ok(readFileSync(file).equals(whole));
        chownSync(file, 0, 0);
        await put(await actor.open(kind, { name: 'it' }));
      });

      // INV-8: a maker that died half-way left a file that nobody has open. The next open makes it
      // anew.
      const halfMade: [title: string, forge: Forge][] = [
        ['empty', () => Buffer.alloc(0)],
        ['reserved and not written', (bytes) => Buffer.alloc(bytes.length)],
        ['written but for its magic number', edit((bytes) => bytes.fill(0, 0, 8))],
        [
          'written but for its semaphore',
          edit((bytes) => bytes.writeUInt32LE(state.making, header.state)),
        ],
      ];
      for (const [title, forge] of halfMade) {
        it(`a half-made file, ${title}, is made anew`, async () => {
          const { actor, file, whole, posixName } = await setUp(kind);
          writeFileSync(file, forge(Buffer.from(whole)));
          const fresh = await actor.open(kind, { name: 'it' });
          const hold = await fresh.acquire();
          assert.equal(hold.abandoned, false);
          await hold.release();
          await fresh.close();
          assert.deepEqual(objectFiles(home), [], 'it was not persistent');
          if (posixName) assert.notEqual(semaphoreExists(posixName), true);
        });
      }

      it('a half-made file is swept by the next process', async () => {
        const { file, whole, posixName } = await setUp(kind);
        writeFileSync(file, edit((b) => b.writeUInt32LE(state.making, header.state))(whole));
        await (await (await join()).open('Lock', { name: 'another' })).close();
        assert.deepEqual(objectFiles(home), []);
        if (posixName) assert.notEqual(semaphoreExists(posixName), true);
      });
    });
  }

  it('a sweep leaves files that are not of holdfast alone', async () => {
    for (const [i, [, make]] of strangers.entries()) {
      make(path.join(home, `object.${String(i).padStart(26, '0')}`));
    }
    const before = objectFiles(home);
    await assertOthersWork(await join());
    assert.deepEqual(objectFiles(home), before);
  });
});

// A Condition makes its own lock if there is none. So the file must not choose the kind of that
// lock: nobody would remove a lock of another kind.
it('a Condition whose file names another kind of lock: CorruptError, and no lock is made', () => {
  const name = freshName('condition');
  const condition = new Condition(undefined, { name, persistent: true });
  const lockName = condition.lock.name;
  condition.close();
  unlink('RLock', lockName);
  writeWord(name, conditionBody.lockKind, BigInt(kinds.Lock) | (BigInt(lockName.length) << 32n));
  assertThrows(() => new Condition(undefined, { name }), 'CorruptError', { kind: 'Condition' });
  assert.ok(!list().some((entry) => entry.name === lockName));
  unlink('Condition', name);
});
