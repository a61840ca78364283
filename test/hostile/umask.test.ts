// A umask may take permissions even from the owner of a new file. It does not bind root, so these
// processes run as another user.
import assert from 'node:assert/strict';
import { chmodSync, chownSync, mkdirSync, readdirSync, statSync } from 'node:fs';
import path from 'node:path';
import {
  type RemoteObject,
  newProcess,
  objectFiles,
  semaphoreFile,
  temporaryDirectory,
} from '../support/index.js';
import { as, bob, hasUsers } from './neighbours.js';

/** Processes of the user bob, with a directory of his own. */
class Place {
  readonly #parent = temporaryDirectory();
  readonly directory = path.join(this.#parent, 'made');
  readonly #wrapper: string[];

  constructor() {
    this.#wrapper = hasUsers ? as(bob) : [];
    if (hasUsers) chownSync(this.#parent, bob, bob);
  }

  /** A process with that umask, which opens and uses one object of each kind. */
  async use(umask: string): Promise<RemoteObject[]> {
    const wrapper = [...this.#wrapper, 'sh', '-c', `umask ${umask}; exec "$@"`, 'sh'];
    const actor = await newProcess({ env: { HOLDFAST_DIR: this.directory }, wrapper });
    const objects = [await actor.open('Lock', { name: 'it' }), await actor.open('RLock')];
    for (const object of objects) await (await object.acquire()).release();
    return objects;
  }

  modes(): Record<string, string> {
    const files = readdirSync(this.directory);
    const modeOf = (file: string) => (statSync(file).mode & 0o777).toString(8);
    return Object.fromEntries([
      ['directory', modeOf(this.directory)],
      ...files.map((name) => [name, modeOf(path.join(this.directory, name))]),
    ]);
  }

  /** What a maker leaves that died before it set the mode. */
  leave(mode: number): void {
    mkdirSync(this.directory);
    chmodSync(this.directory, mode);
    if (hasUsers) chownSync(this.directory, bob, bob);
  }
}

describe('umask', () => {
  for (const umask of ['000', '022', '077', '177', '277', '477', '777']) {
    it(`${umask}: what is made is its owner’s, and no one else’s`, async () => {
      const place = new Place();
      const [lock] = await place.use(umask);
      const { directory, ...files } = place.modes();
      assert.equal(directory, '700');
      assert.deepEqual([...new Set(Object.values(files))], ['600']);
      const semaphore = semaphoreFile(lock!.posixName);
      if (semaphore) assert.equal(statSync(semaphore).mode & 0o777, 0o600);
      // A later process shares it.
      const [theirs] = await place.use('022');
      const hold = await lock!.acquire();
      assert.equal(await theirs!.tryAcquire(), null);
      await hold.release();
    });
  }

  for (const mode of [0o600, 0o300, 0o000]) {
    it(`a maker that died before it had set the mode: ${mode.toString(8)} is mended`, async () => {
      const place = new Place();
      place.leave(mode);
      const [lock] = await place.use('022');
      assert.equal(place.modes()['directory'], '700');
      await (await lock!.acquire()).release();
    });
  }

  it('the same of the registry and of an object', async () => {
    const place = new Place();
    const [lock] = await place.use('022');
    await lock!.actor.kill();
    const files = ['registry', ...objectFiles(place.directory)];
    assert.ok(files.length > 1);
    for (const file of files) chmodSync(path.join(place.directory, file), 0);
    await place.use('022');
    for (const mode of Object.values(place.modes())) assert.match(mode, /^[67]00$/);
  });
});
