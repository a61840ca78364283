// Programs of one user whose versions have different formats. What nobody uses is remade, listed or
// removed. What is in use gives one clear error. Programs that share no object do not disturb each
// other.
import assert from 'node:assert/strict';
import { readFileSync, readdirSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import {
  type ErrorName,
  type Kind,
  type ProcessActor,
  allKinds,
  assertRejects,
  header,
  newProcess,
  objectFiles,
  registry,
  semaphoreExists,
  temporaryDirectory,
} from '../support/index.js';
import { type Forge, edit, foreign } from './forgeries.js';

const enter = (directory: string, native?: string) =>
  newProcess({
    env: { HOLDFAST_DIR: directory, ...(native !== undefined && { HOLDFAST_NATIVE: native }) },
  });

/** Rewrites a file in place, so that its users keep it open. */
function forge(file: string, change: Forge): void {
  writeFileSync(file, change(readFileSync(file)), { flag: 'r+' });
}

/** The error tells the format of the file, then that of this program, then what to do. */
async function assertSays(call: Promise<unknown>, ...words: RegExp[]): Promise<void> {
  await assertRejects(call, 'IncompatibleError' satisfies ErrorName);
  const { message } = (await call.catch((error: unknown) => error)) as Error;
  const formats = message.match(/format \d+/g) ?? [];
  assert.ok(formats.length === 2, message);
  for (const word of words) assert.match(message, word);
}

const older = edit((bytes) => bytes.writeUInt32LE(3, header.version));

describe('formats', () => {
  describe('the registry', () => {
    for (const [title, change] of foreign) {
      it(`${title}: left by killed processes, it is remade`, async () => {
        const directory = temporaryDirectory();
        const victim = await enter(directory);
        await victim.open('Lock', { name: 'left' });
        await victim.kill();
        const file = path.join(directory, 'registry');
        forge(file, change);
        const other = await enter(directory);
        const lock = await other.open('Lock', { name: 'it' });
        await (await lock.acquire()).release();
        assert.deepEqual(
          (await other.list()).map(({ name }) => name),
          ['it'],
        );
        assert.equal(readFileSync(file).length, registry.length);
        await other.leave();
        assert.deepEqual(readdirSync(directory), [], 'its doorbells are gone, too');
      });

      it(`${title}: while it is in use, IncompatibleError says what to do`, async () => {
        const directory = temporaryDirectory();
        const one = await enter(directory);
        const lock = await one.open('Lock', { name: 'it' });
        const file = path.join(directory, 'registry');
        forge(file, change);
        const other = await enter(directory);
        const what = /use one version .* or another HOLDFAST_DIR/;
        await assertSays(other.open('Lock', { name: 'other' }), what);
        await assertSays(other.list(), what);
        // The earlier users go on.
        await (await lock.acquire()).release();
        await one.kill();
        await (await other.open('Lock', { name: 'other' })).close();
      });
    }
  });

  for (const kind of allKinds) {
    describe(kind, () => {
      for (const [title, change] of foreign) {
        it(`${title}: persistent, it is listed, refused and unlinked`, async () => {
          const directory = temporaryDirectory();
          const actor = await enter(directory);
          const made = await actor.open(kind, { name: 'it', persistent: true });
          await made.close();
          const file = path.join(directory, objectFiles(directory)[0]!);
          forge(file, change);
          const before = readFileSync(file);
          for (const options of [{}, { mustExist: true }, { exclusive: true }]) {
            const opening = actor.open(kind, { name: 'it', ...options });
            await assertSays(opening, /Nobody has it open: unlink\(\) it/);
          }
          assert.ok(readFileSync(file).equals(before));
          await enter(directory).then((other) => other.list());
          const [entry, ...others] = await actor.list();
          assert.deepEqual(others, []);
          const { format, ...rest } = entry!;
          assert.deepEqual(rest, { kind, name: 'it', persistent: true, inUse: false });
          assert.match(format!, /^format \d+ \(64-bit, .+\)$/);
          await actor.unlinkName(kind, 'it');
          assert.deepEqual(objectFiles(directory), []);
          if (made.posixName) assert.notEqual(semaphoreExists(made.posixName), true);
          await (await actor.open(kind, { name: 'it', exclusive: true })).close();
        });

        it(`${title}: in use, it is refused, and other objects work`, async () => {
          const directory = temporaryDirectory();
          const [one, two] = [await enter(directory), await enter(directory)];
          const made = await one.open(kind, { name: 'it' });
          forge(path.join(directory, objectFiles(directory)[0]!), change);
          await assertSays(
            two.open(kind, { name: 'it' }),
            /A program with that format has it open/,
          );
          const other = await two.open(kind, { name: 'other' });
          await (await other.acquire()).release();
          await other.close();
          await (await made.acquire()).release();
          assert.equal((await two.list())[0]!.inUse, true);
          await two.unlinkName(kind, 'it');
          const anew = await two.open(kind, { name: 'it' });
          await (await anew.acquire()).release();
          await (await made.acquire()).release();
          await anew.close();
        });

        it(`${title}: left by a killed user, it is swept`, async () => {
          const directory = temporaryDirectory();
          const victim = await enter(directory);
          const made = await victim.open(kind, { name: 'it' });
          await victim.kill();
          forge(path.join(directory, objectFiles(directory)[0]!), change);
          const other = await enter(directory);
          assert.deepEqual(await other.list(), []);
          if (made.posixName) assert.notEqual(semaphoreExists(made.posixName), true);
        });
      }
    });
  }

  for (const kind of ['Lock', 'RLock'] as const) {
    for (const [title, change] of [...foreign, ['an older format', older] as const]) {
      it(`${title}: the next holder of a ${kind} is told of the death`, async () => {
        const directory = temporaryDirectory();
        const victim = await enter(directory);
        await (await victim.open(kind, { name: 'it' })).acquire();
        await victim.kill();
        forge(path.join(directory, objectFiles(directory)[0]!), change);
        const other = await enter(directory);
        assert.deepEqual(
          (await other.list()).map(({ name, inUse }) => [name, inUse]),
          [['it', false]],
        );
        const lock = await other.open(kind, { name: 'it' });
        assert.equal((await lock.acquire()).abandoned, true);
        await lock.release();
        assert.equal((await lock.acquire()).abandoned, false);
        await lock.release();
        await lock.close();
        assert.deepEqual(objectFiles(directory), []);
      });
    }
  }

  it('a kind that only a later version has is listed, and unlinked as it is shown', async () => {
    const directory = temporaryDirectory();
    const actor = await enter(directory);
    await (await actor.open('RLock', { name: 'it', persistent: true })).close();
    const later = edit((bytes) => {
      bytes.writeUInt32LE(bytes.readUInt32LE(header.version) + 1, header.version);
      bytes.writeUInt32LE(99, header.kind);
    });
    forge(path.join(directory, objectFiles(directory)[0]!), later);
    const [entry] = await actor.list();
    assert.equal(entry!.kind as string, 'unknown');
    await assertRejects(actor.unlinkName('RLock', 'it'), 'NotFoundError');
    await actor.unlinkName('unknown', 'it');
    assert.deepEqual(await actor.list(), []);
  });

  // The two builds lay out their objects differently, as those of two C libraries do.
  describe('two builds in one directory', () => {
    const other = process.env['HOLDFAST_OTHER_NATIVE'];
    before(function () {
      if (other === undefined) this.skip(); // this run is over one platform
    });

    async function both(): Promise<[ProcessActor, ProcessActor, string]> {
      const directory = temporaryDirectory();
      return [await enter(directory), await enter(directory, other), directory];
    }

    it('programs that share no object both work, and see each other in list()', async () => {
      const [ours, theirs, directory] = await both();
      const kinds: Kind[] = ['Lock', 'RLock', 'Semaphore'];
      for (const kind of kinds) {
        const [mine, its] = [
          await ours.open(kind, { name: `our ${kind}` }),
          await theirs.open(kind, { name: `their ${kind}` }),
        ];
        for (const object of [mine, its]) await (await object.acquire()).release();
      }
      for (const [actor, owner] of [
        [ours, 'our'],
        [theirs, 'their'],
      ] as const) {
        const entries = await actor.list();
        assert.equal(entries.length, 6);
        for (const { name, format } of entries) {
          assert.equal(format === undefined, name.startsWith(owner), name);
        }
      }
      await theirs.kill();
      const third = await enter(directory);
      await third.list();
      assert.equal(objectFiles(directory).length, 3, 'one sweeps what the other left');
    });

    it('the same name is one clear error for the second program', async () => {
      for (const turn of [0, 1]) {
        const [ours, theirs] = await both();
        const [first, second] = turn === 0 ? [ours, theirs] : [theirs, ours];
        for (const kind of allKinds) {
          const made = await first.open(kind, { name: `the ${kind}` });
          const hold = await made.acquire();
          await assertSays(second.open(kind, { name: `the ${kind}` }), /use one version/);
          await assertSays(second.attach(made.handle!), /use one version/);
          await hold.release();
        }
      }
    });

    it('the next program, old or new, is told of a holder’s death', async () => {
      const [ours, theirs] = await both();
      await (await theirs.open('Lock', { name: 'it' })).acquire();
      await theirs.kill();
      const lock = await ours.open('Lock', { name: 'it' });
      assert.equal((await lock.acquire()).abandoned, true);
    });
  });
});
