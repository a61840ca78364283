// HOLDFAST_DIR and the default directory are used only if they are this user's alone.
import assert from 'node:assert/strict';
import {
  chmodSync,
  chownSync,
  existsSync,
  mkdirSync,
  readdirSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import {
  type About,
  type ErrorName,
  assertError,
  assertRejects,
  isRoot,
  newProcess,
  platform,
  privateMounts,
  temporaryDirectory,
} from '../support/index.js';

const about = { kind: 'RLock', objectName: 'it' };

/**
 * Starts a process with that HOLDFAST_DIR. It is refused, and accepted once `mend` has put the
 * directory right.
 */
async function assertRefused(
  directory: string,
  name: ErrorName,
  more: About,
  mend: () => void,
): Promise<void> {
  const other = await newProcess({ env: { HOLDFAST_DIR: directory } });
  // Other runs make and remove files beside it.
  const besides = () =>
    readdirSync(path.dirname(directory)).filter((name) => !/^(sem\.|hf-)/.test(name));
  const before = existsSync(directory) ? besides() : undefined;
  await assertRejects(other.open('RLock', { name: 'it' }), name, { ...about, ...more });
  await assertRejects(other.list(), name);
  await assertRejects(other.unlinkName('RLock', 'it'), name);
  if (before) assert.deepEqual(besides(), before);
  mend();
  // In the same process, because a program may mend the directory and go on.
  const lock = await other.open('RLock', { name: 'it' });
  await (await lock.acquire()).release();
}

describe('bad directory', () => {
  it('of another user: PermissionError', async function () {
    if (!isRoot) this.skip(); // only root can make one
    const directory = temporaryDirectory();
    chownSync(directory, 12345, 12345);
    await assertRefused(directory, 'PermissionError', {}, () => chownSync(directory, 0, 0));
  });

  for (const mode of [0o755, 0o710, 0o701, 0o770, 0o777, 0o1777, 0o702]) {
    it(`of mode ${mode.toString(8)}: PermissionError`, async () => {
      const directory = temporaryDirectory();
      chmodSync(directory, mode);
      await assertRefused(directory, 'PermissionError', {}, () => chmodSync(directory, 0o700));
    });
  }

  it('a symbolic link to a good one: PermissionError', async () => {
    const parent = temporaryDirectory();
    const directory = path.join(parent, 'link');
    const good = path.join(parent, 'good');
    mkdirSync(good, { mode: 0o700 });
    symlinkSync(good, directory);
    await assertRefused(directory, 'PermissionError', { errno: 'ENOTDIR', syscall: 'open' }, () => {
      assert.deepEqual(readdirSync(good), [], 'nothing was done behind the link');
      rmSync(directory);
      mkdirSync(directory, { mode: 0o700 });
    });
  });

  it('a file: PermissionError', async () => {
    const directory = path.join(temporaryDirectory(), 'file');
    writeFileSync(directory, 'mine');
    await assertRefused(directory, 'PermissionError', { errno: 'ENOTDIR', syscall: 'open' }, () => {
      rmSync(directory);
    });
  });

  it('without a parent: the system’s error, with what it was doing', async () => {
    const parent = path.join(temporaryDirectory(), 'missing');
    const directory = path.join(parent, 'directory');
    const other = await newProcess({ env: { HOLDFAST_DIR: directory } });
    await assert.rejects(other.open('RLock', { name: 'it' }), {
      name: 'HoldfastError',
      code: 'ERR_HOLDFAST_SYSTEM',
      errno: os.constants.errno.ENOENT,
      syscall: 'mkdir',
      ...about,
    });
    mkdirSync(parent);
    await other.open('RLock', { name: 'it' });
    assert.equal(statSync(directory).mode & 0o777, 0o700);
  });

  // A person may empty the directory. An agent without a doorbell does not count as dead.
  it('whose doorbells are removed: its agents still count as alive', async () => {
    const directory = temporaryDirectory();
    const env = { HOLDFAST_DIR: directory };
    const [one, two] = await Promise.all([newProcess({ env }), newProcess({ env })]);
    const lock = await one.open('Lock', { name: 'it' });
    const theirs = await two.open('Lock', { name: 'it' });
    const hold = await lock.acquire();
    for (const name of readdirSync(directory)) {
      if (name.startsWith('bell.')) rmSync(path.join(directory, name));
    }
    assert.equal(await theirs.tryAcquire(), null);
    await assertRejects(theirs.acquire({ timeout: 200 }), 'TimeoutError');
    const wait = theirs.acquire();
    await wait.started;
    await hold.release();
    const next = await wait;
    assert.equal(next.abandoned, false);
    // A dead agent is found by its process.
    await two.kill();
    assert.equal((await lock.acquire()).abandoned, true);
  });

  it('read-only: PermissionError', async function () {
    const mounts = privateMounts();
    if (mounts === undefined) this.skip(); // needs a mount namespace
    const directory = temporaryDirectory();
    const other = await newProcess({
      env: { HOLDFAST_DIR: path.join(directory, 'inside') },
      wrapper: mounts(`mount -t tmpfs -o ro tmpfs "${directory}"`),
    });
    let error: unknown;
    await other.open('RLock', { name: 'it' }).catch((caught: unknown) => (error = caught));
    assertError(error, 'PermissionError', { ...about, errno: 'EROFS', syscall: 'mkdir' });
  });

  // Not in the real default directory: other programs of this user may use it.
  it('the default one is made, for this user alone, and removed by its last user', async function () {
    const mounts = privateMounts();
    if (mounts === undefined) this.skip(); // needs a mount namespace
    const home = platform === 'linux' ? '/dev/shm' : os.userInfo().homedir;
    const place =
      platform === 'linux'
        ? `/dev/shm/holdfast-${process.getuid!()}`
        : path.join(home, platform === 'darwin' ? 'holdfast' : '.holdfast');
    const child = await newProcess({
      env: { HOLDFAST_DIR: undefined },
      wrapper: mounts(`mount -t tmpfs tmpfs "${home}"`),
    });
    const { mode, files, after } = await child.act<Visit>('visit', { place });
    assert.equal(mode & 0o777, 0o700);
    assert.deepEqual(files.map((name) => name.replace(/\.\w+$/, '')).toSorted(), [
      'bell',
      'object',
      'registry',
      'spare',
    ]);
    assert.equal(after, false, 'it is gone');
  });
});

interface Visit {
  mode: number;
  files: string[];
  after: boolean;
}
