// A session in PostgreSQL: commands, and what comes on its channel.
import { IncompatibleError } from '../../errors.js';
import { type Timer, clearTimeout, setTimeout } from '../../waiting/clock.js';
import type {
  ClusterInspection,
  ClusterLockInfo,
  ClusterLockSnapshot,
  ClusterQueueCount,
} from '../cluster.js';
import type { Answer, Asked, EngineSession, Grant, SessionNews, Taken } from '../engine.js';
import { EngineUnavailableError, LockLostError } from '../errors.js';
import { inTime } from '../in-time.js';
import { type Instant, instant } from '../lease.js';
import type { ReadClusterOptions } from '../options.js';
import { keyOf, nameOf, textOf } from '../names.js';
import { calls } from './calls.js';
import { type DeadlockCalls, Deadlocks, type ToldRows, deadlockError } from './deadlocks.js';
import { type InspectRows, toInspection } from './inspect.js';
import type { Link } from './link.js';
import { Watch } from './watch.js';

export interface Links {
  readonly commands: Link;
  readonly messages: Link;
  readonly watching: Link;
}

export interface SessionPlan extends ReadClusterOptions {
  readonly id: number;
}

/** How many renewals the lease has room for. */
const renewalsInLease = 3;

export class PostgresSession implements EngineSession {
  readonly #id: number;
  readonly #plan: SessionPlan;
  readonly #links: Links;
  readonly #news: SessionNews;
  readonly #watch: Watch;
  readonly #deadlocks: Deadlocks;
  readonly findsDeadlocks = true;
  /** Requests that wait or hold. */
  readonly #asked = new Map<number, Asked>();
  /** The names of queues in which this session waits for jobs, by their keys. */
  readonly #queues = new Map<string, string>();
  #renewal: Timer | undefined;
  #isOver = false;

  constructor(plan: SessionPlan, links: Links, news: SessionNews, sent: Instant) {
    this.#id = plan.id;
    this.#plan = plan;
    this.#links = links;
    this.#news = news;
    this.#watch = new Watch(links.watching, plan);
    this.#deadlocks = new Deadlocks(plan.id, this.#deadlockCalls());
    for (const link of Object.values(links) as Link[]) {
      link.onLost = (cause) => news.lost('connection', cause);
    }
    links.messages.onMessage((message) => this.#hear(message));
    news.renewed(sent);
    this.#renewLater();
  }

  async ask(asked: Asked): Promise<Answer> {
    const { request, name, kind, mode, permits, ifAvailable, steal, inside } = asked;
    const values = [
      ...this.#nameOf(asked),
      textOf(name),
      this.#id,
      request,
      mode === 'exclusive',
      permits ?? null,
      ifAvailable,
      steal,
      inside ?? null,
    ];
    this.#asked.set(request, asked);
    if (!ifAvailable && !steal) this.#waits(request);
    for (;;) {
      const [row] = await this.#links.commands.call(calls.ask, values);
      const { answer, token, abandoned, in_the_way: inTheWay } = row!;
      if (answer === 'w') return 'waiting';
      this.#waitsNoMore(request);
      if (answer === 'g') return { token: BigInt(token as string), abandoned: abandoned === true };
      // Those who only try have no watch. If a holder was dead, this one tries again.
      if (answer === 'u' && (await this.#bury(inTheWay as number[])) > 0) continue;
      this.#asked.delete(request);
      if (answer === 'u') return 'unavailable';
      if (answer === 'o') this.#news.lost('lease');
      if (answer === 'o') throw new LockLostError('lease', 'the session is over');
      throw new IncompatibleError(
        `${kind} ${JSON.stringify(name)}: others use it with another number of permits`,
        { kind, objectName: name },
      );
    }
  }

  async end(asked: Asked): Promise<boolean> {
    this.#waitsNoMore(asked.request);
    const values = [...this.#nameOf(asked), this.#id, asked.request];
    const [row] = await this.#links.commands.call(calls.finish, values);
    this.#asked.delete(asked.request);
    return row!['result'] === true;
  }

  async query(): Promise<ClusterLockSnapshot> {
    const rows = await this.#links.commands.call(calls.query, [this.#plan.namespace]);
    const shown = (row: (typeof rows)[number]): ClusterLockInfo => ({
      name: nameOf(row['name'] as string),
      mode: row['is_exclusive'] === true ? 'exclusive' : 'shared',
      clientId: String(row['session']),
    });
    return {
      held: rows.filter(({ held }) => held === true).map(shown),
      pending: rows.filter(({ held }) => held !== true).map(shown),
    };
  }

  async inspect(): Promise<ClusterInspection> {
    const [row] = await this.#links.commands.call(calls.inspect, [this.#plan.namespace]);
    return toInspection(row!['result'] as InspectRows);
  }

  async put(queue: string, values: readonly string[]): Promise<void> {
    await this.#links.commands.call(calls.put, [this.#plan.namespace, keyOf(queue), values]);
  }

  async take(queue: string, max: number): Promise<Taken[]> {
    const key = keyOf(queue);
    this.#queues.set(key, queue);
    const values = [this.#plan.namespace, key, this.#id, max];
    const rows = await this.#links.commands.call(calls.take, values).catch((error: unknown) => {
      const { cause } = error as { cause?: { code?: unknown } };
      if (cause?.code === 'HF001') this.#news.lost('lease', error);
      throw error;
    });
    if (rows.length === 0) this.#watch.add(key);
    return rows.map(({ id, value, deliveries, token }) => ({
      id: String(id),
      value: value as string,
      deliveries: deliveries as number,
      token: BigInt(token as string),
    }));
  }

  stopWaiting(queue: string): void {
    this.#watch.delete(keyOf(queue));
    const values = [this.#plan.namespace, keyOf(queue), this.#id];
    this.#links.commands.call(calls.stopWaiting, values).catch(() => {});
  }

  async settle(queue: string, done: readonly string[], retry: readonly string[]): Promise<number> {
    const values = [this.#plan.namespace, keyOf(queue), this.#id, done, retry];
    const [row] = await this.#links.commands.call(calls.settle, values);
    return row!['result'] as number;
  }

  async count(queue: string): Promise<ClusterQueueCount> {
    const [row] = await this.#links.commands.run(
      `select count(*) filter (where session is null) as waiting, count(session) as taken
        from holdfast.jobs where namespace = $1 and queue = $2`,
      [this.#plan.namespace, keyOf(queue)],
    );
    return { waiting: Number(row!['waiting']), taken: Number(row!['taken']) };
  }

  async close(): Promise<void> {
    this.#over();
    const late = (): Error => new EngineUnavailableError('no answer to the end of the session');
    // What it cannot end, the end of its connections and of its lease does.
    await inTime(this.#close(), this.#plan.commandTimeout, late).catch(() => {});
    this.destroy();
  }

  destroy(): void {
    this.#over();
    for (const link of Object.values(this.#links) as Link[]) link.destroy();
  }

  /** Ends what it has, so that others get it at once, and then itself. */
  async #close(): Promise<void> {
    await Promise.all([...this.#asked.values()].map((asked) => this.end(asked)));
    await this.#links.commands.call(calls.closeSession, [this.#id]);
    const { commands, messages } = this.#links;
    await Promise.all([commands.end(), messages.end()]);
  }

  #waits(request: number): void {
    this.#watch.add(request);
    this.#deadlocks.add(request);
  }

  #waitsNoMore(request: number): void {
    this.#watch.delete(request);
    this.#deadlocks.delete(request);
  }

  #deadlockCalls(): DeadlockCalls {
    const { namespace } = this.#plan;
    const { commands } = this.#links;
    return {
      look: async () => {
        const [row] = await commands.call(calls.toldWaits, [namespace, this.#id]);
        return row!['result'] as ToldRows | null;
      },
      end: async (request, circle) => {
        const asked = this.#asked.get(request);
        if (asked === undefined) return false;
        const members = [circle.map(({ session }) => session), circle.map((one) => one.request)];
        const values = [...this.#nameOf(asked), this.#id, request, ...members];
        const [row] = await commands.call(calls.endDeadlock, values);
        return row!['result'] === true;
      },
      ended: (youngest, circle, at) => {
        const request = youngest.told.serial;
        this.#waitsNoMore(request);
        this.#asked.delete(request);
        this.#news.failed(request, deadlockError(youngest, circle, at));
      },
    };
  }

  /** The namespace, the kind and the key of a name. */
  #nameOf({ kind, name }: Asked): string[] {
    return [this.#plan.namespace, kind === 'lock' ? 'l' : 's', keyOf(name)];
  }

  async #bury(sessions: number[]): Promise<number> {
    const others = sessions.filter((id) => id !== this.#id);
    if (others.length === 0) return 0;
    const [row] = await this.#links.commands.call(calls.bury, [others]);
    return row!['result'] as number;
  }

  /** What came on the channel: `g`ranted, `s`tolen, or there is a `j`ob. */
  #hear(message: string): void {
    if (this.#isOver) return;
    const what = message[0];
    const rest = message.slice(2);
    if (what === 'j') {
      this.#watch.delete(rest);
      const queue = this.#queues.get(rest);
      if (queue !== undefined) this.#news.jobs(queue);
      return;
    }
    const [request, token, abandoned] = rest.split(' ');
    this.#waitsNoMore(Number(request));
    if (what === 's') {
      this.#news.stolen(Number(request));
      return;
    }
    const grant: Grant = { token: BigInt(token!), abandoned: abandoned === 't' };
    this.#news.granted(Number(request), grant);
  }

  #renewLater(): void {
    const { ttl } = this.#plan;
    this.#renewal = setTimeout(() => void this.#renew(), ttl / renewalsInLease);
    this.#renewal.unref();
  }

  async #renew(): Promise<void> {
    const sent = instant();
    try {
      const [row] = await this.#links.messages.call(calls.renew, [this.#id]);
      if (this.#isOver) return;
      if (row!['result'] !== true) {
        this.#news.lost('lease');
        return;
      }
      this.#news.renewed(sent);
      this.#renewLater();
    } catch (error) {
      const isGone = error instanceof EngineUnavailableError;
      this.#news.lost(isGone ? 'connection' : 'engine', error);
    }
  }

  #over(): void {
    this.#isOver = true;
    clearTimeout(this.#renewal);
    this.#watch.end();
    this.#deadlocks.end();
  }
}
