// Opens sessions in PostgreSQL. A session has three connections, whatever it holds and waits for:
//
//   commands  requests and jobs, one after the other
//   messages  LISTEN, and the renewals, which must not stand behind commands
//   watching  waits for the death of those who hold what this session waits for
import { clientText } from '../client.js';
import type { Engine, EngineSession, SessionNews } from '../engine.js';
import { EngineUnavailableError, UnsupportedEngineError } from '../errors.js';
import { inTime } from '../in-time.js';
import { instant } from '../lease.js';
import type { Liveness, ReadClusterOptions } from '../options.js';
import { calls } from './calls.js';
import { type PostgresConfig, newClient } from './driver.js';
import { engineError } from './failures.js';
import { Link } from './link.js';
import { schemaLock, schemaVersion, upgradeFrom } from './schema.js';
import { type Links, PostgresSession } from './session.js';

export interface PostgresPlan extends ReadClusterOptions {
  readonly config: PostgresConfig;
  readonly liveness: Liveness;
}

export class PostgresEngine implements Engine {
  readonly name = 'postgres';
  readonly #plan: PostgresPlan;

  constructor(plan: PostgresPlan) {
    this.#plan = plan;
  }

  async open(news: SessionNews): Promise<EngineSession> {
    const plan = this.#plan;
    const { config, connectTimeout } = plan;
    const newLink = (): Link => new Link(newClient(config), plan);
    const links: Links = { commands: newLink(), messages: newLink(), watching: newLink() };
    const late = (): Error =>
      new EngineUnavailableError(`PostgreSQL: no session within ${connectTimeout} ms`);
    try {
      return await inTime(this.#open(links, news), connectTimeout, late);
    } catch (error) {
      for (const link of Object.values(links) as Link[]) link.destroy();
      throw engineError(error);
    }
  }

  async #open(links: Links, news: SessionNews): Promise<EngineSession> {
    const plan = this.#plan;
    const { commands, messages } = links;
    await Promise.all((Object.values(links) as Link[]).map((link) => link.connect()));
    await prepareSchema(commands);
    const sent = instant();
    const values = [plan.namespace, plan.ttl, plan.liveness === 'connection', clientText()];
    const [row] = await messages.call(calls.openSession, values);
    const id = row!['result'] as number;
    // A number: nothing of the user is in there.
    await messages.run(`listen "holdfast_${id}"`);
    return new PostgresSession({ ...plan, id }, links, news, sent);
  }
}

/** Makes or upgrades the schema, one process at a time. A failure changes nothing. */
async function prepareSchema(link: Link): Promise<void> {
  if ((await versionOf(link)) === schemaVersion) return;
  // Before the transaction: its catalogue is that of its beginning.
  await link.run('select pg_advisory_lock($1, $2)', schemaLock);
  await link.run('begin');
  const version = await versionOf(link);
  if (version > schemaVersion) {
    throw new UnsupportedEngineError(
      `the schema "holdfast" has version ${version}, and this package knows ${schemaVersion}: ` +
        'a later version of the package has upgraded it',
    );
  }
  if (version < schemaVersion) await link.run(upgradeFrom(version));
  await link.run('commit');
  await link.run('select pg_advisory_unlock($1, $2)', schemaLock);
}

/** 0: there is none. */
async function versionOf(link: Link): Promise<number> {
  const [found] = await link.run(`select to_regclass('holdfast.meta') is not null as there`);
  if (!found!['there']) return 0;
  const [row] = await link.run('select version from holdfast.meta');
  return Number(row?.['version'] ?? 0);
}
