// The chaos soak of clusters: processes on one engine hold locks and work on jobs, while they are
// killed, stopped and cut off, and the server is killed and started again (scripts/soak.mjs
// --cluster). What must hold: test/soak/cluster-ledger.mjs; and that all come to an end.
import { fork } from 'node:child_process';
import { once } from 'node:events';
import { setTimeout as sleep } from 'node:timers/promises';
import { connect } from 'holdfast';
import { BlackHole } from '../cluster/black-hole.ts';
import { EtcdServer } from '../cluster/servers/etcd.mjs';
import { PostgresServer } from '../cluster/servers/postgres.mjs';
import { RedisServer } from '../cluster/servers/redis.mjs';
import { random } from '../programs/random.mjs';
import { endWith } from '../support/verdict.ts';
import { Ledger } from './cluster-ledger.mjs';

const endWatchdog_ms = 60_000;

/**
 * What a restart leaves differs. Of PostgreSQL it leaves no session: a process that is stopped
 * meanwhile does not know that, and proves with its clock what is no longer so.
 */
const engines = {
  postgres: { make: () => new PostgresServer(), restarts: false, ttl: 1000 },
  redis: {
    make: () => new RedisServer(['--appendonly', 'yes', '--appendfsync', 'always']),
    restarts: true,
    ttl: 1000,
  },
  etcd: { make: () => new EtcdServer(), restarts: true, ttl: 2000 },
};

const { cluster: engine, minutes, seed, processes } = JSON.parse(process.argv[2]);
const { make, restarts, ttl } = engines[engine];
const dice = random(seed);
const ledger = new Ledger();
const counts = { kills: 0, stops: 0, cuts: 0, restarts: 0 };
const end = performance.now() + minutes * 60_000;

const server = await make().start();
// Nothing but the lease ends a hold, so that a process can prove what it holds by its clock.
const liveness = engine === 'etcd' ? {} : { liveness: 'lease' };
const options = { ttl, connectTimeout: 1000, commandTimeout: 500, ...liveness };

// The first connection makes what the engine needs, with time enough for that.
const patient = { connectTimeout: endWatchdog_ms, commandTimeout: endWatchdog_ms };
await (await connect(server.url, patient)).close();

class Player {
  #child;
  #cable;
  #ended;

  async start() {
    const url = new URL(server.url);
    this.#cable = await new BlackHole(Number(url.port)).open();
    url.port = String(this.#cable.port);
    const args = [url.href, JSON.stringify(options), String(dice.below(2 ** 31))];
    const file = new URL('cluster-player.mjs', import.meta.url).pathname;
    this.#child = fork(file, args, { execArgv: [] });
    this.#child.on('message', hear);
    this.#ended = once(this.#child, 'exit');
    return this;
  }

  async kill() {
    this.#child.kill('SIGKILL');
    await this.#ended;
    this.#cable.close();
  }

  async stop(ms) {
    this.#child.kill('SIGSTOP');
    await sleep(ms);
    this.#child.kill('SIGCONT');
  }

  async cut(ms) {
    this.#cable.cut();
    await sleep(ms);
    this.#cable.mend();
  }

  /** Lets it do what is left to do. */
  calm() {
    this.#tell('end');
  }

  /** One that has never come to be connected ends when it is calm, and hears no more. */
  #tell(phase) {
    if (this.#child.connected) this.#child.send(phase, () => {});
  }

  /** Lets it finish. Resolves to its exit code. */
  async finish() {
    this.#tell('stop');
    const timer = setTimeout(() => this.#child.kill('SIGKILL'), endWatchdog_ms);
    const [code] = await this.#ended;
    clearTimeout(timer);
    this.#cable.close();
    return code;
  }
}

function hear({ hold, put, done }) {
  if (hold) ledger.hold({ ...hold, token: BigInt(hold.token) });
  if (put) for (const id of put) ledger.put(id);
  if (done) ledger.done(done);
}

const players = await Promise.all(Array.from({ length: processes }, () => new Player().start()));

/** One fault after another for this place in the row of players. */
async function disturb(place) {
  while (performance.now() < end) {
    await sleep(200 + dice.below(3000));
    const what = dice.below(3);
    if (what === 0) {
      await players[place].kill();
      players[place] = await new Player().start();
      counts.kills++;
    } else if (what === 1) {
      await players[place].stop(dice.below(2 * ttl));
      counts.stops++;
    } else {
      await players[place].cut(dice.below(3 * ttl));
      counts.cuts++;
    }
  }
}

async function restart() {
  while (restarts && performance.now() < end) {
    await sleep(2000 + dice.below(6000));
    await server.end();
    await sleep(dice.below(ttl));
    await server.start();
    counts.restarts++;
  }
}

await Promise.all([...players.map((_, place) => disturb(place)), restart()]);
for (const player of players) player.calm();
const last = performance.now() + endWatchdog_ms;
while (ledger.unfinished > 0 && performance.now() < last) await sleep(50);
const codes = await Promise.all(players.map((player) => player.finish()));
await server.remove();
const faults = ledger.faults();
// Where nothing is granted, nothing is shown.
if (ledger.counts.grants === 0) faults.push('no lock was granted');
const hung = codes.filter((code) => code !== 0).length;
if (hung > 0) faults.push(`${hung} processes did not end, or failed`);
endWith({ engine, seed, ...counts, ...ledger.counts, faults: faults.length }, faults);
