// The fault matrix of clusters, measured: a process holds a lock, another one waits for it, and a
// fault happens. How long until the other one has the lock, was the holder told before that, and
// were its late writes refused? Prints a table in Markdown.
//
//   npm run faults                       all engines, five times each fault: about eight minutes
//   npm run faults -- redis --times 1
//
// The exit code is 1 if a promise was broken: a token went back, the holder of a cut connection was
// told too late, a late write was taken, or what should stay was lost.
import { fork } from 'node:child_process';
import { once } from 'node:events';
import { setTimeout as sleep } from 'node:timers/promises';
import { parseArgs } from 'node:util';
import { BlackHole } from '../../test/cluster/black-hole.ts';
import { now } from '../../test/programs/clock.mjs';
import { connect } from '../../lib/index.mjs';
import { machine } from '../machine.mjs';
import { median } from '../stats.mjs';
import { markdownTable } from '../tables.mjs';
import { engines } from './engines.mjs';

/** The least that etcd takes. */
const ttl = 2000;

/**
 * `act` makes the fault. `keeps`: the engines where the holder keeps its lock. `isTold`: the holder
 * must hear of its loss before the lock is granted again.
 */
const faults = [
  { title: 'SIGKILL of the holder', act: ({ holder }) => holder.child.kill('SIGKILL') },
  {
    title: "SIGKILL, `liveness: 'lease'`",
    options: { liveness: 'lease' },
    act: ({ holder }) => holder.child.kill('SIGKILL'),
  },
  {
    title: 'SIGSTOP for 2 ttl, SIGCONT',
    act: async ({ holder }) => {
      holder.child.kill('SIGSTOP');
      await sleep(2 * ttl);
      holder.child.kill('SIGCONT');
    },
  },
  {
    title: 'kill -9 of the server, start',
    // Long enough for a server to start, and for etcd to elect a leader.
    options: { ttl: 3 * ttl },
    keeps: ['etcd'],
    act: async ({ server }) => {
      await server.end();
      await server.start();
    },
  },
  { title: 'black hole of 1 s', keeps: ['etcd', 'postgres', 'redis'], act: hole(1000) },
  { title: 'black hole of 3 ttl', isTold: true, act: hole(3 * ttl) },
  {
    title: 'the server dies, a replica takes its place',
    isReplicated: true,
    options: { ttl: 3 * ttl },
    keeps: ['etcd'],
    act: async ({ server, waiter }) => waiter.goTo(await server.failOver()),
  },
];

function hole(ms) {
  return async ({ cable }) => {
    cable.cut();
    await sleep(ms);
    cable.mend();
  };
}

/** What the lock guards: it refuses tokens below the greatest that it has seen. */
class Resource {
  #greatest = 0n;
  refused = 0;

  write(token) {
    if (token < this.#greatest) this.refused++;
    else this.#greatest = token;
  }
}

class Holder {
  token;
  told;
  #granted;

  constructor(url, options, resource) {
    const file = new URL('holder.mjs', import.meta.url);
    this.child = fork(file, [url, JSON.stringify(options)], { execArgv: [] });
    this.ended = once(this.child, 'exit');
    this.#granted = new Promise((resolve) => {
      this.child.on('message', ({ holds, told, write }) => {
        if (holds) resolve((this.token = BigInt(holds)));
        if (told) this.told ??= told;
        if (write) resource.write(BigInt(write));
      });
    });
  }

  get granted() {
    return Promise.race([
      this.#granted,
      this.ended.then(() => Promise.reject(new Error('the holder ended'))),
    ]);
  }

  async end() {
    if (this.child.connected) this.child.send('end');
    await this.ended;
  }
}

/** Asks for the lock until it has it, whatever happens to its session. */
class Waiter {
  #cluster;
  #options;
  #isOver = false;

  constructor(options) {
    this.#options = options;
  }

  async goTo(url) {
    const left = this.#cluster;
    while (!this.#isOver) {
      try {
        this.#cluster = await connect(url, this.#options);
        break;
      } catch {
        await sleep(10);
      }
    }
    await left?.close();
  }

  /** Resolves to when it had the lock. */
  async wait(resource) {
    while (!this.#isOver) {
      try {
        return await this.#cluster.locks.request('it', ({ token }) => {
          const at = now();
          resource.write(token);
          return { at, token };
        });
      } catch {
        await sleep(10);
      }
    }
    return undefined;
  }

  async isInLine() {
    while ((await this.#cluster.locks.query()).pending.length === 0);
  }

  async close() {
    this.#isOver = true;
    await this.#cluster.close();
  }
}

let namespaces = 0;

/** One fault, once. */
async function play(fault, server) {
  const options = { ttl, namespace: `faults ${++namespaces}`, ...fault.options };
  const resource = new Resource();
  const direct = new URL(server.url.split(',')[0]);
  const cable = await new BlackHole(Number(direct.port)).open();
  direct.port = String(cable.port);
  const url = fault.isReplicated ? server.url : direct.href;
  const holder = new Holder(url, options, resource);
  const waiter = new Waiter(options);
  try {
    await holder.granted;
    await waiter.goTo(server.url);
    const granted = waiter.wait(resource);
    await waiter.isInLine();
    const began = now();
    const acted = Promise.resolve(fault.act({ holder, server, cable, waiter }));
    // After so long nobody gets the lock any more because of the fault.
    const over = acted.then(() => sleep(2 * options.ttl));
    const found = await Promise.race([granted, over]);
    await acted;
    if (found === undefined) {
      await holder.end();
      const { token } = await granted;
      return { isKept: holder.told === undefined, told: holder.told, token, before: holder.token };
    }
    await holder.ended;
    const { at, token } = found;
    const { told, token: before } = holder;
    return { ms: at - began, granted: at, told, token, before, refused: resource.refused };
  } finally {
    holder.child.kill('SIGKILL');
    await waiter.close();
    cable.close();
  }
}

/** What was promised and did not come true. */
function broken(engine, fault, outcomes) {
  const found = [];
  const keeps = fault.keeps?.includes(engine) === true;
  for (const { isKept = false, granted, told, token, before } of outcomes) {
    if (token <= before) found.push(`token ${token} after ${before}`);
    if (isKept !== keeps) found.push(keeps ? 'the lock was lost' : 'the lock was kept');
    if (fault.isTold && !(told < granted)) found.push('told after the next grant');
  }
  return found.map((what) => `${engine}: ${fault.title}: ${what}`);
}

function rowOf(title, all) {
  const outcomes = all.filter(({ isKept }) => !isKept);
  if (outcomes.length === 0) return [title, 'keeps its lock', '', ''];
  const times = outcomes.map(({ ms }) => ms);
  const refused = outcomes.reduce((sum, one) => sum + one.refused, 0);
  const early = outcomes.filter(({ told, granted }) => told < granted).length;
  const isDead = outcomes.every(({ told }) => told === undefined);
  return [
    title,
    `${median(times).toFixed(0)} ms (${Math.max(...times).toFixed(0)})`,
    isDead ? 'it is dead' : `${early} of ${outcomes.length}`,
    refused === 0 ? 'none came' : `all ${refused}`,
  ];
}

async function playEngine(engine, times) {
  const { title, one, replicated, hasLiveness } = engines[engine];
  const rows = [];
  const wrong = [];
  const server = await one().start();
  try {
    for (const fault of faults) {
      if (fault.options?.liveness && !hasLiveness) continue;
      const outcomes = [];
      for (let time = 0; time < times; time++) {
        process.stderr.write(`${engine}: ${fault.title}, ${time + 1} of ${times}\n`);
        const own = fault.isReplicated ? await replicated().start() : server;
        try {
          outcomes.push(await play(fault, own));
        } finally {
          if (own !== server) await own.remove();
        }
      }
      wrong.push(...broken(engine, fault, outcomes));
      rows.push(rowOf(fault.title, outcomes));
    }
  } finally {
    await server.remove();
  }
  const head = [title, 'next grant', 'told before it', 'late writes refused'];
  console.log(`\n${markdownTable({ head, rows })}`);
  return wrong;
}

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: { times: { type: 'string', default: '5' } },
});
const times = Number(values.times);
const names = positionals.length > 0 ? positionals : Object.keys(engines);
if (!(times >= 1) || names.some((name) => !Object.hasOwn(engines, name))) {
  console.error(`usage: npm run faults [-- ${Object.keys(engines).join('|')} ...] [--times N]`);
  process.exit(2);
}
const { cpu, cores, kernel } = machine();
console.log(`${new Date().toISOString().slice(0, 10)}, ${cpu}, ${cores} cores, ${kernel}`);
console.log(
  `ttl ${ttl} ms, where the server dies ${3 * ttl} ms; ${times} times; median (greatest)`,
);
const wrong = [];
for (const name of names) wrong.push(...(await playEngine(name, times)));
for (const text of wrong) console.error(`BROKEN ${text}`);
process.exit(wrong.length === 0 ? 0 : 1);
