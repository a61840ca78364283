// What becomes of a cluster when the disk of its server is full: commands end with a typed error in
// bounded time, what was confirmed is there, and nothing more is held than before.
import assert from 'node:assert/strict';
import { closeSync, openSync, rmSync, writeSync } from 'node:fs';
import path from 'node:path';
import { type Cluster, EngineUnavailableError, LockLostError } from 'holdfast';
import { mountSmall, until, within } from '../../support/index.js';
import { hold, rejection } from '../hold.js';
import { EtcdServer } from '../servers/etcd.mjs';
import { PostgresServer } from '../servers/postgres.mjs';
import { forEachServer, openAt, own } from '../subjects.js';

const long = { ttl: 60_000, connectTimeout: 20_000, commandTimeout: 20_000 } as const;
const large = 'x'.repeat(100_000);

/** Writes until nothing goes in any more. Returns the file. */
function fill(directory: string): string {
  const file = path.join(directory, 'filler');
  const fd = openSync(file, 'w');
  try {
    for (;;) writeSync(fd, Buffer.alloc(4096));
  } catch {
    closeSync(fd);
  }
  return file;
}

/** Puts jobs until one is refused. Returns how many were confirmed, and the error. */
async function putUntilFull(a: Cluster): Promise<{ confirmed: number; error: unknown }> {
  for (let confirmed = 0; ; confirmed++) {
    const put = a.queue('jobs').put(large);
    const error = await within(
      put.then(
        () => undefined,
        (reason: unknown) => reason,
      ),
      'the end of a put',
    );
    if (error !== undefined) return { confirmed, error };
  }
}

/** Grants, or refuses with a typed error. */
async function settles(command: Promise<unknown>): Promise<void> {
  const [end] = await within(Promise.allSettled([command]), 'the end of a command');
  if (end.status === 'fulfilled') return;
  const isTyped =
    end.reason instanceof EngineUnavailableError || end.reason instanceof LockLostError;
  assert.ok(isTyped, String(end.reason));
}

forEachServer('a full disk', 'postgres', () => {
  it('jobs are refused, locks go on, and all goes on when there is room', async function () {
    const mount = mountSmall('size=90m,mode=755');
    if (mount === undefined) this.skip(); // needs the right to mount
    const server = await own(new PostgresServer(path.join(mount, 'data'))).start();
    const a = await openAt(server.url, long);
    const holding = await hold(a, 'it');
    const filler = fill(mount);
    const { confirmed, error } = await putUntilFull(a);
    assert.ok(error instanceof EngineUnavailableError, String(error));
    assert.match(error.message, /No space left/);
    await settles(a.locks.request('other', () => {}));
    await settles(openAt(server.url, long));
    (await holding.granted)!.check();
    await holding.release();
    rmSync(filler);
    const { held, pending } = await a.locks.query();
    assert.deepEqual([held, pending], [[], []]);
    assert.deepEqual(await a.queue('jobs').count(), { waiting: confirmed, taken: 0 });
    await a.queue('jobs').put(large);
  });
});

forEachServer('a full disk', 'etcd', () => {
  it('commands are refused; with room and a new start all that was confirmed is there', async function () {
    const mount = mountSmall('size=200m');
    if (mount === undefined) this.skip(); // needs the right to mount
    const server = await own(new EtcdServer(path.join(mount, 'data'))).start();
    const a = await openAt(server.url, long);
    const holding = await hold(a, 'it');
    const filler = fill(mount);
    // etcd ends when it cannot write.
    const { confirmed, error } = await putUntilFull(a);
    assert.ok(error instanceof EngineUnavailableError, String(error));
    assert.ok((await rejection(a.locks.request('it', () => {}))) instanceof EngineUnavailableError);
    (await holding.granted)!.check();
    rmSync(filler);
    await server.end();
    await server.start();
    const isBack = async (): Promise<boolean> =>
      a.locks.query().then(
        ({ pending }) => pending.length === 0,
        () => false,
      );
    await until(isBack, 'the end of the request that was refused');
    const { waiting } = await a.queue('jobs').count();
    assert.ok(waiting === confirmed || waiting === confirmed + 1, `${waiting} of ${confirmed}`);
    await holding.release();
    await (await hold(a, 'it')).release();
  });

  it('its quota used up: a typed error, and locks can still be released', async () => {
    const server = await own(new EtcdServer()).start(['--quota-backend-bytes', '2000000']);
    const a = await openAt(server.url, long);
    const holding = await hold(a, 'it');
    const { confirmed, error } = await putUntilFull(a);
    assert.ok(error instanceof EngineUnavailableError, String(error));
    assert.match(error.message, /space exceeded/);
    assert.ok((await rejection(a.locks.request('b', () => {}))) instanceof EngineUnavailableError);
    await holding.release();
    assert.deepEqual((await a.locks.query()).held, []);
    // etcd does the first command that goes over the quota, and says that it could not.
    const { waiting } = await a.queue('jobs').count();
    assert.ok(waiting === confirmed || waiting === confirmed + 1, `${waiting} of ${confirmed}`);
  });
});
