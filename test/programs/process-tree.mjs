// Processes and their children: which process starts which, waits for which, and ends with which.
// The first argument names the scenario.
import { setTimeout as sleep } from 'node:timers/promises';
import { Worker } from 'node:worker_threads';
import {
  activeChildren,
  cpuCount,
  currentProcess,
  getStartMethod,
  Lock,
  parentProcess,
  Process,
  Semaphore,
} from 'holdfast';
import { isMain, runScenario, say, slowly } from './process-program.mjs';

export { slowly };

export function facts() {
  const parent = parentProcess();
  say({
    ...currentProcess(),
    parent: parent && { name: parent.name, pid: parent.pid, alive: parent.alive() },
    argv: process.argv.slice(2),
    isMain: isMain(import.meta),
    method: getStartMethod(),
  });
}

export async function family() {
  facts();
  const children = [new Process(facts), new Process(facts, { name: 'Anna' }), new Process(facts)];
  for (const child of children) await child.start().join();
}

export function holder(lock) {
  lock.acquireSync();
  say(lock.inspect().owner);
  lock.release();
}

export async function holderInWorker(lock) {
  const code = `
    import('holdfast').then(({ attach, currentProcess }) => {
      const lock = attach(require('node:worker_threads').workerData);
      lock.acquireSync();
      const facts = JSON.stringify([lock.inspect().owner, currentProcess()]);
      require('node:fs').writeSync(1, facts + '\\n');
      lock.release();
    });`;
  const worker = new Worker(code, { eval: true, workerData: lock.toJSON() });
  await new Promise((resolve) => worker.once('exit', resolve));
}

export async function fertileDaemon() {
  try {
    new Process(facts).start();
  } catch (error) {
    say([error.code, error.message]);
  }
}

/**
 * Returns before its children end. The child must wait for one of them, and terminate the other
 * one.
 */
export function leavesChildren() {
  const slow = new Process(slowly, { args: [300, 'waited for'] }).start();
  const daemon = new Process(slowly, { args: [60_000], daemon: true }).start();
  say([slow.pid, daemon.pid]);
}

export async function staysOn(semaphore) {
  const parent = parentProcess();
  semaphore.release();
  while (parent.alive()) await sleep(10);
  await sleep(currentProcess().daemon ? 60_000 : 300);
  say(`${currentProcess().name} survived`);
}

/** Blocks its thread for good, so its event loop tells it nothing any more. */
export function blocks(semaphore) {
  semaphore.release();
  new Semaphore(0).acquireSync();
}

const scenarios = {
  async facts() {
    const child = new Process(facts);
    const before = [child.name, child.pid ?? null, child.exitCode, child.alive()];
    child.start();
    const during = [child.alive(), child.exitCode, activeChildren().includes(child)];
    const joined = await child.join();
    say({ pid: process.pid, child: child.pid, before, during });
    say([joined, child.exitCode, child.alive(), activeChildren().length]);
    say([currentProcess(), parentProcess(), cpuCount() >= 1]);
  },

  async family() {
    await new Process(family).start().join();
    await new Process(facts).start().join();
  },

  async owner() {
    const lock = new Lock();
    lock.acquireSync();
    say(lock.inspect().owner);
    lock.release();
    await new Process(holder, { args: [lock], name: 'Büro' }).start().join();
    await new Process(holderInWorker, { args: [lock] }).start().join();
    lock.close();
  },

  async daemonChildren() {
    await new Process(fertileDaemon, { daemon: true }).start().join();
  },

  /** Ends at once. The daemon must not keep it alive, and must not outlive it. */
  daemonLeft() {
    say(new Process(slowly, { args: [60_000], daemon: true }).start().pid);
  },

  daemonAtExit() {
    say(new Process(slowly, { args: [60_000], daemon: true }).start().pid);
    process.exit(3);
  },

  async daemonJoined() {
    const child = new Process(slowly, { args: [200, 'done'], daemon: true }).start();
    say([child.daemon, await child.join(), child.exitCode]);
  },

  /** Waits for a child that nobody joins. */
  awaited() {
    new Process(slowly, { args: [300, 'done'] }).start();
  },

  /** Waits for a SIGKILL from outside. */
  async killed() {
    const semaphore = new Semaphore(0);
    const options = { args: [semaphore] };
    new Process(staysOn, { ...options, daemon: true, name: 'daemon' }).start();
    new Process(staysOn, { ...options, name: 'child' }).start();
    new Process(blocks, { ...options, daemon: true }).start();
    await semaphore.acquire();
    await semaphore.acquire();
    await semaphore.acquire();
    say('ready');
    await sleep(60_000);
  },

  async grandchildren() {
    const child = new Process(leavesChildren).start();
    await child.join();
    say(child.exitCode);
  },
};

await runScenario(import.meta, scenarios);
