// @ts-check
// PostgreSQL for tests, and pgbouncer in front of it.
import { execFileSync } from 'node:child_process';
import { chmodSync, chownSync, readFileSync, readdirSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import pg from 'pg';
import { findProgram, freePort, listens, Server } from './server.mjs';

/** Debian has the programs of each version in a folder of its own. */
const home = '/usr/lib/postgresql';
const folders = (() => {
  try {
    return readdirSync(home).map((version) => path.join(home, version, 'bin'));
  } catch {
    return [];
  }
})();
const program = findProgram('postgres', folders);
const baseBackup = findProgram('pg_basebackup', folders);
const initdb = findProgram('initdb', folders);
const pgbouncer = findProgram('pgbouncer', ['/usr/sbin']);

/** Why there is no PostgreSQL to test on this machine; undefined if there is one. */
export const whyNoPostgres =
  program === undefined || initdb === undefined ? 'there is no PostgreSQL' : undefined;

/** The same of pgbouncer. */
export const whyNoPgbouncer = pgbouncer === undefined ? 'there is no pgbouncer' : undefined;

/** PostgreSQL refuses to run as root. Then it is the user that its package has made. */
const user = (() => {
  if (process.geteuid?.() !== 0) return undefined;
  const line = /^postgres:[^:]*:(\d+):(\d+):/m.exec(readFileSync('/etc/passwd', 'utf8'));
  const [uid, gid] = line ? [Number(line[1]), Number(line[2])] : [65_534, 65_534];
  return { uid, gid };
})();

const settings = {
  listen_addresses: '127.0.0.1',
  unix_socket_directories: '',
  // Files of the data folder, so that a killed server leaves nothing in /dev/shm.
  dynamic_shared_memory_type: 'mmap',
  // The machine does not crash, only the server does.
  fsync: 'off',
  shared_buffers: '32MB',
  max_connections: '200',
};

/** How long the processes of a killed server may keep its memory. */
const restartWatchdog_ms = 20_000;

export class PostgresServer extends Server {
  port = 0;

  /** Starts it; after end() again on the same port, with its data. */
  async start() {
    this.log = '';
    if (this.port === 0) {
      this.port = await freePort();
      this.#initialise();
    }
    const args = ['-D', this.directory, '-p', String(this.port)];
    for (const [name, value] of Object.entries(settings)) args.push('-c', `${name}=${value}`);
    const end = performance.now() + restartWatchdog_ms;
    for (;;) {
      try {
        await this.run({ program: program ?? '', args, ...user }, () => this.#answers());
        return this;
      } catch (error) {
        const isKept = this.log.includes('pre-existing shared memory block');
        if (!isKept || performance.now() > end) throw error;
        this.log = '';
        await sleep(20);
      }
    }
  }

  #initialise() {
    if (user !== undefined) chownSync(this.directory, user.uid, user.gid);
    chmodSync(this.directory, 0o700);
    const args = ['-D', this.directory, '-U', 'postgres', '-A', 'trust', '-E', 'UTF8', '--no-sync'];
    execFileSync(initdb ?? '', [...args, '--locale=C'], {
      ...user,
      cwd: this.directory,
      stdio: 'pipe',
    });
    // One user who needs a password.
    const rules = path.join(this.directory, 'pg_hba.conf');
    const rule = 'host all guarded 127.0.0.1/32 scram-sha-256\n';
    writeFileSync(rules, rule + readFileSync(rules, 'utf8'));
  }

  /** Starts a standby that follows it. */
  async startReplica() {
    const replica = new PostgresServer();
    replica.port = await freePort();
    if (user !== undefined) chownSync(replica.directory, user.uid, user.gid);
    chmodSync(replica.directory, 0o700);
    const from = ['-h', '127.0.0.1', '-p', String(this.port), '-U', 'postgres'];
    execFileSync(baseBackup ?? '', [...from, '-D', replica.directory, '-R', '-c', 'fast'], {
      ...user,
      cwd: replica.directory,
      stdio: 'pipe',
    });
    return replica.start();
  }

  /** Makes a standby a server of its own, which takes writes. */
  async promote() {
    await this.query('select pg_promote()');
  }

  async #answers() {
    return (await listens(this.port)) && (await this.query('select 1').then(yes, no));
  }

  get url() {
    return this.urlOf('postgres');
  }

  /**
   * @param {string} userName
   * @param {string} [database]
   */
  urlOf(userName, database = 'postgres') {
    return `postgres://${userName}@127.0.0.1:${this.port}/${database}`;
  }

  /**
   * Runs one text as an administrator would, in any database.
   * @param {string} text
   * @param {string} [database]
   * @returns {Promise<Record<string, unknown>[]>}
   */
  async query(text, database) {
    const client = new pg.Client(this.urlOf('postgres', database));
    client.on('error', () => {});
    try {
      await client.connect();
      const { rows } = await client.query(text);
      return rows;
    } finally {
      await client.end().catch(() => {});
    }
  }
}

const yes = () => true;
const no = () => false;

/** A pgbouncer in transaction mode in front of a server. */
export class Pgbouncer extends Server {
  port = 0;
  #server;

  /** @param {PostgresServer} server */
  constructor(server) {
    super();
    this.#server = server;
  }

  async start() {
    this.port = await freePort();
    const file = path.join(this.directory, 'pgbouncer.ini');
    const lines = [
      '[databases]',
      `postgres = host=127.0.0.1 port=${this.#server.port} user=postgres`,
      '[pgbouncer]',
      `listen_port = ${this.port}`,
      'listen_addr = 127.0.0.1',
      'unix_socket_dir =',
      'auth_type = any',
      'pool_mode = transaction',
    ];
    writeFileSync(file, `${lines.join('\n')}\n`);
    if (user !== undefined) {
      chownSync(this.directory, user.uid, user.gid);
      chownSync(file, user.uid, user.gid);
    }
    await this.run({ program: pgbouncer ?? '', args: [file], ...user }, () => listens(this.port));
    return this;
  }

  get url() {
    return `postgres://postgres@127.0.0.1:${this.port}/postgres`;
  }
}
