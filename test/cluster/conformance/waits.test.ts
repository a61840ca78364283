// How a wait for a lock ends on every engine: ifAvailable, abort, timeout, theft, close.
import assert from 'node:assert/strict';
import { LockLostError } from 'holdfast';
import { now, until } from '../../support/index.js';
import { Holding, counts, hold, rejection } from '../hold.js';
import { forEachSubject, open, openBeside } from '../subjects.js';

const shared = { mode: 'shared' } as const;

forEachSubject('waits', (subject) => {
  it('ifAvailable gets null if the lock is taken or others wait, and is never queued', async () => {
    const a = await open(subject);
    const b = await openBeside(subject, a);
    const isNull = { ifAvailable: true } as const;
    const got = await b.locks.request('it', isNull, (lock) => lock?.name);
    assert.equal(got, 'it');
    const reader = await hold(a, 'it', shared);
    assert.equal(await b.locks.request('it', isNull, (lock) => lock), null);
    const writer = new Holding(a, 'it');
    await until(async () => (await counts(a, 'it'))[1] === 1, 'a writer that waits');
    const behind = { ifAvailable: true, mode: 'shared' } as const;
    assert.equal(await b.locks.request('it', behind, (lock) => lock), null);
    assert.deepEqual(await counts(a, 'it'), [1, 1]);
    await reader.release();
    await writer.granted;
    await writer.release();
  });

  it('an abort ends the wait, and those behind it are granted', async () => {
    const a = await open(subject);
    const reader = await hold(a, 'it', shared);
    const controller = new AbortController();
    const writer = new Holding(a, 'it', { signal: controller.signal });
    await until(async () => (await counts(a, 'it'))[1] === 1, 'a writer that waits');
    const late = new Holding(a, 'it', shared);
    await until(async () => (await counts(a, 'it'))[1] === 2, 'a reader behind it');
    const reason = new Error('enough');
    controller.abort(reason);
    assert.equal(await rejection(writer.result), reason);
    await late.granted;
    await Promise.all([reader.release(), late.release()]);
    assert.deepEqual(await counts(a, 'it'), [0, 0]);
  });

  it('an abort at once, and after the grant', async () => {
    const a = await open(subject);
    const reason = new Error('before');
    const f = (): void => assert.fail('it was called');
    const aborted = { signal: AbortSignal.abort(reason) };
    assert.equal(await rejection(a.locks.request('it', aborted, f)), reason);
    const controller = new AbortController();
    const requested = a.locks.request('it', { signal: controller.signal }, f);
    controller.abort(reason);
    assert.equal(await rejection(requested), reason);
    await until(async () => (await counts(a, 'it'))[0] === 0, 'nothing is held');
    const later = new AbortController();
    const held = await hold(a, 'it', { signal: later.signal });
    later.abort();
    await held.release();
  });

  it('a timeout ends the wait, not earlier, and never keeps from trying once', async () => {
    const a = await open(subject);
    assert.equal(await a.locks.request('it', { timeout: 0 }, () => 'free'), 'free');
    const held = await hold(a, 'it');
    const began = now();
    const late = a.locks.request('it', { timeout: 60 }, () => assert.fail('it was called'));
    assert.equal(((await rejection(late)) as Error).name, 'TimeoutError');
    assert.ok(now() - began >= 60);
    await until(async () => (await counts(a, 'it'))[1] === 0, 'the request is gone');
    await held.release();
  });

  it('a theft: the holder is told, its callback runs on, and frees nobody', async () => {
    const a = await open(subject);
    const b = await openBeside(subject, a);
    const victim = await hold(a, 'it');
    const lock = (await victim.granted)!;
    const behind = new Holding(a, 'it');
    await until(async () => (await counts(a, 'it'))[1] === 1, 'a request that waits');
    const thief = await hold(b, 'it', { steal: true });
    const error = (await rejection(victim.result)) as Error & { code: unknown };
    assert.deepEqual([error.name, error.code], ['AbortError', 'ERR_HOLDFAST_STOLEN']);
    assert.ok(lock.signal.aborted);
    const isTheft = (reason: unknown): boolean =>
      reason instanceof LockLostError && reason.reason === 'stolen';
    assert.ok(isTheft(lock.signal.reason));
    assert.throws(() => lock.check(), isTheft);
    assert.ok((await thief.granted)!.token > lock.token);
    victim.end();
    assert.deepEqual(await counts(b, 'it'), [1, 1], 'the thief goes before who waited');
    await thief.release();
    await behind.granted;
    await behind.release();
  });

  it('a theft from readers, and from the own session', async () => {
    const a = await open(subject);
    const readers = [await hold(a, 'it', shared), await hold(a, 'it', shared)];
    const thief = await hold(a, 'it', { steal: true });
    for (const reader of readers) {
      assert.equal(((await rejection(reader.result)) as Error).name, 'AbortError');
      reader.end();
    }
    assert.deepEqual(await counts(a, 'it'), [1, 0]);
    await thief.release();
  });

  it('close() releases what is held, and ends what waits', async () => {
    const a = await open(subject);
    const b = await openBeside(subject, a);
    const held = await hold(a, 'it');
    const lock = (await held.granted)!;
    const waits = new Holding(a, 'it');
    const other = new Holding(b, 'it');
    await until(async () => (await counts(b, 'it'))[1] === 2, 'two that wait');
    await a.close();
    await a.closed;
    for (const { result } of [held, waits]) {
      assert.equal(((await rejection(result)) as Error).name, 'ClosedError');
    }
    assert.ok(lock.signal.aborted);
    assert.throws(() => lock.check(), { name: 'ClosedError' });
    held.end();
    await other.granted;
    await other.release();
    assert.equal(((await rejection(a.locks.query())) as Error).name, 'ClosedError');
    await a.close();
  });
});
