// @ts-check
// redis-server for tests, alone or as the replica of another.
import { Redis } from 'ioredis';
import { findProgram, freePort, listens, Server } from './server.mjs';

const program = findProgram('redis-server');

/** Why there is no Redis to test on this machine; undefined if there is one. */
export const whyNoRedis = program === undefined ? 'there is no redis-server' : undefined;

export class RedisServer extends Server {
  port = 0;
  /** @type {string[]} */
  #options;

  /** @param {string[]} options of redis-server, such as '--requirepass', 'x' */
  constructor(options = []) {
    super();
    this.#options = options;
  }

  /** Starts it; after end() again on the same port, with what its options let it keep. */
  async start() {
    if (this.port === 0) this.port = await freePort();
    const base = ['--port', String(this.port), '--bind', '127.0.0.1', '--dir', this.directory];
    // Without a wait for more replicas: a replica is to be in step at once.
    const quiet = ['--save', '', '--daemonize', 'no', '--repl-diskless-sync-delay', '0'];
    const args = [...base, ...quiet, ...this.#options];
    await this.run({ program: program ?? '', args }, () => listens(this.port));
    return this;
  }

  get url() {
    return `redis://127.0.0.1:${this.port}`;
  }

  /**
   * Runs one command as an administrator would.
   * @param {[string, ...string[]]} command
   */
  async command(...command) {
    const redis = new Redis(this.port, '127.0.0.1', { retryStrategy: () => null });
    try {
      return await redis.call(...command);
    } finally {
      redis.disconnect();
    }
  }

  /** Starts a replica of it, which is in step when this resolves. */
  async startReplica() {
    const replica = new RedisServer(['--replicaof', '127.0.0.1', String(this.port)]);
    await replica.start();
    while (!String(await replica.command('INFO', 'replication')).includes('link_status:up'));
    return replica;
  }

  /** Makes a replica a server of its own, which takes writes. */
  async promote() {
    await this.command('REPLICAOF', 'NO', 'ONE');
  }
}
