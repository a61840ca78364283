// LockManager: a lock that is stolen.
import assert from 'node:assert/strict';
import { stateOf, until, within } from '../../support/index.js';
import { Holding, assertFree, assertStolen, counts, hold, open } from './helpers.js';

const steal = { steal: true } as const;
const shared = { mode: 'shared' } as const;

describe('LockManager, steal', () => {
  it('takes a free lock as any request does', async () => {
    const manager = open();
    const thief = await hold(manager, 'it', steal);
    assert.equal(thief.lock!.mode, 'exclusive');
    await thief.release();
    assert.equal(manager.inspect().steals, 0);
    await assertFree(manager, 'it');
  });

  it('all holders are told; their callbacks run on; those who wait stay in line', async () => {
    const manager = open();
    const victims = [await hold(manager, 'it', shared), await hold(manager, 'it', shared)];
    const waits = new Holding(manager, 'it');
    const thief = new Holding(manager, 'it', steal);
    assert.deepEqual(await counts(manager, 'it'), [1, 1]);
    for (const victim of victims) {
      await assertStolen(victim.result);
      assert.equal(victim.lock!.stolen, true);
    }
    await thief.granted;
    assert.equal(thief.lock!.stolen, false);
    assert.equal(waits.isGranted, false);
    await thief.release();
    await waits.granted;
    await waits.release();
    assert.equal(manager.inspect().steals, 2);
    await assertFree(manager, 'it');
  });

  it("a victim's later end frees nobody else's lock", async () => {
    const manager = open();
    const victim = await hold(manager, 'it');
    const thief = await hold(manager, 'it', steal);
    await assertStolen(victim.result);
    await assertStolen(victim.release());
    const waits = new Holding(manager, 'it');
    assert.deepEqual(await counts(manager, 'it'), [1, 1]);
    assert.equal(await stateOf(waits.granted), 'pending');
    await thief.release();
    await waits.granted;
    await waits.release();
    await assertFree(manager, 'it');
  });

  it("a victim's later rejection is not unhandled", async () => {
    const manager = open();
    const unhandled: unknown[] = [];
    const listener = (reason: unknown) => unhandled.push(reason);
    process.on('unhandledRejection', listener);
    try {
      const victim = await hold(manager, 'it');
      await (await hold(manager, 'it', steal)).release();
      await assertStolen(victim.result);
      victim.fail(new Error('later'));
      assert.equal(await stateOf(new Promise(() => {})), 'pending'); // some turns
      assert.deepEqual(unhandled, []);
    } finally {
      process.off('unhandledRejection', listener);
    }
  });

  it('between grant and callback: the callback runs, and the promise rejects', async () => {
    const manager = open();
    const victim = new Holding(manager, 'it');
    const thief = new Holding(manager, 'it', steal);
    await victim.granted;
    assert.equal(victim.lock!.name, 'it');
    await assertStolen(victim.result);
    await thief.granted;
    assert.deepEqual(await counts(manager, 'it'), [1, 0]);
    await thief.release();
    await assertFree(manager, 'it');
  });

  it('a thief is robbed in its turn; each rejection has the code that tells it', async () => {
    const manager = open();
    const all = [await hold(manager, 'it')];
    for (let i = 0; i < 5; i++) all.push(await hold(manager, 'it', steal));
    const last = all.pop()!;
    for (const victim of all) await assertStolen(victim.result);
    assert.deepEqual(await counts(manager, 'it'), [1, 0]);
    await last.release('the last');
    assert.equal(await last.result, 'the last');
    await assertFree(manager, 'it');
  });

  it('several thieves at once: the last one holds', async () => {
    const manager = open();
    const thieves = Array.from({ length: 5 }, () => new Holding(manager, 'it', steal));
    const last = thieves.pop()!;
    await Promise.all(thieves.map((thief) => assertStolen(thief.result)));
    await last.granted;
    await last.release();
    await assertFree(manager, 'it');
  });

  it('another name, and the same name in another namespace, are not stolen', async () => {
    const manager = open();
    const other = open();
    const held = await Promise.all([hold(manager, 'other'), hold(other, 'it')]);
    await (await hold(manager, 'it', steal)).release();
    for (const one of held) assert.equal(await one.release('mine'), 'mine');
  });

  it('from acquire(): nothing rejects, and the lock says so', async () => {
    const manager = open();
    const acquired = await manager.acquire('it');
    assert.equal(acquired.stolen, false);
    const thief = await hold(manager, 'it', steal);
    await until(() => acquired.stolen, 'the news');
    acquired.release();
    assert.deepEqual(await counts(manager, 'it'), [1, 0]);
    await thief.release();
    await assertFree(manager, 'it');
  });

  it('by requestSync(), and from requestSync()', async () => {
    const manager = open();
    const victim = await hold(manager, 'it');
    assert.equal(
      manager.requestSync('it', steal, (lock) => lock!.mode),
      'exclusive',
    );
    await assertStolen(victim.result);
    let thief: Promise<unknown> | undefined;
    const robbed = () =>
      manager.requestSync('it', () => {
        thief = manager.request('it', steal, () => 'stolen');
      });
    assert.throws(robbed, { name: 'AbortError', code: 'ERR_HOLDFAST_STOLEN' });
    assert.equal(await within(thief!, 'the thief'), 'stolen');
    await assertFree(manager, 'it');
  });

  it('the token of a thief is greater than that of its victim', async () => {
    const manager = open();
    const victim = await hold(manager, 'it');
    const thief = await hold(manager, 'it', steal);
    assert.ok(thief.lock!.token > victim.lock!.token);
    await assertStolen(victim.result);
    await thief.release();
  });
});
