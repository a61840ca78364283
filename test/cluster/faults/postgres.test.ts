// What becomes of a cluster when its PostgreSQL dies, restarts, falls silent, or cannot be used.
import assert from 'node:assert/strict';
import {
  type Cluster,
  type ConnectOptions,
  EngineUnavailableError,
  LockLostError,
  UnsupportedEngineError,
  connect,
} from 'holdfast';
import { schemaSql } from 'holdfast/postgres';
import { host, now, platform } from '../../support/index.js';
import { Holding, hold, rejection } from '../hold.js';
import { blocksOfPage } from '../page.js';
import { Pgbouncer, PostgresServer, whyNoPgbouncer, whyNoPostgres } from '../servers/postgres.mjs';
import { freePort } from '../servers/server.mjs';

const short = { ttl: 2000, connectTimeout: 5000, commandTimeout: 5000 } as const;
/** An engine never loads the addon, so one platform is enough. CI has the server. */
const isMissing = (whyNoPostgres ?? whyNoPgbouncer) !== undefined;
const isSkipped = platform !== host || (isMissing && process.env['CI'] === undefined);

let server: PostgresServer;
const clusters: Cluster[] = [];

async function open(url = server.url, options: ConnectOptions = {}): Promise<Cluster> {
  const cluster = await connect(url, { ...short, ...options });
  clusters.push(cluster);
  return cluster;
}

/** The processes in the server that have a connection of a cluster. */
async function processes(): Promise<number[]> {
  const rows = await server.query(
    "select pid from pg_stat_activity where application_name = 'holdfast' order by backend_start",
  );
  return rows.map(({ pid }) => Number(pid));
}

/** Connects, and sees which processes of the server that has taken. */
async function openAndSee(options?: ConnectOptions): Promise<{ cluster: Cluster; pids: number[] }> {
  const before = await processes();
  const cluster = await open(server.url, options);
  const pids = (await processes()).filter((pid) => !before.includes(pid));
  assert.equal(pids.length, 3);
  return { cluster, pids };
}

/** What connect() rejects with: an error that says that the engine cannot be used. */
async function refusal(url: string): Promise<UnsupportedEngineError> {
  const error = await rejection(connect(url, short));
  assert.ok(error instanceof UnsupportedEngineError, String(error));
  return error;
}

function hooks(): void {
  before(async function () {
    if (isSkipped) this.skip();
    server = await new PostgresServer().start();
  });
  afterEach(async () => {
    for (const cluster of clusters.splice(0)) await cluster.close();
  });
  after(async () => server?.remove());
}

describe('a PostgreSQL that fails', () => {
  hooks();

  it('killed and started again: all is lost, all are told, jobs stay, tokens go on', async () => {
    const a = await open();
    const b = await open();
    await a.queue('jobs').putMany(['x', 'y']);
    const task = await a.queue('jobs').take();
    const holding = await hold(a, 'it');
    const lock = (await holding.granted)!;
    const waiting = new Holding(b, 'it');
    await b.locks.query();
    await server.end();
    for (const { result } of [holding, waiting]) {
      const error = await rejection(result);
      assert.ok(error instanceof LockLostError, String(error));
      assert.equal(error.reason, 'connection');
    }
    assert.ok(lock.signal.aborted);
    assert.throws(() => lock.check(), LockLostError);
    assert.ok((await rejection(task.done())) instanceof LockLostError);
    assert.ok((await rejection(b.locks.query())) instanceof EngineUnavailableError);
    holding.end();
    await server.start();
    const again = await hold(b, 'it');
    assert.ok((await again.granted)!.token > lock.token);
    await again.release();
    const jobs = await b.queue('jobs').take({ max: 5 });
    assert.deepEqual(
      jobs.map(({ value, deliveries }) => [value, deliveries > 1]),
      [
        ['x', jobs[0]!.deliveries > 1],
        ['y', false],
      ],
    );
    assert.ok(jobs[0]!.token > task.token);
    for (const job of jobs) await job.done();
  });

  it('silent: a command ends in bounded time, and the session with it', async () => {
    const a = await open(server.url, { commandTimeout: 1500 });
    const holding = await hold(a, 'it');
    // Each connection has a process of its own in the server.
    const pids = await processes();
    for (const pid of pids) process.kill(pid, 'SIGSTOP');
    try {
      const query = await rejection(a.locks.query());
      assert.ok(query instanceof LockLostError || query instanceof EngineUnavailableError);
      assert.ok((await rejection(holding.result)) instanceof LockLostError);
    } finally {
      for (const pid of pids) process.kill(pid, 'SIGCONT');
      holding.end();
    }
  });

  it('one of three connections ends: the session is lost, and the next call opens one', async () => {
    const a = await open();
    for (const which of [0, 1, 2]) {
      const { cluster: b, pids } = await openAndSee();
      const holding = await hold(b, 'it');
      const next = new Holding(a, 'it');
      await a.locks.query();
      await server.query(`select pg_terminate_backend(${pids[which]})`);
      const error = await rejection(holding.result);
      assert.ok(error instanceof LockLostError, String(error));
      assert.equal(error.reason, 'connection');
      holding.end();
      await next.granted;
      await next.release();
      assert.equal(await b.locks.request('it', () => 'held again'), 'held again');
    }
  });

  it("liveness 'lease': a broken connection releases nothing before the lease is over", async () => {
    const a = await open();
    const { cluster: b, pids } = await openAndSee({ liveness: 'lease' });
    const holding = await hold(b, 'it');
    const next = new Holding(a, 'it');
    await a.locks.query();
    const began = now();
    for (const pid of pids) await server.query(`select pg_terminate_backend(${pid})`);
    assert.ok((await rejection(holding.result)) instanceof LockLostError);
    holding.end();
    await next.granted;
    assert.ok(now() - began > short.ttl / 2, 'two thirds of the lease were left');
    await next.release();
  });

  it('has three connections for each session, however many locks', async () => {
    const a = await open(server.url, { namespace: 'many', ttl: 20_000, commandTimeout: 20_000 });
    const b = await open(server.url, { namespace: 'many', ttl: 20_000, commandTimeout: 20_000 });
    const held = await Promise.all(Array.from({ length: 50 }, (_, i) => hold(a, `it ${i}`)));
    const waits = held.map((_, i) => new Holding(b, `it ${i}`));
    await b.locks.query();
    assert.equal((await processes()).length, 6);
    await Promise.all(held.map((one) => one.release()));
    await Promise.all(waits.map((one) => one.granted));
    await Promise.all(waits.map((one) => one.release()));
  });
});

describe('a PostgreSQL that cannot be used', () => {
  hooks();

  it('unreachable: EngineUnavailableError', async () => {
    const url = `postgres://postgres@127.0.0.1:${await freePort()}/postgres`;
    assert.ok((await rejection(connect(url, short))) instanceof EngineUnavailableError);
  });

  it('a wrong password, an unknown database, a missing privilege', async () => {
    await server.query("create role guarded login password 'right'");
    const guarded = `postgres://guarded:wrong@127.0.0.1:${server.port}/postgres`;
    assert.match((await refusal(guarded)).message, /user or password/);
    assert.match((await refusal(server.urlOf('postgres', 'nothing'))).message, /no such database/);
    await server.query('create role weak login');
    await server.query('create database empty');
    assert.match((await refusal(server.urlOf('weak', 'empty'))).message, /privilege/);
    const made = await server.query("select to_regnamespace('holdfast') as it", 'empty');
    assert.deepEqual(made, [{ it: null }]);
  });

  it('no TLS where it is asked for, a file that is not there, a URL that is none', async () => {
    assert.match((await refusal(`${server.url}?sslmode=verify-full`)).message, /SSL/);
    assert.match((await refusal(`${server.url}?sslrootcert=/none`)).message, /no such file/);
    const error = await rejection(connect('postgres://127.0.0.1:99999/x', short));
    assert.equal((error as Error).constructor, TypeError, String(error));
  });

  it('the privileges that the page names are enough', async () => {
    await server.query('create role worker login');
    await server.query('create database made');
    await server.query(`begin; ${schemaSql} commit`, 'made');
    const [grants] = blocksOfPage('sql').filter((block) => block.includes('grant'));
    await server.query(grants!, 'made');
    const a = await open(server.urlOf('worker', 'made'));
    assert.equal(await a.locks.request('it', () => 'held'), 'held');
    await a.queue('jobs').put('x');
    await (await a.queue('jobs').take()).done();
  });

  it('a pooler in transaction mode is refused', async () => {
    const pooler = await new Pgbouncer(server).start();
    try {
      assert.match((await refusal(pooler.url)).message, /pooler/);
    } finally {
      await pooler.remove();
    }
  });

  it('a schema of a later version is refused, an older one upgraded, by one of many', async () => {
    await server.query('create database other');
    const url = server.urlOf('postgres', 'other');
    const all = await Promise.all(Array.from({ length: 4 }, () => open(url)));
    await Promise.all(all.map((cluster) => cluster.locks.request('it', () => {})));
    await server.query('update holdfast.meta set version = 999', 'other');
    assert.match((await refusal(url)).message, /999/);
  });

  it('a server that is read-only, and one that was made so later', async () => {
    await server.query('create database frozen');
    await server.query('alter database frozen set default_transaction_read_only = on');
    const a = await open(server.urlOf('postgres', 'frozen'));
    assert.equal(await a.locks.request('it', () => 'held'), 'held');
  });
});

describe('the engine of PostgreSQL', () => {
  it('refuses wrong options before it connects', async () => {
    const wrong: [ConnectOptions, string][] = [
      [{ ttl: 499 }, 'RangeError'],
      [{ ttl: '5' as unknown as number }, 'TypeError'],
      [{ namespace: '' }, 'RangeError'],
      [{ namespace: 'n'.repeat(201) }, 'RangeError'],
      [{ liveness: 'both' as 'lease' }, 'TypeError'],
      [{ commandTimeout: 0 }, 'RangeError'],
      [{ nameSpace: 'x' } as ConnectOptions, 'TypeError'],
    ];
    for (const [options, name] of wrong) {
      const error = (await rejection(connect('postgres://127.0.0.1:1/', options))) as Error;
      assert.equal(error.name, name, JSON.stringify(options));
    }
    assert.equal(
      ((await rejection(connect('mysql://x/'))) as Error).name,
      'UnsupportedEngineError',
    );
  });
});
