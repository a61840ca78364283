// A session in etcd: a lease, three connections (commands, renewals, watches), and what belongs to
// it. A lost connection is made again: the session lives as long as its lease.
import type { ClusterInspection, ClusterLockSnapshot, ClusterQueueCount } from '../cluster.js';
import type { Answer, Asked, EngineSession, SessionNews, Taken } from '../engine.js';
import { instant } from '../lease.js';
import { type Timer, clearTimeout, setTimeout } from '../../waiting/clock.js';
import { retry_ms } from './again.js';
import { engineError } from './failures.js';
import { type Gateway, GatewayError, status } from './gateway.js';
import { inspect, query } from './inspect.js';
import { Jobs } from './jobs.js';
import type { Compare, Keys, TxnAnswer } from './keys.js';
import { Requests } from './requests.js';
import type { Watches } from './watches.js';

export interface SessionPlan {
  readonly keys: Keys;
  readonly lease: string;
  readonly ttl: number;
  /** The revision at which the session begins. */
  readonly revision: string;
}

export class EtcdSession implements EngineSession {
  readonly #plan: SessionPlan;
  readonly #gateway: Gateway;
  readonly #watches: Watches;
  readonly #news: SessionNews;
  readonly #requests: Requests;
  readonly #jobs: Jobs;
  #timer: Timer | undefined;
  #isOver = false;

  constructor(plan: SessionPlan, gateway: Gateway, watches: Watches, news: SessionNews) {
    this.#plan = plan;
    this.#gateway = gateway;
    this.#watches = watches;
    this.#news = news;
    const transact = this.#transact.bind(this);
    const { keys, lease, revision } = plan;
    this.#requests = new Requests(keys, lease, transact, watches, news, revision);
    this.#jobs = new Jobs(keys, lease, transact, watches, news);
    this.#renewLater(plan.ttl / 3);
  }

  ask(asked: Asked): Promise<Answer> {
    return this.#try(this.#requests.ask(asked));
  }

  end(asked: Asked): Promise<boolean> {
    return this.#try(this.#requests.end(asked));
  }

  put(queue: string, values: readonly string[]): Promise<void> {
    return this.#try(this.#jobs.put(queue, values));
  }

  take(queue: string, max: number): Promise<Taken[]> {
    return this.#try(this.#jobs.take(queue, max));
  }

  stopWaiting(queue: string): void {
    this.#jobs.stopWaiting(queue);
  }

  settle(queue: string, done: readonly string[], retry: readonly string[]): Promise<number> {
    return this.#try(this.#jobs.settle(queue, done, retry));
  }

  count(queue: string): Promise<ClusterQueueCount> {
    return this.#try(this.#jobs.count(queue));
  }

  query(): Promise<ClusterLockSnapshot> {
    return this.#try(query(this.#plan.keys, this.#transact.bind(this)));
  }

  inspect(): Promise<ClusterInspection> {
    return this.#try(inspect(this.#plan.keys, this.#transact.bind(this), this.#jobs));
  }

  async close(): Promise<void> {
    this.#stop();
    try {
      await this.#gateway.call('/v3/lease/revoke', { ID: this.#plan.lease });
    } catch {
      // Then the lease ends by itself.
    }
    this.#gateway.close();
  }

  destroy(): void {
    this.#stop();
    this.#gateway.close();
  }

  async #try<T>(command: Promise<T>): Promise<T> {
    try {
      return await command;
    } catch (error) {
      // Keys with a lease cannot be written once the lease is over.
      const isLost = error instanceof GatewayError && error.status === status.notFound;
      if (isLost) this.#news.lost('engine', error);
      throw engineError(error);
    }
  }

  #transact(
    compare: readonly Compare[],
    success: readonly object[],
    failure: readonly object[],
  ): Promise<TxnAnswer> {
    return this.#gateway.call('/v3/kv/txn', { compare, success, failure });
  }

  #renewLater(ms: number): void {
    if (this.#isOver) return;
    this.#timer = setTimeout(() => void this.#renew(), ms);
    this.#timer.unref();
  }

  async #renew(): Promise<void> {
    const sent = instant();
    const { lease, ttl } = this.#plan;
    try {
      const body = { ID: lease };
      const path = '/v3/lease/keepalive';
      const { result } = await this.#gateway.renew<{ result: { TTL?: string } }>(path, body);
      if (this.#isOver) return;
      if (result.TTL === undefined) {
        const cause = new Error('etcd does not know the lease of this session any more');
        this.#news.lost('engine', cause);
        return;
      }
      this.#news.renewed(sent);
      this.#renewLater(ttl / 3);
    } catch {
      // Not answered. Session.lost() comes from the clocks if this goes on for too long.
      this.#renewLater(Math.min(retry_ms, ttl / 10));
    }
  }

  #stop(): void {
    this.#isOver = true;
    clearTimeout(this.#timer);
    this.#requests.close();
    this.#jobs.close();
    this.#watches.close();
  }
}
