// holdfast/etcd: the interface of a cluster over etcd.
import type { ConnectionOptions } from 'node:tls';
import type { Cluster } from '../cluster.js';
import { type ClusterOptions, readClusterOptions } from '../options.js';
import { connectTo } from '../remote.js';
import { EtcdEngine } from './engine.js';
import type { GatewayOptions } from './gateway.js';

export type * from '../cluster.js';
export * from '../errors.js';
export type { ClusterOptions } from '../options.js';

/** How to reach etcd. */
export interface EtcdConfig {
  /** The members, as `host:port`. After a failure the next one is asked. */
  readonly members: readonly string[];
  /** For TLS: options of node:tls, such as `ca`, `cert` and `key`. Without it there is no TLS. */
  readonly tls?: ConnectionOptions | undefined;
  /** If etcd asks who it is. */
  readonly user?: string | undefined;
  readonly password?: string | undefined;
}

const defaultPort = 2379;

/**
 * Connects to etcd 3.4 or later through its JSON gateway, without any package. `target` is a URL
 * such as `etcd://user:password@host:2379,other:2379` (with TLS `etcds:`), or an object. Does not
 * block the event loop.
 *
 * The process has three connections whatever it holds and waits for. When they break they are made
 * again: a session lives as long as its lease, and outlives a restart of etcd. Leases have whole
 * seconds, 2 at the least.
 *
 * Rejects with EngineUnavailableError if etcd is not reached within `connectTimeout`;
 * UnsupportedEngineError for a wrong password, missing privileges, an old version, or a namespace
 * of a later version of this package; TypeError and RangeError for wrong arguments.
 */
export async function connect(
  target: string | EtcdConfig,
  options: ClusterOptions = {},
): Promise<Cluster> {
  const gateway = typeof target === 'string' ? readUrl(target) : readConfig(target);
  const read = readClusterOptions(options);
  return connectTo(new EtcdEngine({ ...read, gateway }), read);
}

type Target = Omit<GatewayOptions, 'deadline'>;

/** Several hosts in one URL are more than `new URL()` can read. */
function readUrl(url: string): Target {
  const wrong = new TypeError("the URL must be as 'etcd://user:password@host:2379,other:2379'");
  const found = /^(etcds?):\/\/(?:([^@/]*)@)?([^@/]+)\/?$/i.exec(url);
  if (found === null) throw wrong;
  const [, scheme, login = '', hosts] = found;
  const [user, password] = readLogin(login) ?? [];
  if (user === undefined || password === undefined) throw wrong;
  const tls = scheme!.toLowerCase() === 'etcds' ? {} : undefined;
  return { members: hosts!.split(',').map(readMember), tls, user, password };
}

/** Undefined if it is not written as in a URL. */
function readLogin(login: string): [string, string] | undefined {
  const [user = '', password = '', ...more] = login.split(':');
  if (more.length > 0) return undefined;
  try {
    return [decodeURIComponent(user), decodeURIComponent(password)];
  } catch {
    return undefined;
  }
}

function readConfig(config: EtcdConfig): Target {
  if (typeof config !== 'object' || config === null || !Array.isArray(config.members)) {
    throw new TypeError('the first argument must be a URL, or an object with members');
  }
  const { members, tls, user = '', password = '' } = config;
  if (members.length === 0) throw new RangeError('members must not be empty');
  if (typeof user !== 'string' || typeof password !== 'string') {
    throw new TypeError('user and password must be strings');
  }
  return { members: members.map(readMember), tls, user, password };
}

function readMember(member: unknown): { host: string; port: number } {
  const found = /^(\[[^\]]+\]|[^:[\]]+)(?::(\d{1,5}))?$/.exec(String(member));
  if (found === null) throw new TypeError(`a member must be as 'host:port', not ${String(member)}`);
  const host = found[1]!.replaceAll(/[[\]]/g, '');
  return { host, port: Number(found[2] ?? defaultPort) };
}
