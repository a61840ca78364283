// holdfast/local: the interface of a cluster on the shared memory of one host.
import type { Cluster } from '../cluster.js';
import { type ClusterOptions, readClusterOptions } from '../options.js';
import { connectTo } from '../remote.js';
import { LocalSession } from './session.js';

export type * from '../cluster.js';
export * from '../errors.js';
export type { ClusterOptions } from '../options.js';

/**
 * Opens the locks, semaphores and queues of a namespace in the shared memory of this host. The
 * locks are those of `new LockManager({ namespace })`. `url` is `'local:'`, and may be left out.
 *
 * There is no server and no lease: what a process held is released when it dies, and `ttl` and the
 * timeouts mean nothing. Jobs last as long as any process has their queue open.
 *
 * Rejects as `new LockManager()` throws, and with TypeError for another URL.
 */
export async function connect(url = 'local:', options: ClusterOptions = {}): Promise<Cluster> {
  if (url !== 'local:') throw new TypeError(`the URL must be 'local:', not ${JSON.stringify(url)}`);
  const read = readClusterOptions(options);
  const open = async (news: ConstructorParameters<typeof LocalSession>[0]): Promise<LocalSession> =>
    new LocalSession(news, read.namespace);
  return connectTo({ name: 'local', open }, read);
}
