// What becomes of a cluster when its etcd dies, restarts, or cannot be used.
import assert from 'node:assert/strict';
import { once } from 'node:events';
import http from 'node:http';
import net, { type AddressInfo } from 'node:net';
import {
  type Cluster,
  EngineUnavailableError,
  LockLostError,
  UnsupportedEngineError,
  connect,
} from 'holdfast';
import { now, until, within } from '../../support/index.js';
import { Holding, hold, rejection } from '../hold.js';
import { Liar } from '../liar.js';
import { EtcdServer } from '../servers/etcd.mjs';
import { freePort } from '../servers/server.mjs';
import { forEachServer, openAt, own } from '../subjects.js';

const short = { connectTimeout: 2000, commandTimeout: 1000 } as const;

/** Of a server that was stopped: its last threads stop a little later. */
function isRefused(a: Cluster): Promise<boolean> {
  return a.locks.query().then(
    () => false,
    () => true,
  );
}

forEachServer('a server that fails', 'etcd', () => {
  const start = (): Promise<EtcdServer> => own(new EtcdServer()).start();
  const open = (url: string, options = {}): Promise<Cluster> =>
    openAt(url, { ...short, ...options });

  it('killed and started again: what is held stays held, and waits go on', async () => {
    const server = await start();
    const a = await open(server.url, { ttl: 20_000 });
    const b = await open(server.url, { ttl: 20_000 });
    const holding = await hold(a, 'it');
    const lock = (await holding.granted)!;
    const next = new Holding(b, 'it');
    const taker = b.queue('jobs').take();
    await until(async () => (await a.locks.query()).pending.length === 1, 'a request that waits');
    await b.locks.query(); // comes after the commands of the taker
    await server.end();
    assert.ok((await rejection(a.locks.query())) instanceof EngineUnavailableError);
    lock.check();
    await server.start();
    assert.equal(await b.locks.request('it', { ifAvailable: true }, (it) => it), null);
    assert.equal(lock.signal.aborted, false);
    await holding.release();
    assert.ok((await next.granted)!.token > lock.token);
    await next.release();
    await a.queue('jobs').put('x');
    assert.equal((await within(taker, 'a job')).value, 'x');
  });

  it('a release while it is away is made up for', async () => {
    const server = await start();
    const a = await open(server.url, { ttl: 20_000 });
    const holding = await hold(a, 'it');
    await server.end();
    holding.end();
    assert.ok((await rejection(holding.result)) instanceof EngineUnavailableError);
    await server.start();
    const b = await open(server.url, { ttl: 20_000 });
    await (await hold(b, 'it')).release();
  });

  it('a command that it says it could not do, and did, is made up for', async () => {
    const server = await start();
    const liar = await own(new Liar(server.port)).start();
    const [namespace, text] = ['lies', '"request_delete_range"'];
    // Each in a session of its own, whose end also ends what it makes up for.
    const inSession = async (play: (a: Cluster) => Promise<void>): Promise<void> => {
      const a = await open(liar.url, { ttl: 20_000, namespace });
      await play(a);
      await a.close();
    };
    const refused = async (command: Promise<unknown>): Promise<void> => {
      const error = await rejection(command);
      assert.ok(error instanceof EngineUnavailableError, String(error));
      assert.ok(liar.hasLied);
    };
    const isLeft = async (a: Cluster, left: number): Promise<void> => {
      const isIt = async (): Promise<boolean> => {
        const { waiting, taken } = await a.queue('it').count();
        return waiting === left && taken === 0;
      };
      await until(isIt, `${left} jobs that nobody has`);
    };
    await inSession(async (a) => {
      await a.queue('it').put('x');
      liar.lieAbout('"lease"');
      await refused(a.queue('it').take());
      await isLeft(a, 1);
    });
    await inSession(async (a) => {
      const task = await a.queue('it').take();
      liar.lieAbout(text);
      await refused(task.retry());
      await isLeft(a, 1);
    });
    await inSession(async (a) => {
      const task = await a.queue('it').take();
      liar.lieAbout(text);
      await refused(task.done());
      await isLeft(a, 0);
    });
    await inSession(async (a) => {
      // As etcd answers the first command that goes over its quota.
      liar.lieAbout('"lease"', 'etcdserver: mvcc: database space exceeded', 8);
      await refused(a.locks.request('it', () => {}));
      await until(async () => (await a.locks.query()).held.length === 0, 'its end');
    });
    await inSession(async (a) => {
      liar.lieAbout('"lease"');
      await refused(a.locks.request('it', () => {}));
      await until(async () => (await a.locks.query()).held.length === 0, 'its end');
      await (await hold(a, 'it')).release();
    });
  });

  it('the fence of docs/cluster.md keeps a late writer out', async () => {
    const server = await start();
    const base64 = (text: string): string => Buffer.from(text).toString('base64');
    const digits = (token: bigint): string => base64(String(token).padStart(20, '0'));
    const key = base64('account/7/fence');
    await server.put('account/7/fence', '0'.repeat(20));
    const write = async (token: bigint): Promise<boolean> => {
      const compare = [{ target: 'VALUE', result: 'LESS', key, value: digits(token + 1n) }];
      const success = [{ request_put: { key, value: digits(token) } }];
      const answer = await server.call('kv/txn', { compare, success });
      return answer.succeeded === true;
    };
    const a = await open(server.url, { ttl: 20_000 });
    const victim = await hold(a, 'account:7');
    const late = (await victim.granted)!.token;
    assert.ok(await write(late));
    assert.ok(await write(late));
    const thief = await hold(a, 'account:7', { steal: true });
    assert.ok(await write((await thief.granted)!.token));
    assert.ok(!(await write(late)));
    victim.end();
    await rejection(victim.result);
    await thief.release();
  });

  it('its data lost: the session ends, and all are told', async () => {
    const server = await start();
    const a = await open(server.url, { ttl: 4000 });
    const holding = await hold(a, 'it');
    await server.end();
    await server.forget();
    await server.start();
    const error = await rejection(holding.result);
    assert.ok(error instanceof LockLostError, String(error));
    assert.equal(error.reason, 'engine');
    holding.end();
    await (await hold(a, 'it')).release();
  });

  it('silent: all commands end in bounded time, however many stand in line', async () => {
    const server = await start();
    const a = await open(server.url, { ttl: 60_000 });
    server.stop();
    await until(() => isRefused(a), 'a command that is given up');
    const began = now();
    const ends = await Promise.allSettled(Array.from({ length: 50 }, () => a.locks.query()));
    assert.ok(ends.every(({ status }) => status === 'rejected'));
    assert.ok(now() - began < 10 * short.commandTimeout, 'not one after the other');
    server.goOn();
    await a.locks.query();
  });

  it('silent: a command ends in bounded time, and the session with its lease', async () => {
    const server = await start();
    const a = await open(server.url, { ttl: 1500 });
    const holding = await hold(a, 'it');
    server.stop();
    await until(() => isRefused(a), 'a command that is given up');
    const error = await rejection(holding.result);
    assert.ok(error instanceof LockLostError, String(error));
    assert.equal(error.reason, 'lease');
    assert.ok((await rejection(connect(server.url, short))) instanceof EngineUnavailableError);
    server.goOn();
    holding.end();
  });

  it('unreachable: a typed error; of several members another one is asked', async () => {
    const nobody = `127.0.0.1:${await freePort()}`;
    const error = await rejection(connect(`etcd://${nobody}`, short));
    assert.ok(error instanceof EngineUnavailableError, String(error));
    const server = await start();
    const silent = net.createServer().listen(0, '127.0.0.1');
    await once(silent, 'listening');
    const deaf = `127.0.0.1:${(silent.address() as AddressInfo).port}`;
    const last = `etcd://${nobody},${deaf},127.0.0.1:${server.port}`;
    await (await open(last, { ttl: 20_000 })).close();
    silent.close();
    const url = `etcd://127.0.0.1:${server.port},${nobody}`;
    const a = await open(url, { ttl: 20_000 });
    await server.end();
    await rejection(a.locks.query());
    await server.start();
    await until(
      () =>
        a.locks.query().then(
          () => true,
          () => false,
        ),
      'a member that answers',
    );
  });

  it('the leader of three members is killed: locks stay, and others can connect', async () => {
    const members = (await EtcdServer.startMembers(3)).map((member) => own(member));
    const url = `etcd://${members.map(({ port }) => `127.0.0.1:${port}`).join(',')}`;
    const patient = { ttl: 60_000, connectTimeout: 20_000, commandTimeout: 20_000 };
    const a = await open(url, patient);
    const holding = await hold(a, 'it');
    const { token } = (await holding.granted)!;
    const states = await Promise.all(members.map((one) => one.call('maintenance/status', {})));
    const isLeader = ({ header, leader }: Record<string, unknown>): boolean =>
      (header as { member_id: string }).member_id === leader;
    await members[states.findIndex(isLeader)]!.end();
    const isOpen = (cluster: Promise<Cluster>): Promise<boolean> =>
      cluster.then(
        () => true,
        () => false,
      );
    let b: Promise<Cluster> | undefined;
    await until(() => isOpen((b = open(url, patient))), 'a session');
    const next = new Holding(await b!, 'it');
    await until(async () => !(await isRefused(a)), 'a member that answers');
    await holding.release();
    assert.ok((await next.granted)!.token > token);
    await next.release();
  });

  it('a job that is larger than its requests may be: a typed error, and the next is put', async () => {
    const server = await start();
    const patient = { ttl: 20_000, commandTimeout: 20_000 };
    const queue = (await open(server.url, patient)).queue('it');
    for (const size of [1_600_000, 4_000_000]) {
      const error = await rejection(queue.put('x'.repeat(size)));
      assert.ok(error instanceof UnsupportedEngineError, String(error));
      assert.match(error.message, /larg/);
    }
    await queue.put('x');
    assert.deepEqual(await queue.count(), { waiting: 1, taken: 0 });
  });

  it('with a password: right, wrong, none, and one that is not asked for', async () => {
    const server = await start();
    for (const login of ['root:a:b@', 'root:a%@']) {
      const error = await rejection(connect(`etcd://${login}127.0.0.1:${server.port}`, short));
      assert.equal((error as Error).constructor, TypeError, String(error));
    }
    const early = await rejection(connect(`etcd://root:x@127.0.0.1:${server.port}`, short));
    assert.ok(early instanceof UnsupportedEngineError, String(early));
    await server.enableAuth('root', 'right');
    const at = `127.0.0.1:${server.port}`;
    for (const login of ['root:wrong@', 'nobody:x@', '']) {
      const error = await rejection(connect(`etcd://${login}${at}`, short));
      assert.ok(error instanceof UnsupportedEngineError, `${login}: ${String(error)}`);
      assert.doesNotMatch(error.message, /right|wrong/);
    }
    const a = await open(`etcd://root:right@${at}`, { ttl: 20_000 });
    const holding = await hold(a, 'it');
    const next = new Holding(a, 'it');
    await until(async () => (await a.locks.query()).pending.length === 1, 'a request that waits');
    await holding.release();
    await next.granted;
    await next.release();
  });

  it('too old, no etcd at all, or with a later format of the namespace', async () => {
    let body = JSON.stringify({ version: '3.3.25' });
    const old = http.createServer((_, response) => response.end(body)).listen(0, '127.0.0.1');
    await once(old, 'listening');
    const url = `etcd://127.0.0.1:${(old.address() as AddressInfo).port}`;
    const error = await rejection(connect(url, short));
    assert.ok(error instanceof UnsupportedEngineError, String(error));
    assert.match(error.message, /3\.3\.25/);
    body = '<html>';
    const other = await rejection(connect(url, short));
    assert.ok(other instanceof EngineUnavailableError, String(other));
    old.closeAllConnections();
    old.close();
    const server = await start();
    await server.put('holdfast/later/format', '999');
    const later = await rejection(connect(server.url, { ...short, namespace: 'later' }));
    assert.ok(later instanceof UnsupportedEngineError, String(later));
  });
});
