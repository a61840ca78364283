// Must show: who removes the file of one object by hand, as one removes a lock file that is stale,
// never makes two objects. The name comes back while somebody uses the object.
import assert from 'node:assert/strict';
import {
  copyFileSync,
  readFileSync,
  readdirSync,
  renameSync,
  rmSync,
  statSync,
  writeFileSync,
} from 'node:fs';
import path from 'node:path';
import {
  type ProcessActor,
  assertRejects,
  newProcess,
  objectFiles,
  removeObjectFile,
  temporaryDirectory,
} from '../support/index.js';

interface Place {
  directory: string;
  user: ProcessActor;
  newcomer: ProcessActor;
}

async function newPlace(): Promise<Place> {
  const directory = temporaryDirectory();
  const enter = () => newProcess({ env: { HOLDFAST_DIR: directory } });
  const [user, newcomer] = await Promise.all([enter(), enter()]);
  return { directory, user, newcomer };
}

/** What each class is made with, before its name. */
const makings: [kind: string, ...parameters: unknown[]][] = [
  ['Lock'],
  ['RLock'],
  ['Semaphore', 1],
  ['BoundedSemaphore', 1],
  ['ReadWriteLock'],
  ['Condition', undefined],
  ['Event'],
  ['Barrier', 2],
  ['Queue'],
  ['JoinableQueue'],
  ['SharedMemory', 64],
  ['LockManager'],
];

const fileIn = (directory: string) => path.join(directory, objectFiles(directory)[0]!);
const spareOf = (file: string) => file.replace('object.', 'spare.');
const isThere = (file: string) => readdirSync(path.dirname(file)).includes(path.basename(file));
const about = { kind: 'RLock', objectName: 'it' };

describe('an object whose file is removed while it is in use', () => {
  for (const [kind, ...parameters] of makings) {
    it(`${kind}: a newcomer opens the same, and it ends with its last user`, async () => {
      const { directory, user, newcomer } = await newPlace();
      const named = kind === 'LockManager' ? { namespace: 'it' } : { name: 'it' };
      const ours = await user.make(kind, ...parameters, named);
      // That of its lock as well, of a Condition.
      const files = objectFiles(directory).map((file) => path.join(directory, file));
      const inodes = files.map((file) => statSync(file).ino);
      for (const file of files) rmSync(file);
      const theirs = await newcomer.make(kind, ...parameters, named);
      assert.deepEqual(
        files.map((file) => statSync(file).ino),
        inodes,
      );
      await ours.close();
      await theirs.close();
      assert.deepEqual(objectFiles(directory), []);
    });
  }

  it('the holder is not compromised, and goes on excluding', async () => {
    const { directory, user, newcomer } = await newPlace();
    const ours = await user.open('RLock', { name: 'it' });
    const hold = await ours.keep();
    rmSync(fileIn(directory));
    const theirs = await newcomer.open('RLock', { name: 'it' });
    assert.equal(await theirs.tryAcquire(), null);
    assert.equal(await user.act('compromised', { guard: hold.remote }), false);
    await hold.remote.call('release');
    await (await theirs.acquire()).release();
  });

  for (const [title, call] of [
    ['list()', (actor) => actor.list()],
    ['unlink()', (actor) => actor.unlinkName('RLock', 'it')],
  ] as [string, (actor: ProcessActor) => Promise<unknown>][]) {
    it(`${title} finds it`, async () => {
      const { directory, user, newcomer } = await newPlace();
      const ours = await user.open('RLock', { name: 'it' });
      rmSync(fileIn(directory));
      const got = await call(newcomer);
      if (title === 'list()') {
        assert.deepEqual(got, [{ kind: 'RLock', name: 'it', persistent: false, inUse: true }]);
      }
      await ours.close();
      assert.deepEqual(objectFiles(directory), []);
    });
  }

  it('its last user closes it: nothing is left', async () => {
    const { directory, user } = await newPlace();
    const ours = await user.open('Lock', { name: 'it' });
    rmSync(fileIn(directory));
    await ours.close();
    assert.deepEqual(objectFiles(directory), []);
  });

  it('its last user is killed: a newcomer makes it anew', async () => {
    const { directory, user, newcomer } = await newPlace();
    const ours = await user.open('Lock', { name: 'it' });
    await ours.acquire();
    rmSync(fileIn(directory));
    await user.kill();
    const anew = await newcomer.open('Lock', { name: 'it' });
    await (await anew.keep('tryAcquire')).remote.call('release');
    await anew.close();
    assert.deepEqual(objectFiles(directory), []);
  });

  it('persistent, and not in use: who removes it is rid of it', async () => {
    const { directory, user, newcomer } = await newPlace();
    const ours = await user.open('Event', { name: 'it', persistent: true });
    await ours.call('set');
    await ours.close();
    rmSync(fileIn(directory));
    const anew = await newcomer.open('Event', { name: 'it' });
    assert.equal(await anew.call('isSet'), false);
  });

  it('the spare name is removed: the next to open it gives it another', async () => {
    const { directory, user, newcomer } = await newPlace();
    await user.open('RLock', { name: 'it' });
    const file = fileIn(directory);
    rmSync(spareOf(file));
    await newcomer.open('RLock', { name: 'it' });
    assert.equal(statSync(spareOf(file)).ino, statSync(file).ino);
  });

  it('another file is put in its place: RemovedError for newcomers and users', async () => {
    const { directory, user, newcomer } = await newPlace();
    const ours = await user.open('RLock', { name: 'it' });
    const file = fileIn(directory);
    copyFileSync(file, `${file}.copy`);
    renameSync(`${file}.copy`, file);
    await assertRejects(newcomer.open('RLock', { name: 'it' }), 'RemovedError', about);
    await assertRejects(user.open('RLock', { name: 'it' }), 'RemovedError', about);
    await ours.close();
    const anew = await newcomer.open('RLock', { name: 'it' });
    await (await anew.keep('tryAcquire')).remote.call('release');
    await anew.close();
    assert.deepEqual(objectFiles(directory), []);
  });

  it('a file of somebody else that has a spare name stays', async () => {
    const { directory, user, newcomer } = await newPlace();
    const foreign = path.join(directory, 'spare.key');
    const ours = await user.open('RLock', { name: 'it' });
    const spare = spareOf(fileIn(directory));
    for (const file of [foreign, spare]) {
      rmSync(file, { force: true });
      writeFileSync(file, 'precious');
    }
    const theirs = await newcomer.open('RLock', { name: 'it' });
    await newcomer.list();
    for (const file of [foreign, spare]) assert.equal(readFileSync(file, 'utf8'), 'precious');
    await ours.close();
    await theirs.close();
    assert.equal(readFileSync(foreign, 'utf8'), 'precious');
  });

  it('both names are removed: its users learn it', async () => {
    const { directory, user, newcomer } = await newPlace();
    const ours = await user.open('RLock', { name: 'it' });
    const file = fileIn(directory);
    removeObjectFile(directory, path.basename(file));
    assert.equal(isThere(spareOf(file)), false);
    await newcomer.open('RLock', { name: 'it' });
    await assertRejects(user.open('RLock', { name: 'it' }), 'RemovedError', about);
    await ours.close();
  });
});
