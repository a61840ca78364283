// Drives the fuzzer (scripts/fuzz.mjs). It starts players in rounds and writes into the files that
// they use. It checks that each player still works, and that everything else is unchanged.
import { existsSync, mkdirSync, readFileSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import * as hf from 'holdfast';
import { random } from '../programs/random.mjs';
import { semaphorePrefix } from '../programs/semaphore-name.mjs';
import { newProcess } from '../support/actors.ts';
import { endWith } from '../support/verdict.ts';
import { Mutator, names } from './mutator.mjs';

const { minutes, seed, platform, sanitize, sandbox } = JSON.parse(process.argv[2]);

/** An operation may wait for 10 s for what a stopped process has; twice that is a hang. */
const watchdog_ms = 25_000;
const players = 3;

const { below } = random(seed);
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
      !existsSync(`/dev/shm/sem.${control.lock.posixName.slice(1)}`));
  if (wrong) violations.push(`the control objects have changed: ${JSON.stringify(state)}`);
}

const canary = Buffer.alloc(4096, 0xc5);
const running = new Set();

async function start(index, directory) {
  const beat = path.join(sandbox, `beat.${index}`);
  writeFileSync(beat, Buffer.alloc(8));
  const seed = below(2 ** 31);
  const actor = await newProcess({
    acts: import.meta.resolve('./player.mjs'),
    env: { HOLDFAST_DIR: directory },
  });
  const player = { index, actor, beat, seen: 0, at: performance.now(), hung: false };
  running.add(player);
  const game = actor.startAct('play', { seed, index, beat, names });
  player.ended = (async () => {
    const what = `player ${index} of round ${total.rounds}`;
    try {
      const count = await game;
      total.operations += count.operations;
      for (const [name, n] of Object.entries(count.errors)) {
        total.errors[name] = (total.errors[name] ?? 0) + n;
      }
      void actor.exit();
    } catch (error) {
      if (!player.hung) violations.push(`${what}: ${error.stack}`);
      await actor.kill();
    }
    const { code, signal } = await actor.ended;
    running.delete(player);
    if (player.hung) return;
    if (code !== 0 || actor.lastWords !== '') {
      violations.push(`${what} ended with ${signal ?? code}\n${actor.lastWords}`);
    }
  })();
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
      player.actor.signal('SIGKILL');
    }
  }
}

/** Removes the semaphores that a round left. Their names begin with the prefix of the directory. */
function removeSemaphores(directory) {
  if (!existsSync('/dev/shm')) return;
  const prefix = `sem.${semaphorePrefix(directory)}`;
  const left = readdirSync('/dev/shm').filter((name) => name.startsWith(prefix));
  for (const name of left) rmSync(`/dev/shm/${name}`, { force: true });
}

async function round() {
  total.rounds++;
  const directory = path.join(sandbox, `round.${total.rounds}`);
  mkdirSync(directory, { mode: 0o700 });
  const beside = ['canary', 'objectcanary', 'bellcanary'].map((name) => path.join(directory, name));
  for (const file of beside) writeFileSync(file, canary);
  const mutator = new Mutator(directory, platform, below);
  await Promise.all(Array.from({ length: players }, (_, index) => start(index, directory)));

  while (running.size > 0 && !existsSync(path.join(directory, 'registry'))) await sleep(5);
  // Some rounds are damaged at once and others hardly at all, so that broken objects meet whole
  // ones.
  const pause_ms = [1, 10, 40][below(3)];
  const burst = 1 + below(20);
  const end = performance.now() + 1500 + below(2500);
  while (performance.now() < end && running.size === players && !stopping) {
    for (let i = 0; i < burst; i++) mutator.mutate();
    await sleep(pause_ms);
    checkBeats();
  }
  for (const { actor } of running) actor.startAct('stop');
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

console.log(
  `fuzzing for ${minutes} min on ${platform}${sanitize ? ', sanitized' : ''}, --seed ${seed}`,
);
const deadline = performance.now() + minutes * 60_000;
while (performance.now() < deadline && violations.length === 0 && !stopping) await round();
controlGuard.release();
for (const it of [control.lock, control.queue, control.memory]) it.close();
for (let index = 0; index < players; index++)
  rmSync(path.join(sandbox, `beat.${index}`), { force: true });

endWith({ seed, ...total }, violations);
