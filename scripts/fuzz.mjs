// The corruption fuzzer: processes do operations on one object of every kind while somebody writes random
// bytes into the files of these objects and into the registry. Whatever an operation then comes to is right
// as long as it is a result or a typed error. A crash, a hang, a loop without an end or a write elsewhere
// is not.
//
//   npm run fuzz -- --minutes 10 --seed 7    (--platform=posix: the other half of the code;
//                                             --sanitize: under address and undefined sanitizers)
//
// Not tried, because nothing is promised there:
//
// - The bytes of a pthread mutex (the linux platform: in an RLock, and the guard of a Queue and a Barrier).
//   The C library keeps there the links of each thread's list of robust mutexes and follows them. On the
//   posix platform the mutex is one word, which is tried.
// - A file that is cut shorter: who has it mapped gets SIGBUS, as everywhere.
// - The POSIX semaphores, which are the C library's as well.
//
// Seeded: the same seed makes the same choices; when they meet what is the machine's. Its last line is
// `N passed, N failed`.
import { fork } from 'node:child_process';
import { createHash } from 'node:crypto';
import {
  closeSync,
  existsSync,
  fstatSync,
  mkdirSync,
  openSync,
  readFileSync,
  readSync,
  readdirSync,
  rmSync,
  writeFileSync,
  writeSync,
} from 'node:fs';
import { once } from 'node:events';
import path from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { parseArgs } from 'node:util';
import { buildAddon, sanitizerEnvironment } from './build.mjs';
import { die, root, say } from './common.mjs';
import { Sandbox } from './sandbox.mjs';
import { hostPlatform } from './sources.mjs';
import { random } from '../test/soak/layout.mjs';

const { values } = parseArgs({
  options: {
    minutes: { type: 'string', default: '1' },
    seed: { type: 'string', default: String(Date.now() % 2 ** 31) },
    platform: { type: 'string', default: hostPlatform },
    sanitize: { type: 'boolean', default: false },
  },
});
const minutes = Number(values.minutes);
const seed = Number(values.seed);
if (!(minutes > 0)) die('--minutes is a number above 0');
if (!Number.isInteger(seed)) die('--seed is a whole number');

/** An operation may wait for 10 s for what a stopped process has; twice that is a hang. */
const watchdog_ms = 25_000;
const players = 3;

// The driver is a child of this script, as in soak.mjs: afterwards nobody is left, and nothing may be.
if (process.env.HOLDFAST_FUZZ === undefined) {
  const sandbox = new Sandbox();
  try {
    const env = { ...process.env, HOLDFAST_DIR: path.join(sandbox.directory, 'control') };
    if (values.platform !== hostPlatform || values.sanitize) {
      const sanitize = values.sanitize ? 'address,undefined' : '';
      env.HOLDFAST_NATIVE = await buildAddon({ platform: values.platform, sanitize });
    }
    mkdirSync(env.HOLDFAST_DIR, { mode: 0o700 });
    env.HOLDFAST_FUZZ = sandbox.directory;
    if (values.sanitize) Object.assign(env, sanitizerEnvironment());
    const args = [...process.argv.slice(2), `--seed=${seed}`];
    const driver = fork(import.meta.filename, args, { cwd: root, env });
    for (const signal of ['SIGINT', 'SIGTERM']) process.on(signal, () => driver.kill(signal));
    const [code] = await once(driver, 'exit');
    rmSync(env.HOLDFAST_DIR, { recursive: true, force: true });
    const left = await sandbox.leftovers(-1);
    for (const entry of left) console.error(`VIOLATION left behind: ${entry}`);
    const failed = Number(code !== 0) + Number(left.length > 0);
    console.log(`${2 - failed} passed, ${failed} failed`);
    process.exitCode = failed === 0 ? 0 : 1;
  } finally {
    sandbox.remove();
  }
  process.exit();
}

// ---------------------------------------------------------------- where to write

const kinds = [
  'Lock',
  'RLock',
  'Semaphore',
  'BoundedSemaphore',
  'ReadWriteLock',
  'Condition',
  'Event',
  'Barrier',
  'Queue',
  'JoinableQueue',
  'SharedMemory',
];
const names = Object.fromEntries(kinds.map((kind) => [kind, `the ${kind}`]));
const kindOf = new Map(
  kinds.map((kind) => [
    `object.${createHash('sha256').update(names[kind]).digest('hex').slice(0, 26)}`,
    kind,
  ]),
);
const headerLength = 512;
const mutexLength = values.platform === 'linux' ? 40 : 0; // sizeof(pthread_mutex_t); 0: try it, too
/** Where native/core/layout.h has a mutex: see native/test/layout_test.cc. */
const mutexAt = { RLock: 560, Queue: 704, JoinableQueue: 704, Barrier: 576 };
if (
  mutexLength > 0 &&
  (process.arch !== 'x64' || !process.report.getReport().header.glibcVersionRuntime)
) {
  die('where the mutexes are is known for glibc on x64 only; --platform=posix has none');
}

const words = [
  0n,
  1n,
  2n,
  7n,
  8n,
  0xffn,
  0x8000n,
  0xffffn,
  0x10000n,
  0x20000n,
  0x40000n,
  0x7fffffffn,
  0x80000000n,
  0xffffffffn,
  0x100000000n,
  (1n << 40n) - 1n,
  1n << 40n,
  1n << 53n,
  1n << 62n,
  1n << 63n,
  (1n << 64n) - 1n,
  (1n << 64n) - 2n,
];

class Mutator {
  writes = 0;
  constructor(directory, below) {
    this.directory = directory;
    this.below = below;
  }

  /** One write into one file, within its length and outside of what is excluded. */
  mutate() {
    const { below } = this;
    const files = readdirSync(this.directory).filter((name) => kindOf.has(name));
    // The registry is everybody's; wrecked, nothing else happens any more.
    const name = files.length === 0 || below(25) === 0 ? 'registry' : files[below(files.length)];
    let fd;
    try {
      fd = openSync(path.join(this.directory, name), 'r+');
    } catch {
      return; // it went between the two looks
    }
    try {
      this.#write(fd, name, fstatSync(fd).size);
    } finally {
      closeSync(fd);
    }
  }

  #write(fd, name, length) {
    const { below } = this;
    if (length < headerLength + 64) return; // half-made
    const bytes = Buffer.alloc(8);
    const how = below(10);
    const at = this.#place(name, length) & (how < 3 ? ~0 : ~7);
    let size = 8;
    readSync(fd, bytes, 0, 8, at);
    if (how < 2) {
      size = 1;
      bytes[0] ^= 1 << below(8);
    } else if (how < 3) {
      size = 1;
      bytes[0] = below(256);
    } else if (how < 4) {
      size = 4;
      bytes.writeUInt32LE(below(2 ** 32));
    } else if (how < 5) {
      for (let i = 0; i < 8; i++) bytes[i] = below(256);
    } else if (how < 7) {
      bytes.writeBigUInt64LE(words[below(words.length)]);
    } else if (how < 8) {
      // A little more or less than what is there.
      bytes.writeBigUInt64LE(BigInt.asUintN(64, bytes.readBigUInt64LE() + BigInt(below(17) - 8)));
    } else if (how < 9) {
      readSync(fd, bytes, 0, 8, this.#place(name, length) & ~7); // another word of the same file
    } else {
      this.#livingAgent(bytes);
    }
    const mutex = kindOf.has(name) ? mutexAt[kindOf.get(name)] : undefined;
    if (mutex !== undefined && at + size > mutex && at < mutex + mutexLength) return;
    if (at + size > length) return;
    writeSync(fd, bytes, 0, size, at);
    this.writes++;
  }

  #place(name, length) {
    const { below } = this;
    const choice = below(10);
    if (name === 'registry') {
      return choice === 0
        ? below(headerLength + 64)
        : headerLength + 64 + below(64 * (choice < 8 ? 8 : 4096));
    }
    if (choice === 0) return below(headerLength);
    if (choice < 4) return headerLength + below(320); // the words of the body
    if (choice < 7) return headerLength + below(4096 - headerLength);
    if (choice < 9 && length > 4096) return 4096 + below(Math.min(length - 4096, 4096)); // table, ring
    return below(length);
  }

  #livingAgent(bytes) {
    try {
      const registry = readFileSync(path.join(this.directory, 'registry'));
      registry.copy(bytes, 0, headerLength + 64 + 64 * this.below(4));
    } catch {
      // There is none.
    }
  }
}

// ---------------------------------------------------------------- one round

const hf = await import('../lib/index.js');
const sandbox = process.env.HOLDFAST_FUZZ;
const below = random(seed);
const violations = [];
const total = { rounds: 0, writes: 0, operations: 0, errors: {} };

/** In a directory of its own, which nobody else may touch. */
const control = {
  lock: new hf.Lock({ name: 'control' }),
  queue: new hf.Queue({ name: 'control queue' }),
  memory: new hf.SharedMemory(65536, { name: 'control memory' }),
  rounds: 0,
};
new Uint8Array(control.memory.buffer).fill(0x5a);
const controlGuard = control.lock.acquireSync();
control.queue.putSync('control');

function checkControl() {
  control.rounds++;
  const state = control.lock.inspect();
  const wrong =
    state.acquisitions !== 1 ||
    state.owner?.pid !== process.pid ||
    control.lock.tryAcquire() !== null ||
    control.queue.size() !== 1 ||
    control.queue.inspect().puts !== 1 ||
    new Uint8Array(control.memory.buffer).some((byte) => byte !== 0x5a) ||
    hf.list().length !== 3 ||
    (process.platform === 'linux' &&
      !existsSync(`/dev/shm/sem.${control.lock.native.posixName.slice(1)}`));
  if (wrong) violations.push(`the control objects have changed: ${JSON.stringify(state)}`);
}

const canary = Buffer.alloc(4096, 0xc5);
const running = new Set();

function start(index, directory) {
  const player = {
    index,
    beat: path.join(sandbox, `beat.${index}`),
    seen: 0,
    at: performance.now(),
  };
  writeFileSync(player.beat, Buffer.alloc(8));
  const plan = { seed: below(2 ** 31), index, beat: player.beat, names };
  player.child = fork(path.join(root, 'test/fuzz/player.mjs'), [JSON.stringify(plan)], {
    cwd: root,
    env: { ...process.env, HOLDFAST_DIR: directory },
    stdio: ['ignore', 'inherit', 'pipe', 'ipc'],
  });
  player.errors = '';
  player.child.stderr.setEncoding('utf8').on('data', (text) => (player.errors += text));
  player.child.on('error', () => {});
  player.child.on('message', (count) => {
    total.operations += count.operations;
    for (const [name, n] of Object.entries(count.errors)) {
      total.errors[name] = (total.errors[name] ?? 0) + n;
    }
  });
  running.add(player);
  player.ended = once(player.child, 'close').then(([code, signal]) => {
    running.delete(player);
    if (player.hung) return;
    if (code !== 0 || player.errors !== '') {
      violations.push(
        `player ${index} of round ${total.rounds} ended with ${signal ?? code}\n${player.errors}`,
      );
    }
  });
}

function checkBeats() {
  for (const player of running) {
    const now = readFileSync(player.beat).readDoubleLE();
    if (now !== player.seen) {
      player.seen = now;
      player.at = performance.now();
    } else if (performance.now() - player.at > watchdog_ms) {
      violations.push(
        `player ${player.index} of round ${total.rounds} hangs after operation ${now}`,
      );
      player.hung = true;
      player.child.kill('SIGKILL');
    }
  }
}

/**
 * What a round leaves is taken away by the name that its user, directory and name make (semaphoreKey in
 * src/objects/shared.ts): its file tells that no more. A nameless object's file is not written to, and does.
 */
function removeSemaphores(directory) {
  if (!existsSync('/dev/shm')) return;
  const left = kinds.map((kind) => {
    const parts = [String(process.geteuid()), directory, names[kind]];
    return `hf-${createHash('sha256').update(parts.join('\0')).digest('hex').slice(0, 26)}`;
  });
  for (const name of readdirSync(directory)) {
    if (!name.startsWith('object.') || kindOf.has(name)) continue;
    const text = readFileSync(path.join(directory, name)).toString('latin1', 64, 96);
    left.push(...(/^\/(hf-[0-9a-f]{26})/.exec(text)?.slice(1) ?? []));
  }
  for (const name of left) rmSync(`/dev/shm/sem.${name}`, { force: true });
}

async function round() {
  total.rounds++;
  const directory = path.join(sandbox, `round.${total.rounds}`);
  mkdirSync(directory, { mode: 0o700 });
  const beside = ['canary', 'objectcanary', 'bellcanary'].map((name) => path.join(directory, name));
  for (const file of beside) writeFileSync(file, canary);
  const mutator = new Mutator(directory, below);
  for (let index = 0; index < players; index++) start(index, directory);

  while (running.size > 0 && !existsSync(path.join(directory, 'registry'))) await sleep(5);
  // Some rounds are wrecked at once, others hardly touched, so that what is broken meets what is not.
  const pause_ms = [1, 10, 40][below(3)];
  const burst = 1 + below(20);
  const end = performance.now() + 1500 + below(2500);
  while (performance.now() < end && running.size === players && !stopping) {
    for (let i = 0; i < burst; i++) mutator.mutate();
    await sleep(pause_ms);
    checkBeats();
  }
  for (const { child } of running) if (child.connected) child.send('stop', () => {});
  while (running.size > 0) {
    await Promise.race([sleep(200), ...[...running].map((player) => player.ended)]);
    checkBeats();
  }
  total.writes += mutator.writes;
  checkControl();
  for (const file of beside) {
    if (!existsSync(file) || !readFileSync(file).equals(canary))
      violations.push(`${file} has changed`);
  }
  removeSemaphores(directory);
  rmSync(directory, { recursive: true, force: true });
}

let stopping = false;
for (const signal of ['SIGINT', 'SIGTERM']) process.once(signal, () => (stopping = true));

say(
  `fuzzing for ${minutes} min on ${values.platform}${values.sanitize ? ', sanitized' : ''}, --seed ${seed}`,
);
const deadline = performance.now() + minutes * 60_000;
while (performance.now() < deadline && violations.length === 0 && !stopping) await round();
controlGuard.release();
for (const it of [control.lock, control.queue, control.memory]) it.close();
for (let index = 0; index < players; index++)
  rmSync(path.join(sandbox, `beat.${index}`), { force: true });

console.log(JSON.stringify({ seed, ...total }));
for (const text of violations.slice(0, 20)) console.error(`VIOLATION ${text}`);
process.exit(violations.length === 0 ? 0 : 1);
