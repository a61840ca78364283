// Must show: an error about the directory or /dev/shm says which of the two it is and what to do.
import assert from 'node:assert/strict';
import { chmodSync, existsSync } from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import {
  type ErrorName,
  assertError,
  newProcess,
  platform,
  privateMounts,
  temporaryDirectory,
} from '../support/index.js';

/** Both must be there to make a semaphore. */
const kinds = ['Lock', 'Semaphore'] as const;

describe('advice', () => {
  const shm: [title: string, mount: string, name: ErrorName | undefined, words: RegExp][] = [
    [
      'read-only',
      'mount -t tmpfs -o ro tmpfs /dev/shm',
      'PermissionError',
      /\/dev\/shm is read-only: mount it writable/,
    ],
    [
      'full',
      'mount -t tmpfs -o nr_inodes=1 tmpfs /dev/shm',
      'NoSpaceError',
      /\/dev\/shm is full: .*--shm-size/,
    ],
    [
      'missing',
      'mount -t tmpfs tmpfs /dev && mknod /dev/null c 1 3 && mknod /dev/urandom c 1 9',
      undefined, // a plain HoldfastError
      /there is no \/dev\/shm: mount a tmpfs there/,
    ],
  ];
  for (const [title, mount, name, words] of shm) {
    it(`/dev/shm is ${title}: Lock and Semaphore say so, the others do without`, async function () {
      const mounts = privateMounts();
      if (mounts === undefined) this.skip(); // needs a mount namespace
      if (platform === 'darwin') this.skip(); // semaphores are no files there
      const directory = temporaryDirectory(os.tmpdir());
      const actor = await newProcess({ env: { HOLDFAST_DIR: directory }, wrapper: mounts(mount) });
      for (const kind of kinds) {
        let error: unknown;
        const opened = actor.open(kind, { name: 'it' }, 1);
        await opened.catch((caught: unknown) => (error = caught));
        if (name !== undefined) assertError(error, name, { kind, objectName: 'it' });
        const { message } = error as Error;
        assert.match(message, words);
        assert.match(message, /Lock and Semaphore have theirs there, whatever HOLDFAST_DIR says/);
      }
      const other = await actor.open('RLock', { name: 'it' });
      await (await other.acquire()).release();
    });
  }

  const directories: [title: string, make: (parent: string) => string, words: RegExp][] = [
    ['below a file', () => process.execPath + '/objects', /HOLDFAST_DIR/],
    [
      'below nothing',
      (parent) => path.join(parent, 'no', 'objects'),
      /make that, or .*HOLDFAST_DIR/,
    ],
    [
      'open to others',
      (parent) => {
        chmodSync(parent, 0o755);
        return parent;
      },
      /mode must be 0700, or HOLDFAST_DIR must name another one/,
    ],
  ];
  for (const [title, make, words] of directories) {
    it(`a directory ${title}: the error names HOLDFAST_DIR`, async () => {
      const actor = await newProcess({ env: { HOLDFAST_DIR: make(temporaryDirectory()) } });
      await assert.rejects(actor.open('RLock', { name: 'it' }), words);
    });
  }

  it('the default directory cannot be made: the error says to set HOLDFAST_DIR', async function () {
    const mounts = privateMounts();
    if (mounts === undefined || !existsSync('/dev/shm')) this.skip();
    const home = os.userInfo().homedir;
    const readOnly = (at: string) => `mount -t tmpfs -o ro tmpfs "${at}"`;
    const actor = await newProcess({
      env: { HOLDFAST_DIR: undefined },
      wrapper: mounts(`${readOnly('/dev/shm')} && ${readOnly(home)}`),
    });
    await assert.rejects(
      actor.open('RLock', { name: 'it' }),
      /its file system is read-only: set HOLDFAST_DIR to another directory/,
    );
  });
});
