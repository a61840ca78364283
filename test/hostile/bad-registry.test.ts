// What may stand in the place of the registry. It gives an error of its own, and is left as it is.
import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { mkdirSync, readFileSync, readdirSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import {
  type ErrorName,
  assertRejects,
  header,
  kinds,
  newProcess,
  registry,
  temporaryDirectory,
} from '../support/index.js';
import { type Forge, edit, corrupt } from './forgeries.js';

describe('a bad registry', () => {
  async function emptyDirectory() {
    const directory = temporaryDirectory();
    const first = await newProcess({ env: { HOLDFAST_DIR: directory } });
    await first.open('Lock', { name: 'it' });
    const file = path.join(directory, 'registry');
    const whole = readFileSync(file);
    assert.equal(whole.length, registry.length);
    await first.leave();
    assert.deepEqual(readdirSync(directory), [], 'the last one out left nothing');
    return { directory, file, whole };
  }

  const bad: [title: string, forge: Forge, error: ErrorName][] = [
    ...[...corrupt].map(
      ([title, forge]) => [title, forge, 'CorruptError'] as [string, Forge, ErrorName],
    ),
    ['an object', edit((bytes) => bytes.writeUInt32LE(kinds.Lock, header.kind)), 'CorruptError'],
  ];

  it('is an error for every new process and stays as it is; when it is removed, all is well', async () => {
    const { directory, file, whole } = await emptyDirectory();
    const other = await newProcess({ env: { HOLDFAST_DIR: directory } });
    for (const [title, forge, error] of bad) {
      const forged = forge(Buffer.from(whole));
      writeFileSync(file, forged);
      const about = { kind: 'RLock', objectName: 'it' };
      try {
        await assertRejects(other.open('RLock', { name: 'it' }), error, about);
        await assertRejects(other.list(), error);
        await assertRejects(other.unlinkName('Lock', 'it'), error);
      } catch (cause) {
        throw new Error(title, { cause });
      }
      assert.ok(readFileSync(file).equals(forged), `${title}: the file has changed`);
      assert.deepEqual(readdirSync(directory), ['registry'], title);
    }
    rmSync(file);
    const lock = await other.open('Lock', { name: 'it' });
    await (await lock.acquire()).release();
  });

  it('that is a directory, a FIFO or a symbolic link: CorruptError', async () => {
    const { directory, file, whole } = await emptyDirectory();
    const other = await newProcess({ env: { HOLDFAST_DIR: directory } });
    const elsewhere = path.join(temporaryDirectory(), 'registry');
    writeFileSync(elsewhere, whole);
    const strangers: [string, () => void][] = [
      ['a FIFO', () => execFileSync('mkfifo', [file])],
      ['a symbolic link', () => symlinkSync(elsewhere, file)],
      ['a directory', () => mkdirSync(file)],
    ];
    for (const [title, make] of strangers) {
      make();
      try {
        await assertRejects(other.open('Lock', { name: 'it' }), 'CorruptError');
      } catch (cause) {
        throw new Error(title, { cause });
      }
      rmSync(file, { recursive: true });
    }
    assert.ok(readFileSync(elsewhere).equals(whole));
  });

  // A new registry would not know the present agents, and would count them as dead.
  it('that was removed while others use objects: RemovedError, until they have left', async () => {
    const directory = temporaryDirectory();
    const env = { HOLDFAST_DIR: directory };
    const [one, other] = await Promise.all([newProcess({ env }), newProcess({ env })]);
    const lock = await one.open('RLock', { name: 'it' });
    const hold = await lock.acquire();
    rmSync(path.join(directory, 'registry'));
    const about = { kind: 'RLock', objectName: 'it' };
    await assertRejects(other.open('RLock', { name: 'it' }), 'RemovedError', about);
    await assertRejects(one.open('RLock', { name: 'other' }), 'RemovedError');
    assert.equal(await lock.locked(), true);
    await hold.release();
    await lock.close();
    await one.leave();
    const again = await other.open('RLock', { name: 'it' });
    assert.equal((await again.acquire()).abandoned, false);
  });

  it('that is half-made is made anew', async () => {
    const { directory, file, whole } = await emptyDirectory();
    for (const half of [Buffer.alloc(0), Buffer.alloc(whole.length), Buffer.alloc(header.length)]) {
      writeFileSync(file, half);
      const other = await newProcess({ env: { HOLDFAST_DIR: directory } });
      const lock = await other.open('Lock', { name: 'it' });
      await (await lock.acquire()).release();
      await other.leave();
      assert.deepEqual(readdirSync(directory), []);
    }
  });
});
