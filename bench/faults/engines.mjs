// The engines under faults: their servers, and what becomes the server after a failover.
import { EtcdServer } from '../../test/cluster/servers/etcd.mjs';
import { PostgresServer } from '../../test/cluster/servers/postgres.mjs';
import { RedisServer } from '../../test/cluster/servers/redis.mjs';

/** One server, and a replica of it that can take its place. */
class Pair {
  #primary;
  #replica;

  constructor(primary) {
    this.#primary = primary;
  }

  async start() {
    await this.#primary.start();
    this.#replica = await this.#primary.startReplica();
    return this;
  }

  get url() {
    return this.#primary.url;
  }

  /** The URL of the one that was the replica. */
  async failOver() {
    await this.#primary.end();
    await this.#replica.promote();
    return this.#replica.url;
  }

  async remove() {
    for (const server of [this.#primary, this.#replica]) await server?.remove();
  }
}

/** Three members, of which the leader is killed. */
class Quorum {
  #members = [];

  async start() {
    this.#members = await EtcdServer.startMembers(3);
    return this;
  }

  get url() {
    return `etcd://${this.#members.map(({ port }) => `127.0.0.1:${port}`).join(',')}`;
  }

  async failOver() {
    const states = await Promise.all(
      this.#members.map((one) => one.call('maintenance/status', {})),
    );
    const leader = states.findIndex(({ header, leader }) => header.member_id === leader);
    await this.#members[leader].end();
    return this.url;
  }

  async remove() {
    for (const member of this.#members) await member.remove();
  }
}

export const engines = {
  postgres: {
    title: 'PostgreSQL',
    one: () => new PostgresServer(),
    replicated: () => new Pair(new PostgresServer()),
    hasLiveness: true,
  },
  redis: {
    title: 'Redis',
    one: () => new RedisServer(),
    replicated: () => new Pair(new RedisServer()),
    hasLiveness: true,
  },
  etcd: {
    title: 'etcd',
    one: () => new EtcdServer(),
    replicated: () => new Quorum(),
    hasLiveness: false,
  },
};
