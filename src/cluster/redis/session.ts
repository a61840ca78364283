// A session in Redis. It has three connections, whatever it holds and waits for: commands, messages
// (pub/sub), and the renewals of its lease, which must not stand behind commands. If one of them is
// lost, the session is over.
import { IncompatibleError } from '../../errors.js';
import { EngineUnavailableError } from '../errors.js';
import type { ClusterInspection, ClusterLockSnapshot, ClusterQueueCount } from '../cluster.js';
import type { Answer, Asked, EngineSession, Grant, SessionNews, Taken } from '../engine.js';
import { instant } from '../lease.js';
import { nameOf, textOf } from '../names.js';
import { engineError, isForgottenScript } from './failures.js';
import { type RequestRow, toInspection, toSnapshot } from './inspect.js';
import type { Link } from './link.js';
import { script } from './script.js';
import { Tending } from './tending.js';

/** The connections of a session, which are open. */
export interface Links {
  readonly commands: Link;
  readonly messages: Link;
  readonly renewals: Link;
}

export interface SessionPlan {
  readonly clientId: string;
  /** The beginning of all keys, without the colon. */
  readonly prefix: string;
  /** The script's name in Redis. */
  readonly sha: string;
  readonly ttl: number;
  /** How many replicas must have a grant or a job before it counts. */
  readonly replicas: number;
  readonly commandTimeout: number;
}

/** The channel on which the session hears of its grants. */
export function channelOf({ prefix, clientId }: SessionPlan): string {
  return `${prefix}:c:${clientId}`;
}

export class RedisSession implements EngineSession {
  readonly clientId: string;
  readonly #plan: SessionPlan;
  readonly #links: Links;
  readonly #news: SessionNews;
  readonly #tending: Tending;
  #isOver = false;

  constructor(plan: SessionPlan, links: Links, news: SessionNews) {
    this.clientId = plan.clientId;
    this.#plan = plan;
    this.#links = links;
    this.#news = news;
    this.#tending = new Tending(plan.ttl, {
      tend: (isWaiting) => this.#tend(isWaiting),
      jobs: (queue) => news.jobs(queue),
    });
    for (const link of Object.values(links) as Link[]) {
      link.onLost((cause) => news.lost('connection', cause));
    }
  }

  /** What came on the channel: `g`ranted, `s`tolen, or there is a `j`ob. */
  hear(message: string): void {
    if (this.#isOver) return;
    const what = message[0];
    const rest = message.slice(2);
    if (what === 'j') {
      this.#news.jobs(nameOf(rest));
      return;
    }
    const [request, token, abandoned] = rest.split(' ');
    this.#tending.waitsNoMoreFor(Number(request));
    if (what === 's') this.#news.stolen(Number(request));
    else void this.#heardOfGrant(Number(request), grantOf(token!, abandoned === '1'));
  }

  async #heardOfGrant(request: number, grant: Grant): Promise<void> {
    try {
      if (this.#plan.replicas > 0) await this.#acknowledged(this.#run('mark'));
      this.#news.granted(request, grant);
    } catch (error) {
      this.#news.lost('engine', error);
    }
  }

  async ask(asked: Asked): Promise<Answer> {
    const { request, ifAvailable, steal, permits } = asked;
    const how = steal ? 'steal' : ifAvailable ? 'now' : 'wait';
    const args = [this.clientId, request, modeOf(asked), how, resourceOf(asked), permits ?? ''];
    // The message about a later grant may overtake the answer.
    if (how === 'wait') this.#tending.waitsFor(request);
    const answer = (await this.#granted(asked, args)) as unknown[];
    if (answer[0] === 'waiting') return 'waiting';
    this.#tending.waitsNoMoreFor(request);
    switch (answer[0]) {
      case 'granted':
        return grantOf(answer[1] as string, answer[2] === 1);
      case 'unavailable':
        return 'unavailable';
      case 'incompatible':
        throw new IncompatibleError(
          `others use it with ${String(answer[1])} permits, not ${String(permits)}`,
          { kind: 'Semaphore', objectName: asked.name },
        );
      default:
        throw this.#forgotten();
    }
  }

  /** Withdraws the request if the replicas do not confirm it. */
  async #granted(asked: Asked, args: readonly (string | number)[]): Promise<unknown> {
    try {
      return await this.#acknowledged(this.#run('ask', ...args));
    } catch (error) {
      this.#tending.waitsNoMoreFor(asked.request);
      if (this.#plan.replicas > 0) this.end(asked).catch(() => {});
      throw error;
    }
  }

  async end({ request }: Asked): Promise<boolean> {
    this.#tending.waitsNoMoreFor(request);
    return (await this.#run('end', this.clientId, request)) === 1;
  }

  async query(): Promise<ClusterLockSnapshot> {
    return toSnapshot((await this.#run('query')) as RequestRow[]);
  }

  async inspect(): Promise<ClusterInspection> {
    const rows = (await this.#run('query')) as RequestRow[];
    const time = (await this.#links.commands.command('TIME')) as [string, string];
    const queues = [];
    for (const name of await this.#queues()) queues.push({ name, ...(await this.count(name)) });
    return toInspection(rows, Number(time[0]) * 1000 + Number(time[1]) / 1000, queues);
  }

  /** The names of all queues. Reads the names of all keys of the server. */
  async #queues(): Promise<string[]> {
    const prefix = `${this.#plan.prefix}:j:`;
    const pattern = `${prefix.replaceAll(/[\\*?[\]]/g, '\\$&')}*`;
    const names = new Set<string>();
    let cursor = '0';
    do {
      const found = await this.#links.commands
        .command('SCAN', cursor, 'MATCH', pattern, 'COUNT', 1000)
        .catch((error: unknown) => Promise.reject(engineError(error)));
      const [next, keys] = found as [string, string[]];
      for (const key of keys) names.add(nameOf(key.slice(prefix.length)));
      cursor = next;
    } while (cursor !== '0');
    return [...names].toSorted();
  }

  async put(queue: string, values: readonly string[]): Promise<void> {
    await this.#acknowledged(this.#run('put', textOf(queue), ...values));
  }

  async take(queue: string, max: number): Promise<Taken[]> {
    const found = await this.#run('take', this.clientId, textOf(queue), max);
    if (found === null) throw this.#forgotten();
    const taken = takenOf(found as readonly string[]);
    if (taken.length > 0) this.#tending.waitsNoMoreForJobs(queue);
    else this.#tending.waitsForJobs(queue);
    return taken;
  }

  stopWaiting(queue: string): void {
    this.#tending.waitsNoMoreForJobs(queue);
    this.#run('leave', this.clientId, textOf(queue)).catch(() => {});
  }

  async settle(queue: string, done: readonly string[], retry: readonly string[]): Promise<number> {
    const args = [this.clientId, textOf(queue), done.join(' '), retry.join(' ')];
    return (await this.#run('settle', ...args)) as number;
  }

  async count(queue: string): Promise<ClusterQueueCount> {
    const [waiting, taken] = (await this.#run('count', textOf(queue))) as [number, number];
    return { waiting, taken };
  }

  async close(): Promise<void> {
    this.#stop();
    try {
      await this.#run('close', this.clientId);
    } catch {
      // Then the session ends by itself.
    }
    this.#destroyLinks();
  }

  destroy(): void {
    this.#stop();
    this.#destroyLinks();
  }

  #run(operation: string, ...args: readonly (string | number)[]): Promise<unknown> {
    return this.#runOn(this.#links.commands, operation, args);
  }

  async #runOn(link: Link, operation: string, args: readonly unknown[]): Promise<unknown> {
    const { sha, prefix } = this.#plan;
    const rest = [1, prefix, operation, ...args];
    try {
      return await link.command('EVALSHA', sha, ...rest);
    } catch (error) {
      if (!isForgottenScript(error)) throw engineError(error);
    }
    // SCRIPT FLUSH. The command has done nothing, so it may be sent again.
    try {
      return await link.command('EVAL', script, ...rest);
    } catch (error) {
      throw engineError(error);
    }
  }

  /** Waits until the replicas have what the command before it wrote. */
  #acknowledged<T>(command: Promise<T>): Promise<T> {
    return this.#plan.replicas === 0 ? command : this.#confirmed(command);
  }

  async #confirmed<T>(command: Promise<T>): Promise<T> {
    const { replicas, commandTimeout } = this.#plan;
    // Half of the time, so that its answer comes before the connection is given up.
    const wait = this.#links.commands.command('WAIT', replicas, Math.ceil(commandTimeout / 2));
    const [result, count] = await Promise.all([command, wait.catch(engineError)]);
    if (typeof count === 'number' && count >= replicas) return result;
    if (count instanceof Error) throw count;
    throw new EngineUnavailableError(
      `only ${String(count)} of ${replicas} replicas have confirmed a command in time`,
    );
  }

  /** Renews the lease. Returns in how many milliseconds somebody else's may end. */
  async #tend(isWaiting: boolean): Promise<number> {
    const sent = instant();
    const args = [this.clientId, this.#plan.ttl * 1000, isWaiting ? 1 : 0];
    try {
      const answer = await this.#runOn(this.#links.renewals, 'tend', args);
      const [wasAlive, nearest_us] = answer as [number, number];
      if (this.#isOver) return Infinity;
      if (wasAlive === 0) throw this.#forgotten();
      this.#news.renewed(sent);
      return nearest_us < 0 ? Infinity : nearest_us / 1000;
    } catch (error) {
      // A refusal, such as that of a server which became a replica.
      this.#news.lost('engine', error);
      return Infinity;
    }
  }

  /** Redis does not know the session: it ended that, or it has lost its data. */
  #forgotten(): Error {
    const error = new Error('Redis does not know this session any more');
    this.#news.lost('engine', error);
    return error;
  }

  #stop(): void {
    this.#isOver = true;
    this.#tending.end();
  }

  #destroyLinks(): void {
    for (const link of Object.values(this.#links) as Link[]) link.destroy();
  }
}

function modeOf({ kind, mode }: Asked): 'x' | 's' | 'p' {
  if (kind === 'semaphore') return 'p';
  return mode === 'exclusive' ? 'x' : 's';
}

function resourceOf({ kind, name }: Asked): string {
  return (kind === 'lock' ? 'l' : 's') + textOf(name);
}

/** The token of the first; then of each its id with how often it was handed out, and its value. */
function takenOf(found: readonly string[]): Taken[] {
  const taken: Taken[] = [];
  let token = BigInt(found[0]!);
  for (let i = 1; i < found.length; i += 2) {
    const id = found[i]!;
    const deliveries = Number(id.slice(id.indexOf(' ') + 1));
    taken.push({ id, value: found[i + 1]!, deliveries, token: token++ });
  }
  return taken;
}

function grantOf(token: string, abandoned: boolean): Grant {
  return { token: BigInt(token), abandoned };
}
