// Opens sessions in etcd.
import { checkFormat, checkVersion } from '../checks.js';
import type { Engine, EngineSession, SessionNews } from '../engine.js';
import { EngineUnavailableError } from '../errors.js';
import { inTime } from '../in-time.js';
import { instant } from '../lease.js';
import type { ReadClusterOptions } from '../options.js';
import { engineError } from './failures.js';
import { Gateway, type GatewayOptions } from './gateway.js';
import { Keys, isMissing, pairsOf, put, read, valueOfPair, type TxnAnswer } from './keys.js';
import { EtcdSession } from './session.js';
import { Watches } from './watches.js';

/** What the keys mean. Every change that an older version cannot live with raises it. */
const format = '1';
const leastVersion = [3, 4] as const;

export interface EtcdPlan extends ReadClusterOptions {
  readonly gateway: Omit<GatewayOptions, 'deadline'>;
}

export class EtcdEngine implements Engine {
  readonly name = 'etcd';
  readonly #plan: EtcdPlan;

  constructor(plan: EtcdPlan) {
    this.#plan = plan;
  }

  async open(news: SessionNews): Promise<EngineSession> {
    const { connectTimeout, commandTimeout } = this.#plan;
    const gateway = new Gateway({ ...this.#plan.gateway, deadline: commandTimeout });
    const watches = new Watches(gateway);
    const late = (): Error =>
      new EngineUnavailableError(`etcd: no session within ${connectTimeout} ms`);
    try {
      return await inTime(this.#open(gateway, watches, news), connectTimeout, late);
    } catch (error) {
      watches.close();
      gateway.close();
      throw engineError(error);
    }
  }

  async #open(gateway: Gateway, watches: Watches, news: SessionNews): Promise<EngineSession> {
    const { namespace, ttl, connectTimeout } = this.#plan;
    // What is left is for the session itself.
    await gateway.reach(connectTimeout / (this.#plan.gateway.members.length + 1));
    await gateway.authenticate();
    const { version } = await gateway.call<{ version: string }>('/v3/maintenance/status', {});
    checkVersion('etcd', version, leastVersion);
    const keys = new Keys(namespace);
    await agreeOnFormat(gateway, keys);
    await watches.open();
    const sent = instant();
    // etcd counts whole seconds, and may grant more than it was asked for.
    const grant = { TTL: Math.ceil(ttl / 1000) };
    const answer = await gateway.call<{ ID: string; header: { revision: string } }>(
      '/v3/lease/grant',
      grant,
    );
    const plan = { keys, ttl, lease: answer.ID, revision: answer.header.revision };
    const session = new EtcdSession(plan, gateway, watches, news);
    news.renewed(sent);
    return session;
  }
}

/** Writes the format of the namespace, or checks it. @throws UnsupportedEngineError */
async function agreeOnFormat(gateway: Gateway, { format: key }: Keys): Promise<void> {
  const answer = await gateway.call<TxnAnswer>('/v3/kv/txn', {
    compare: [isMissing(key)],
    success: [put(key, format)],
    failure: [read(key)],
  });
  if (answer.succeeded) return;
  checkFormat(valueOfPair(pairsOf(answer, 0)[0]!), format);
}
