// Opens sessions in Redis.
import { randomUUID } from 'node:crypto';
import { checkFormat } from '../checks.js';
import type { Engine, EngineSession, SessionNews } from '../engine.js';
import { EngineUnavailableError } from '../errors.js';
import { inTime } from '../in-time.js';
import { instant } from '../lease.js';
import type { Liveness, ReadClusterOptions } from '../options.js';
import { checkServer, engineError } from './failures.js';
import { Link, type RedisTarget } from './link.js';
import { script } from './script.js';
import { type Links, RedisSession, type SessionPlan, channelOf } from './session.js';

/** What the keys mean. Every change of the script that an older one cannot live with raises it. */
const format = '1';

export interface RedisPlan extends ReadClusterOptions {
  readonly target: RedisTarget;
  readonly liveness: Liveness;
  readonly replicas: number;
}

export class RedisEngine implements Engine {
  readonly name = 'redis';
  readonly #plan: RedisPlan;

  constructor(plan: RedisPlan) {
    this.#plan = plan;
  }

  async open(news: SessionNews): Promise<EngineSession> {
    const { target, connectTimeout, commandTimeout } = this.#plan;
    const links: Link[] = [];
    const late = (): Error =>
      new EngineUnavailableError(`Redis: no session within ${connectTimeout} ms`);
    const connect = async (): Promise<Link> => {
      const link = await Link.open(target, { connectTimeout, commandTimeout });
      links.push(link);
      return link;
    };
    try {
      return await inTime(this.#open(connect, news), connectTimeout, late);
    } catch (error) {
      for (const link of links) link.destroy();
      throw engineError(error);
    }
  }

  async #open(connect: () => Promise<Link>, news: SessionNews): Promise<EngineSession> {
    const [commands, messages, renewals] = await Promise.all([connect(), connect(), connect()]);
    const links: Links = { commands, messages, renewals };
    checkServer(String(await commands.command('INFO')));
    const plan = this.#sessionPlan(String(await commands.command('SCRIPT', 'LOAD', script)));
    let hear = (_: string): void => {};
    await messages.subscribe(channelOf(plan), (message) => hear(message));
    const sent = instant();
    const { sha, prefix, clientId, ttl } = plan;
    const open = ['EVALSHA', sha, 1, prefix, 'open', format, clientId, ttl * 1000] as const;
    const found = await commands.command(...open);
    checkFormat(found, format);
    const session = new RedisSession(plan, links, news);
    hear = (message) => session.hear(message);
    news.renewed(sent);
    return session;
  }

  #sessionPlan(sha: string): SessionPlan {
    const { namespace, ttl, liveness, replicas, commandTimeout } = this.#plan;
    const clientId = (liveness === 'connection' ? 'c' : 'l') + randomUUID();
    return { clientId, prefix: prefixOf(namespace), sha, ttl, replicas, commandTimeout };
  }
}

/** All keys of a namespace have one hash tag, so that they are in one slot. */
function prefixOf(namespace: string): string {
  return `{holdfast:${namespace.replaceAll(/[%{}:]/g, encodeURIComponent)}}`;
}
