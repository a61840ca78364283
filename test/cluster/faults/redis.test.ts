// What becomes of a cluster when its Redis dies, restarts, is replaced, or cannot be used.
import assert from 'node:assert/strict';
import { once } from 'node:events';
import net from 'node:net';
import {
  type Cluster,
  EngineUnavailableError,
  LockLostError,
  UnsupportedEngineError,
  connect,
} from 'holdfast';
import { until } from '../../support/index.js';
import { type Holding, hold, rejection } from '../hold.js';
import { blocksOfPage } from '../page.js';
import { RedisServer } from '../servers/redis.mjs';
import { freePort } from '../servers/server.mjs';
import { forEachServer, openAt, own } from '../subjects.js';

const short = { ttl: 1000, connectTimeout: 2000, commandTimeout: 500 } as const;

forEachServer('a server that fails', 'redis', () => {
  const start = (...options: string[]): Promise<RedisServer> =>
    own(new RedisServer(options)).start();
  const open = (url: string, options = {}): Promise<Cluster> =>
    openAt(url, { ...short, ...options });

  it('killed and started again: all is lost, all are told, tokens go on', async () => {
    const server = await start();
    const a = await open(server.url);
    const b = await open(server.url);
    const holding = await hold(a, 'it');
    const lock = (await holding.granted)!;
    const waiting = b.locks.request('it', () => {});
    waiting.catch(() => {});
    await b.locks.query();
    await server.end();
    for (const lost of [holding.result, waiting]) {
      const error = await rejection(lost);
      assert.ok(error instanceof LockLostError, String(error));
      assert.equal(error.reason, 'connection');
    }
    assert.ok(lock.signal.aborted);
    assert.throws(() => lock.check(), LockLostError);
    assert.ok((await rejection(b.locks.query())) instanceof EngineUnavailableError);
    await server.start();
    const again = await hold(b, 'it');
    assert.ok((await again.granted)!.token > lock.token);
    await again.release();
    holding.end();
  });

  it('with AOF jobs outlive it, and those of lost sessions come again', async () => {
    const server = await start('--appendonly', 'yes', '--appendfsync', 'always');
    const a = await open(server.url);
    await a.queue('jobs').putMany(['x', 'y']);
    const task = await a.queue('jobs').take();
    await server.end();
    await rejection(task.done());
    await server.start();
    const b = await open(server.url);
    const values: unknown[] = [];
    while (values.length < 2) {
      const next = await b.queue('jobs').take();
      values.push(next.value);
      await next.done();
    }
    assert.deepEqual(values.toSorted(), ['x', 'y']);
  });

  it('replaced by a replica that missed the last grants: tokens still grow', async () => {
    const server = await start();
    const replica = own(await server.startReplica());
    const a = await open(server.url);
    await (await hold(a, 'it')).release();
    replica.stop();
    const holding = await hold(a, 'it');
    const { token } = (await holding.granted)!;
    await server.end();
    replica.goOn();
    await replica.promote();
    const b = await open(replica.url);
    // Its session on the old server has a lease in the new one.
    const next = await hold(b, 'it');
    assert.ok((await next.granted)!.token > token);
    await next.release();
    assert.ok((await rejection(holding.result)) instanceof LockLostError);
    holding.end();
  });

  it('replicas: a grant counts when they have it, and is taken back if they do not', async () => {
    const server = await start();
    const replica = own(await server.startReplica());
    const a = await open(server.url, { replicas: 1, ttl: 10_000, commandTimeout: 4000 });
    const first = await hold(a, 'it');
    const second = hold(a, 'it');
    await first.release();
    await (await second).release();
    replica.stop();
    const refused = a.locks.request('it', () => assert.fail('it was called'));
    assert.ok((await rejection(refused)) instanceof EngineUnavailableError);
    const b = await open(server.url);
    await (await hold(b, 'it')).release();
  });

  it('a line of commands that takes longer than one command may is not late', async () => {
    const server = await start();
    const replica = own(await server.startReplica());
    const a = await open(server.url, { replicas: 1, ttl: 20_000, commandTimeout: 800 });
    // The replica may take longer for one on a machine that has other work.
    let holding!: Holding;
    const isHeld = (): Promise<boolean> =>
      hold(a, 'it').then(
        (granted) => ((holding = granted), true),
        () => false,
      );
    await until(isHeld, 'a grant that the replica has');
    replica.stop();
    // Each waits for the replica for half of the time, one after the other.
    const puts = [1, 2, 3, 4].map((value) => rejection(a.queue('jobs').put(value)));
    for (const error of await Promise.all(puts)) {
      assert.ok(error instanceof EngineUnavailableError, String(error));
      assert.match(error.message, /replicas/);
    }
    (await holding.granted)!.check();
    holding.end();
    await holding.result;
  });

  it('a Redis that was told to forget its scripts', async () => {
    const server = await start();
    const a = await open(server.url, { ttl: 20_000 });
    const holding = await hold(a, 'it');
    await server.command('SCRIPT', 'FLUSH');
    await holding.release();
    await (await hold(a, 'it')).release();
  });

  it('the fence of docs/cluster.md keeps a late writer out', async () => {
    const server = await start();
    const [fence] = blocksOfPage('lua');
    const write = (token: bigint, value: string): Promise<unknown> =>
      server.command('EVAL', fence!, '1', 'account:7', String(token), value);
    const a = await open(server.url);
    const victim = await hold(a, 'account:7');
    const late = (await victim.granted)!.token;
    assert.equal(await write(late, 'first'), 1);
    const thief = await hold(a, 'account:7', { steal: true });
    assert.equal(await write((await thief.granted)!.token, 'second'), 1);
    assert.equal(await write(late, 'third'), 0);
    assert.equal(await server.command('HGET', 'account:7', 'value'), 'second');
    victim.end();
    await rejection(victim.result);
    await thief.release();
  });

  it('the privileges of docs/cluster.md are enough', async () => {
    const line = blocksOfPage('text').find((text) => text.startsWith('user locks'))!;
    const server = await start(
      `--${line.trim().split(' ')[0]}`,
      ...line.trim().split(' ').slice(1),
    );
    const a = await open(`redis://locks:secret@127.0.0.1:${server.port}`);
    const b = await open(`redis://locks:secret@127.0.0.1:${server.port}`);
    const holding = await hold(a, 'it');
    const next = hold(b, 'it');
    const taker = b.queue('jobs').take();
    await a.locks.query();
    await holding.release();
    await (await next).release();
    await a.queue('jobs').put('x');
    await (await taker).done();
  });

  it('silent: a command ends in bounded time, and the session with it', async () => {
    const server = await start();
    const a = await open(server.url);
    const holding = await hold(a, 'it');
    server.stop();
    const query = await rejection(a.locks.query());
    assert.ok(query instanceof LockLostError || query instanceof EngineUnavailableError);
    assert.ok((await rejection(holding.result)) instanceof LockLostError);
    const refused = await rejection(connect(server.url, short));
    assert.ok(refused instanceof EngineUnavailableError);
    server.goOn();
    holding.end();
  });

  it('unreachable, a wrong password, missing privileges, a replica: typed errors', async () => {
    const nobody = `redis://127.0.0.1:${await freePort()}`;
    assert.ok((await rejection(connect(nobody, short))) instanceof EngineUnavailableError);
    const user = ['--user', 'weak', 'on', '>x', '~*', '&*', '+@all', '-publish'];
    const server = await start('--requirepass', 'right', ...user);
    const refused = async (login: string): Promise<unknown> => {
      return rejection(connect(`redis://${login}@127.0.0.1:${server.port}`, short));
    };
    for (const login of [':wrong', 'nobody:x', '', 'weak:x']) {
      const error = await refused(login);
      assert.ok(error instanceof UnsupportedEngineError, `${login}: ${String(error)}`);
      assert.doesNotMatch(error.message, /right|wrong/);
    }
    await open(`redis://:right@127.0.0.1:${server.port}`);
    const other = await start();
    const replica = own(await other.startReplica());
    assert.ok((await rejection(connect(replica.url, short))) instanceof UnsupportedEngineError);
    const full = await start('--maxmemory', '100mb', '--maxmemory-policy', 'allkeys-lru');
    assert.ok((await rejection(connect(full.url, short))) instanceof UnsupportedEngineError);
  });

  it('what its URL says is checked, and cannot change what the keys and answers are', async () => {
    const server = await start();
    const at = `127.0.0.1:${server.port}`;
    const wrong: [string, unknown][] = [
      [`redis://${at}/99`, UnsupportedEngineError],
      [`redis://${at}/x`, RangeError],
      [`redis://${at}?db=x`, RangeError],
      [`redis://u:p%@${at}`, TypeError],
      ['redis://127.0.0.1:99999', TypeError],
      ['redis:', TypeError],
    ];
    for (const [url, type] of wrong) {
      const error = await rejection(connect(url, short));
      assert.equal((error as Error).constructor, type, `${url}: ${String(error)}`);
    }
    const options = 'keyPrefix=x&stringNumbers=true&enableAutoPipelining=true&commandTimeout=1';
    const a = await open(`redis://${at}?${options}&lazyConnect=false&enableOfflineQueue=true`);
    const b = await open(`redis://${at}`);
    const holding = await hold(a, 'it');
    const next = hold(b, 'it');
    await holding.release();
    await (await next).release();
    // A scheme in capitals means TLS too, and this server has none.
    const secure = await rejection(connect(`REDISS://${at}`, short));
    assert.ok(secure instanceof EngineUnavailableError, String(secure));
    const other = await open(`redis://${at}/3`);
    await other.queue('jobs').put('x');
    assert.deepEqual(await b.queue('jobs').count(), { waiting: 0, taken: 0 });
  });

  it('as many jobs at once as there may be', async () => {
    const server = await start();
    const slow = { ttl: 20_000, connectTimeout: 20_000, commandTimeout: 20_000 };
    const queue = (await open(server.url, slow)).queue<number>('jobs');
    await queue.putMany(Array.from({ length: 10_000 }, (_, i) => i));
    const tasks = [];
    while (tasks.length < 10_000) tasks.push(...(await queue.take({ max: 1000 })));
    await Promise.all(tasks.map((task) => (task.value % 2 === 0 ? task.done() : task.retry())));
    assert.deepEqual(await queue.count(), { waiting: 5000, taken: 0 });
  });

  it('out of memory: a typed error, and what is held stays', async () => {
    const server = await start();
    const a = await open(server.url, { ttl: 10_000 });
    const holding = await hold(a, 'it');
    await server.command('CONFIG', 'SET', 'maxmemory', '1');
    const error = await rejection(a.locks.request('other', () => {}));
    assert.ok(error instanceof EngineUnavailableError, String(error));
    await server.command('CONFIG', 'SET', 'maxmemory', '0');
    (await holding.granted)!.check();
    await holding.release();
  });

  it('too old, or with a later format of the namespace', async () => {
    const old = net.createServer((socket) => {
      socket.on('error', () => {});
      socket.on('data', (bytes) => {
        const info = 'redis_version:5.0.14\r\nrole:master\r\n';
        for (const command of bytes.toString().match(/\*\d+\r\n\$\d+\r\n\w+/g) ?? []) {
          const name = command.split('\r\n')[2]!.toLowerCase();
          socket.write(name === 'info' ? `$${info.length}\r\n${info}\r\n` : '+OK\r\n');
        }
      });
    });
    old.listen(0, '127.0.0.1');
    await once(old, 'listening');
    const { port } = old.address() as net.AddressInfo;
    const error = await rejection(connect(`redis://127.0.0.1:${port}`, short));
    assert.ok(error instanceof UnsupportedEngineError, String(error));
    assert.match(error.message, /5\.0\.14/);
    old.close();
    const server = await start();
    await server.command('SET', '{holdfast:later}:format', '999');
    const later = await rejection(connect(server.url, { ...short, namespace: 'later' }));
    assert.ok(later instanceof UnsupportedEngineError, String(later));
    assert.deepEqual(await server.command('KEYS', '*'), ['{holdfast:later}:format']);
  });
});
