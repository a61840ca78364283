// An object exists for as long as it has users, however they end (INV-8 to INV-10).
import assert from 'node:assert/strict';
import { readdirSync } from 'node:fs';
import {
  type RemoteObject,
  allKinds,
  assertRejects,
  freshName,
  isFree,
  lastingDirectory,
  newProcess,
  newWorker,
  objectFiles,
  ownedKinds,
  removeDirectories,
  semaphoreExists,
  sharedActor,
  temporaryDirectory,
  until,
} from '../support/index.js';

let directory: string;
const files = () => objectFiles(directory);
/** Processes that live as long as this suite, in a directory of their own. */
const resident = (number: number) => sharedActor('process', number, directory);
/** A process that one test uses. */
const join = () => newProcess({ env: { HOLDFAST_DIR: directory } });

/** Whether its semaphore is there. True for an object that has none, or where it cannot be seen. */
function semaphoreIs(there: boolean, { posixName }: RemoteObject): boolean {
  return posixName === '' || (semaphoreExists(posixName) ?? there) === there;
}

describe('names and lifetime', () => {
  before(() => {
    directory = lastingDirectory();
  });
  // Actors that were killed after the previous test may still use what that test made. What they
  // leave goes with the sweep of an open, once a second.
  beforeEach(async () => {
    const one = await resident(1);
    for (const { kind, name } of await one.list()) await one.unlinkName(kind, name);
    const isEmpty = async () => {
      await (await one.open('Event')).close();
      return files().length === 0;
    };
    await until(isEmpty, 'the sweep of what killed actors have left');
  });
  after(async () => {
    await Promise.all([(await resident(1)).kill(), (await resident(2)).kill()]);
    removeDirectories([directory]);
  });

  for (const kind of allKinds) {
    describe(kind, () => {
      it('the last user removes it by close()', async () => {
        const [one, two] = [await resident(1), await resident(2)];
        const a = await one.open(kind, { name: 'it' });
        const again = await one.open(kind, { name: 'it' });
        const b = await two.open(kind, { name: 'it' });
        assert.equal(files().length, 1);
        assert.ok(semaphoreIs(true, a));
        await a.close();
        await b.close();
        assert.equal(files().length, 1, 'one object is left');
        assert.ok(semaphoreIs(true, a));
        await again.close();
        assert.deepEqual(files(), []);
        assert.ok(semaphoreIs(false, a));
      });

      it('the last user removes it by ending, and then the directory is empty', async () => {
        const empty = temporaryDirectory();
        const enter = () => newProcess({ env: { HOLDFAST_DIR: empty } });
        const [one, two, three] = await Promise.all([enter(), enter(), enter()]);
        const objects = await Promise.all(
          [one, two, three].map((it) => it.open(kind, { name: 'it' })),
        );
        await one.exit(0);
        await two.crash();
        assert.equal(objectFiles(empty).length, 1);
        await three.leave();
        assert.deepEqual(readdirSync(empty), []);
        assert.ok(semaphoreIs(false, objects[0]!));
      });

      it('a worker is a user: its end is a close()', async () => {
        const name = freshName(kind);
        for (const end of ['leave', 'kill', 'exit'] as const) {
          const [one, two] = await Promise.all([newWorker(), newWorker()]);
          const a = await one.open(kind, { name });
          const b = await two.open(kind, { name });
          await one[end]();
          await (await b.acquire()).release();
          assert.ok(semaphoreIs(true, b));
          await two[end]();
          const left = (await (await sharedActor('thread')).list()).map((entry) => entry.name);
          assert.ok(!left.includes(name), end);
          assert.ok(semaphoreIs(false, a));
        }
      });

      it('what a killed process left is swept when another process opens something', async () => {
        const victim = await join();
        const objects = [];
        for (let i = 0; i < 5; i++) objects.push(await victim.open(kind, { name: `n${i}` }));
        await (await objects[1]!.acquire()).release();
        await victim.kill();
        assert.equal(files().length, 5, 'nobody could clean up');
        const other = await join();
        await other.open('Lock', { name: 'something else' });
        assert.equal(files().length, 1);
        for (const object of objects) assert.ok(semaphoreIs(false, object));
      });

      it('an object that a killed process left begins anew when it is opened', async () => {
        const [victim, survivor] = [await join(), await resident(1)];
        const old = await victim.open(kind, { name: 'it' }, kind === 'Semaphore' ? 7 : undefined);
        await (await old.acquire()).release();
        await victim.kill();
        await assertRejects(survivor.open(kind, { name: 'it', mustExist: true }), 'NotFoundError');
        // Another kind may take the name now, because no object has it.
        const other = allKinds.find((it) => it !== kind)!;
        const fresh = await survivor.open(other, { name: 'it', exclusive: true });
        const { acquisitions } = await fresh.inspect();
        assert.equal(acquisitions, 0);
        assert.ok(await isFree(fresh));
        await fresh.close();
        assert.deepEqual(files(), []);
      });

      it('a live user keeps it as it is', async () => {
        const [victim, survivor] = [await join(), await resident(1)];
        const theirs = await victim.open(kind, { name: 'it' });
        await (await theirs.acquire()).release();
        const ours = await survivor.open(kind, { name: 'it' });
        await victim.kill();
        const other = await (await resident(2)).open(kind, { name: 'it', mustExist: true });
        assert.equal((await other.inspect()).acquisitions, 1);
        const hold = await other.acquire();
        assert.equal(await ours.tryAcquire(), null);
        await hold.release();
      });

      it('persistent: it stays without users, as it is, until unlink()', async () => {
        const one = await join();
        const first = await one.open(kind, { name: 'it', persistent: true });
        await (await first.acquire()).release();
        await first.close();
        assert.equal(files().length, 1);
        assert.ok(semaphoreIs(true, first));
        const expected = { kind, name: 'it', persistent: true };
        assert.deepEqual(await one.list(), [{ ...expected, inUse: false }]);
        await one.leave();

        const second = await join();
        const again = await second.open(kind, { name: 'it', mustExist: true });
        assert.equal((await again.inspect()).acquisitions, 1, 'the same one');
        assert.deepEqual(await second.list(), [{ ...expected, inUse: true }]);
        await second.kill();

        const third = await resident(1);
        assert.deepEqual(await third.list(), [{ ...expected, inUse: false }]);
        await third.unlinkName(kind, 'it');
        assert.deepEqual(files(), []);
        assert.ok(semaphoreIs(false, first));
        await assertRejects(third.unlinkName(kind, 'it'), 'NotFoundError');
      });

      it('persistent: it is enough that one user asks for it', async () => {
        const [one, two] = [await resident(1), await resident(2)];
        const a = await one.open(kind, { name: 'it' });
        const b = await two.open(kind, { name: 'it', persistent: true });
        await b.close();
        await a.close();
        assert.equal(files().length, 1);
        await one.unlinkName(kind, 'it');
        assert.deepEqual(files(), []);
      });

      it('exclusive and mustExist', async () => {
        const [one, two] = [await resident(1), await resident(2)];
        const about = { kind, objectName: 'it' };
        await assertRejects(
          one.open(kind, { name: 'it', mustExist: true }),
          'NotFoundError',
          about,
        );
        const first = await one.open(kind, { name: 'it', exclusive: true });
        await assertRejects(one.open(kind, { name: 'it', exclusive: true }), 'ExistsError', about);
        await assertRejects(two.open(kind, { name: 'it', exclusive: true }), 'ExistsError', about);
        const second = await two.open(kind, { name: 'it', mustExist: true });
        await first.close();
        await assertRejects(one.open(kind, { name: 'it', exclusive: true }), 'ExistsError', about);
        await second.close();
        await assertRejects(
          two.open(kind, { name: 'it', mustExist: true }),
          'NotFoundError',
          about,
        );
        // If several ask at once, one of them makes it.
        const asked = await Promise.allSettled(
          [one, two, one, two].map((it) => it.open(kind, { name: 'it', exclusive: true })),
        );
        assert.equal(asked.filter(({ status }) => status === 'fulfilled').length, 1);
        // A persistent object exists even without users.
        const third = await one.open(kind, { name: 'other', persistent: true });
        await third.close();
        const again = two.open(kind, { name: 'other', exclusive: true });
        await assertRejects(again, 'ExistsError');
        await two.unlinkName(kind, 'other');
      });

      it('attach() of what toJSON() gave, by JSON, structured clone and environment', async () => {
        const [one, two] = [await resident(1), await resident(2)];
        const scope = kind === 'RLock' && { scope: 'mixed' };
        for (const name of ['it', undefined, 'Größe "1"\n😀']) {
          const object = await one.open(kind, { ...(name !== undefined && { name }), ...scope });
          assert.deepEqual(object.handle, { holdfast: kind, name: object.name });
          const byJson = await two.attach(JSON.parse(JSON.stringify(object.handle)));
          const byClone = await two.attach(structuredClone(object.handle));
          const hold = await object.acquire();
          assert.equal(await byJson.tryAcquire(), null);
          assert.equal(await byClone.tryAcquire(), null);
          await hold.release();
          await (await byJson.acquire()).release();
          assert.equal((await object.inspect()).acquisitions, 2);
          for (const it of [byJson, byClone, object]) await it.close();
          await assertRejects(two.attach(object.handle), 'NotFoundError', { kind });
        }
        assert.deepEqual(files(), []);
      });

      it('anonymous objects are always new, and end with their users', async () => {
        const [one, two] = [await join(), await join()];
        const objects = [await one.open(kind), await one.open(kind), await two.open(kind)];
        assert.equal(new Set(objects.map((it) => it.name)).size, 3);
        for (const object of objects) assert.ok(await object.tryAcquire());
        await one.kill();
        await two.kill();
        // It is removed even if it is held, because nobody can ask for it any more.
        await (await join()).open('Lock', { name: 'something else' });
        assert.equal(files().length, 1);
        for (const object of objects) assert.ok(semaphoreIs(false, object));
      });

      it('unlink() takes the name away: the next open makes another one', async () => {
        const [one, two] = [await resident(1), await resident(2)];
        const old = await one.open(kind, { name: 'it' });
        const shared = await two.open(kind, { name: 'it' });
        const hold = await old.acquire();
        await old.unlink();
        assert.deepEqual(files(), []);
        assert.ok(semaphoreIs(false, old));
        await assertRejects(old.unlink(), 'NotFoundError', { kind, objectName: 'it' });
        await assertRejects(two.unlinkName(kind, 'it'), 'NotFoundError');

        // Threads that have it open keep it, and so do pending waits.
        const wait = shared.acquire();
        await wait.started;
        const fresh = await two.open(kind, { name: 'it', exclusive: true });
        const fromOne = await one.open(kind, { name: 'it', mustExist: true });
        const freshHold = await fresh.acquire();
        assert.equal(await fromOne.tryAcquire(), null);
        await hold.release();
        await (await wait).release();
        assert.ok(await isFree(old));

        // When the old object ends, the new object of that name stays.
        await old.close();
        await shared.close();
        assert.equal(files().length, 1);
        assert.ok(semaphoreIs(true, fresh));
        assert.equal(await fromOne.tryAcquire(), null);
        await freshHold.release();
        await fresh.close();
        await fromOne.close();
        assert.deepEqual(files(), []);
        assert.ok(semaphoreIs(false, fresh));
      });
    });
  }

  for (const kind of ownedKinds) {
    describe(`${kind}, its holder was killed as its only user`, () => {
      async function leave() {
        const [victim, survivor] = [await join(), await resident(1)];
        const lock = await victim.open(kind, { name: 'it' });
        await lock.acquire();
        await victim.kill();
        assert.equal(files().length, 1);
        return survivor;
      }

      it('it outlives sweeps, and its next holder is told once', async () => {
        const survivor = await leave();
        for (let i = 0; i < 2; i++) await (await join()).open('RLock', { name: `sweeps ${i}` });
        assert.equal(files().length, 3);
        const entry = (await survivor.list()).find(({ name }) => name === 'it');
        assert.deepEqual(entry, { kind, name: 'it', persistent: false, inUse: false });

        const lock = await survivor.open(kind, { name: 'it' });
        const { locked, abandoned, owner } = await lock.inspect();
        assert.deepEqual([locked, abandoned, owner], [false, true, null]);
        const hold = await lock.acquire();
        assert.equal(hold.abandoned, true);
        await hold.release();
        assert.equal((await lock.acquire()).abandoned, false);
        await lock.release();
        await lock.close();
        assert.equal(files().length, 2, 'and then it goes like any other');
      });

      it('opened and closed without an acquisition, it keeps the unreported death', async () => {
        const survivor = await leave();
        await (await survivor.open(kind, { name: 'it' })).close();
        assert.equal(files().length, 1);
        const lock = await (await resident(2)).open(kind, { name: 'it' });
        assert.equal((await lock.tryAcquire())?.abandoned, true);
        await lock.release();
        await lock.close();
        assert.deepEqual(files(), []);
      });

      it('if the next holder is killed, too, the one after it is told', async () => {
        const survivor = await leave();
        const second = await join();
        assert.equal((await (await second.open(kind, { name: 'it' })).acquire()).abandoned, true);
        await second.kill();
        const lock = await survivor.open(kind, { name: 'it' });
        assert.equal((await lock.acquire()).abandoned, true);
        assert.equal((await lock.inspect()).abandonments, 2);
      });

      it('an exclusive open takes it, because nobody uses it', async () => {
        const survivor = await leave();
        const lock = await survivor.open(kind, { name: 'it', exclusive: true });
        assert.equal((await lock.acquire()).abandoned, true);
      });

      it('unlink() removes it, and nobody is told', async () => {
        const survivor = await leave();
        await survivor.unlinkName(kind, 'it');
        assert.deepEqual(files(), []);
        const lock = await survivor.open(kind, { name: 'it' });
        assert.equal((await lock.acquire()).abandoned, false);
      });

      it('another kind may take the name', async () => {
        const survivor = await leave();
        const other = kind === 'Lock' ? 'RLock' : 'Lock';
        const lock = await survivor.open(other, { name: 'it' });
        assert.equal((await lock.acquire()).abandoned, false);
      });
    });
  }

  it('list() shows every kind, from every process', async () => {
    const actors = await Promise.all([resident(1), resident(2), join()]);
    const made = [];
    for (const [i, kind] of allKinds.entries()) {
      for (const persistent of [false, true]) {
        const name = `${kind} ${persistent}`;
        const object = await actors[i]!.open(kind, { name, persistent });
        if (persistent) await object.close();
        made.push({ kind, name, persistent, inUse: !persistent });
      }
    }
    const sorted = (entries: { name: string }[]) =>
      entries.toSorted((a, b) => (a.name < b.name ? -1 : 1));
    for (const actor of actors) assert.deepEqual(sorted(await actor.list()), sorted(made));
    for (const { kind, name, persistent } of made) {
      if (persistent) await actors[0]!.unlinkName(kind, name);
    }
  });

  it('directories do not see each other’s objects', async () => {
    const elsewhere = await newProcess({ env: { HOLDFAST_DIR: temporaryDirectory() } });
    const a = await (await resident(1)).open('Lock', { name: 'it' });
    const b = await elsewhere.open('Lock', { name: 'it' });
    assert.notEqual(a.posixName, b.posixName);
    await a.acquire();
    assert.equal((await b.tryAcquire())?.abandoned, false);
  });
});
