// A child is killed with SIGKILL while it holds the Lock, in the middle of a change of two steps.
// The other child gets the lock, and its guard says that the last holder died.
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { Lock, Process, Semaphore, currentProcess, parentProcess } from 'holdfast';
import { say } from './say.js';

interface Accounts {
  ann: number;
  bob: number;
}
const read = (file: string) => JSON.parse(readFileSync(file, 'utf8')) as Accounts;
const write = (file: string, accounts: Accounts) => writeFileSync(file, JSON.stringify(accounts));

/** Moves 30 from Ann to Bob, in two steps; stops for ever between them if told so. */
export async function transfer(file: string, lock: Lock, halfway: Semaphore, stop: boolean) {
  const { name } = currentProcess();
  using guard = await lock.acquire();
  const accounts = read(file);
  if (guard.abandoned) {
    say(`${name}: I have the lock, and am told that its last holder DIED while holding it`);
    say(`${name}: Ann ${accounts.ann} and Bob ${accounts.bob} should make 200; I repair that`);
    accounts.ann = 200 - accounts.bob;
  } else {
    say(`${name}: I have the lock, and nobody died`);
  }
  accounts.ann -= 30;
  write(file, accounts);
  say(`${name}: I have taken 30 from Ann; Bob does not have them yet`);
  halfway.release();
  if (stop) await sleep(2 ** 31 - 1);
  accounts.bob += 30;
  write(file, accounts);
  say(`${name}: Bob has them`);
}

if (parentProcess() === null) {
  const directory = mkdtempSync(path.join(tmpdir(), 'holdfast-demo-'));
  const file = path.join(directory, 'accounts.json');
  write(file, { ann: 100, bob: 100 });
  using lock = new Lock();
  using halfway = new Semaphore(0);

  const first = new Process(transfer, { args: [file, lock, halfway, true] }).start();
  await halfway.acquire();
  const second = new Process(transfer, { args: [file, lock, halfway, false] }).start();
  while (lock.inspect().waiters === 0) await sleep(5);

  say(
    `parent: ${second.name} waits; I kill ${first.name} with SIGKILL, no handler of its own runs`,
  );
  const killed = performance.now();
  first.kill();
  await halfway.acquire();
  say(`parent: ${second.name} had the lock ${(performance.now() - killed).toFixed(0)} ms later`);
  await second.join();
  await first.join();
  const { ann, bob } = read(file);
  say(
    `parent: ${first.name} ended with ${first.exitCode}; Ann ${ann}, Bob ${bob}: ${ann + bob} in all`,
  );
  rmSync(directory, { recursive: true });
}
