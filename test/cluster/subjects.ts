// The engines over which one suite runs, and how a test connects to each.
import { type Cluster, type ConnectOptions, type EngineName, connect } from 'holdfast';
import { host, platform } from '../support/index.js';
import { EtcdServer, whyNoEtcd } from './servers/etcd.mjs';
import { PostgresServer, whyNoPostgres } from './servers/postgres.mjs';
import { RedisServer, whyNoRedis } from './servers/redis.mjs';

/** What all servers of servers/ have in common. */
interface TestServer {
  readonly url: string;
  start(): Promise<TestServer>;
  remove(): Promise<void>;
}

/** An engine that is tested. */
export interface Subject {
  readonly name: EngineName;
  /** Why it cannot be tested here. CI has all servers, and skips none. */
  readonly whyNot: string | undefined;
  /** Starts the server unless it runs. Resolves to its URL. */
  readonly start: () => Promise<string>;
  /** Removes the server. */
  readonly remove: () => Promise<void>;
}

const local: Subject = {
  name: 'local',
  whyNot: undefined,
  start: async () => 'local:',
  remove: async () => {},
};

/** Another platform layer means nothing to an engine that never loads the addon. */
const servers: Subject[] = [
  serverSubject('postgres', whyNoPostgres, () => new PostgresServer()),
  serverSubject('redis', whyNoRedis, () => new RedisServer()),
  serverSubject('etcd', whyNoEtcd, () => new EtcdServer()),
];

/** An engine with one server for all tests. */
function serverSubject(
  name: EngineName,
  whyNot: string | undefined,
  make: () => TestServer,
): Subject {
  let server: Promise<TestServer> | undefined;
  return {
    name,
    whyNot,
    start: async () => {
      server ??= make().start();
      return (await server).url;
    },
    remove: async () => (await server)?.remove(),
  };
}

export const subjects = platform === host ? [local, ...servers] : [local];

let namespaces = 0;
const opened = new Set<Cluster>();
const started = new Set<TestServer>();

/** A namespace that no other test has. */
export function freshNamespace(): string {
  return `test ${process.pid} ${++namespaces}`;
}

/**
 * Connects to the engine, or to what stands before it at another port. The cluster is closed after
 * the test.
 */
export async function open(
  subject: Subject,
  options: ConnectOptions = {},
  port?: number,
): Promise<Cluster> {
  const url = new URL(await subject.start());
  if (port !== undefined) url.port = String(port);
  return openAt(url.href, { namespace: freshNamespace(), ...options });
}

/** Connects to a server of the test's own. The cluster is closed after the test. */
export async function openAt(url: string, options: ConnectOptions): Promise<Cluster> {
  const cluster = await connect(url, options);
  opened.add(cluster);
  return cluster;
}

/** A server of the test's own, which is removed after the test. */
export function own<S extends TestServer>(server: S): S {
  started.add(server);
  return server;
}

/** Connects to the namespace of another cluster: a second session. */
export function openBeside(subject: Subject, other: Cluster): Promise<Cluster> {
  return open(subject, { namespace: other.namespace });
}

/** A suite for each engine. */
export function forEachSubject(title: string, suite: (subject: Subject) => void): void {
  suiteOf(subjects, title, suite);
}

/** A suite for each engine that has a server, or for one of them. */
export function forEachServer(
  title: string,
  which: EngineName | 'all',
  suite: (subject: Subject) => void,
): void {
  const those = servers.filter(({ name }) => which === 'all' || which === name);
  suiteOf(platform === host ? those : [], title, suite);
}

function suiteOf(list: readonly Subject[], title: string, suite: (subject: Subject) => void): void {
  for (const subject of list) {
    const { name, whyNot } = subject;
    const whole = `cluster on ${name}: ${title}`;
    if (whyNot !== undefined && process.env['CI'] === undefined) {
      describe.skip(`${whole} (${whyNot})`, () => suite(subject));
      continue;
    }
    describe(whole, () => {
      if (whyNot !== undefined) it('has its server', () => Promise.reject(new Error(whyNot)));
      before(async () => void (await subject.start()));
      afterEach(async () => {
        for (const cluster of opened) await cluster.close();
        opened.clear();
        for (const server of started) await server.remove();
        started.clear();
      });
      suite(subject);
    });
  }
}

after(async () => {
  for (const { remove } of subjects) await remove();
});
