// The engine that is shared memory: the objects of this package, with the interface of a cluster.
//
// A lock is that of a LockManager of the namespace, a permit one of a BoundedSemaphore, a queue a
// JoinableQueue. There is no lease: when a process dies, the system says so at once.
import type { Guard } from '../../holds/guard.js';
import { LockManager } from '../../locks/lock-manager.js';
import { BoundedSemaphore } from '../../objects/bounded-semaphore.js';
import { JoinableQueue } from '../../objects/joinable-queue.js';
import type { ClusterInspection, ClusterLockSnapshot, ClusterQueueCount } from '../cluster.js';
import type { Answer, Asked, Grant, EngineSession, SessionNews, Taken } from '../engine.js';
import { setImmediate } from '../../waiting/clock.js';
import { keyOf, textOf } from '../names.js';
import { inspect } from './inspect.js';
import { LocalJobs } from './jobs.js';

/** A request of the session, and how it ends. */
interface Entry {
  /** Ends the wait, or releases. Resolves to true if it held. */
  readonly end: () => Promise<boolean>;
}

export class LocalSession implements EngineSession {
  readonly #news: SessionNews;
  readonly #namespace: string;
  readonly #manager: LockManager;
  /** Gives tokens for what has none of its own. Its locks are held for no time. */
  #tokens: LockManager | undefined;
  readonly #entries = new Map<number, Entry>();
  readonly #semaphores = new Map<string, BoundedSemaphore>();
  readonly #queues = new Map<string, LocalJobs>();

  constructor(news: SessionNews, namespace: string) {
    this.#news = news;
    this.#namespace = namespace;
    this.#manager = new LockManager({ namespace });
  }

  async ask(asked: Asked): Promise<Answer> {
    return asked.kind === 'lock' ? this.#askLock(asked) : this.#askPermit(asked);
  }

  async end({ request }: Asked): Promise<boolean> {
    const entry = this.#entries.get(request);
    this.#entries.delete(request);
    return entry === undefined ? false : entry.end();
  }

  async query(): Promise<ClusterLockSnapshot> {
    const { held, pending } = await this.#manager.query();
    const shown = ({ name, mode, clientId }: (typeof held)[number]) => ({ name, mode, clientId });
    return { held: held.map(shown), pending: pending.map(shown) };
  }

  inspect(): Promise<ClusterInspection> {
    const kinds = {
      semaphore: this.#objectName('semaphore', ''),
      queue: this.#objectName('queue', ''),
    };
    return inspect(this.#manager, kinds);
  }

  async put(queue: string, values: readonly string[]): Promise<void> {
    await this.#jobsOf(queue).put(values);
  }

  async take(queue: string, max: number): Promise<Taken[]> {
    return this.#jobsOf(queue).take(max);
  }

  stopWaiting(queue: string): void {
    this.#queues.get(queue)?.stopWaiting();
  }

  async settle(queue: string, done: readonly string[], retry: readonly string[]): Promise<number> {
    return this.#jobsOf(queue).settle(done, retry);
  }

  async count(queue: string): Promise<ClusterQueueCount> {
    return this.#jobsOf(queue).count();
  }

  async close(): Promise<void> {
    this.destroy();
    await Promise.all([...this.#entries.values()].map(({ end }) => end()));
    this.#entries.clear();
    this.#manager.close();
    this.#tokens?.close();
    for (const semaphore of this.#semaphores.values()) semaphore.close();
  }

  destroy(): void {
    for (const jobs of this.#queues.values()) jobs.close();
    this.#queues.clear();
  }

  #askLock(asked: Asked): Promise<Answer> {
    const { request, name, mode, ifAvailable, steal } = asked;
    const abort = new AbortController();
    const signal = ifAvailable || steal ? undefined : abort.signal;
    let release: (() => void) | undefined;
    let isHeld = false;
    let isAnswered = false;
    return new Promise((answer, reject) => {
      // The manager's own answer, if it has one at once, comes before that.
      setImmediate(() => {
        isAnswered = true;
        answer('waiting');
      });
      const options = { mode, ifAvailable, steal, ...(signal && { signal }) };
      const ended = this.#manager.request(name, options, (lock) => {
        if (lock === null) return answer('unavailable');
        const { token, abandoned } = lock;
        answer({ token, abandoned });
        this.#news.granted(request, { token, abandoned });
        isHeld = true;
        return new Promise<void>((end) => (release = end));
      });
      const over = ended.catch((error: unknown) => {
        if (abort.signal.aborted) return;
        if (isHeld) this.#news.stolen(request);
        else if (isAnswered) this.#news.lost('engine', error);
        else reject(error);
        isHeld = false;
      });
      const end = async (): Promise<boolean> => {
        release?.();
        if (!isHeld) abort.abort();
        await over;
        return isHeld;
      };
      this.#entries.set(request, { end });
    });
  }

  async #askPermit({ request, name, permits, ifAvailable }: Asked): Promise<Answer> {
    const semaphore = this.#semaphoreOf(name, permits!);
    const grant = (guard: Guard): Grant => {
      this.#entries.set(request, { end: async () => (guard.release(), true) });
      return { token: this.#token(name), abandoned: false };
    };
    const guard = semaphore.tryAcquire();
    if (guard !== null) return grant(guard);
    if (ifAvailable) return 'unavailable';
    const abort = new AbortController();
    const acquired = semaphore.acquire({ signal: abort.signal }).then(
      (got) => this.#news.granted(request, grant(got)),
      () => {},
    );
    const end = async (): Promise<boolean> => {
      abort.abort();
      await acquired;
      // The grant was faster than the abort.
      const entry = this.#entries.get(request);
      this.#entries.delete(request);
      return entry === undefined || entry.end === end ? false : entry.end();
    };
    this.#entries.set(request, { end });
    return 'waiting';
  }

  /** Greater than every token that the name had before. */
  #token(name: string): bigint {
    const namespace = this.#objectName('tokens', '');
    this.#tokens ??= new LockManager({ namespace, maxRequests: 4096 });
    const options = { mode: 'shared' } as const;
    return this.#tokens.requestSync(`permit of ${name}`, options, (lock) => lock!.token);
  }

  #semaphoreOf(name: string, permits: number): BoundedSemaphore {
    const key = `${permits} ${name}`;
    let semaphore = this.#semaphores.get(key);
    if (semaphore === undefined) {
      semaphore = new BoundedSemaphore(permits, { name: this.#objectName('semaphore', name) });
      this.#semaphores.set(key, semaphore);
    }
    return semaphore;
  }

  #jobsOf(queue: string): LocalJobs {
    let jobs = this.#queues.get(queue);
    if (jobs === undefined) {
      const name = this.#objectName('queue', queue);
      jobs = new LocalJobs(new JoinableQueue<string>({ name }), () => this.#news.jobs(queue));
      this.#queues.set(queue, jobs);
    }
    return jobs;
  }

  /** Backslashes of the parts are escaped, so the parts of two names never run into each other. */
  #objectName(kind: string, name: string): string {
    return `${textOf(this.#namespace)}\\:${kind}\\:${keyOf(name)}`;
  }
}
