// Two processes contend for one named Lock. One of them is killed with SIGKILL while it holds the lock,
// in the middle of a change that should have been whole. The other carries on, and is told.
import { type ChildProcess, fork } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { Lock } from 'holdfast';

// An account a line. A transfer changes two lines, one after the other.
const read = (file: string): Record<string, number> =>
  Object.fromEntries(
    readFileSync(file, 'utf8')
      .trim()
      .split('\n')
      .map((line) => line.split(' '))
      .map(([who, money]) => [who, Number(money)]),
  );
const write = (file: string, accounts: Record<string, number>) =>
  writeFileSync(
    file,
    Object.entries(accounts)
      .map((entry) => `${entry.join(' ')}\n`)
      .join(''),
  );

async function child(who: string, lockName: string, file: string): Promise<void> {
  const say = (text: string) => console.log(`${who}: ${text}`);
  using lock = new Lock({ name: lockName });
  const [order] = await once(process, 'message');
  if (lock.locked()) say('the lock is held; I wait');
  process.send!('acquiring');

  await lock.runExclusive(async ({ abandoned }) => {
    say(`I have the lock; ${abandoned ? 'its last holder DIED holding it' : 'nobody died'}`);
    const accounts = read(file);
    if (abandoned) {
      say(`Ann ${accounts['Ann']}, Bob ${accounts['Bob']}: 200 in all it should be; I repair that`);
      accounts['Ann'] = 200 - accounts['Bob']!;
    }
    accounts['Ann']! -= 30;
    write(file, accounts);
    say('I have taken 30 from Ann; Bob does not have them yet');
    process.send!('halfway');
    if (order === 'stop halfway') await new Promise((resolve) => setTimeout(resolve, 2 ** 31 - 1));
    accounts['Bob']! += 30;
    write(file, accounts);
    say('Bob has them');
  });
  process.disconnect();
}

async function parent(): Promise<void> {
  const directory = mkdtempSync(path.join(tmpdir(), 'holdfast-demo-'));
  const file = path.join(directory, 'accounts.txt');
  const lockName = `demo-${process.pid}`;
  write(file, { Ann: 100, Bob: 100 });
  const start = (who: string) => fork(import.meta.filename, [who, lockName, file]);
  const said = async (from: ChildProcess, text: string) => {
    for (;;) if ((await once(from, 'message'))[0] === text) return;
  };

  const ann = start('Ann');
  const bob = start('Bob');
  ann.send('stop halfway');
  await said(ann, 'halfway');
  bob.send('go on');
  await said(bob, 'acquiring');
  console.log(`parent: I kill Ann (pid ${ann.pid}) with SIGKILL; no handler of hers runs`);
  const killed = performance.now();
  ann.kill('SIGKILL');
  await said(bob, 'halfway');
  console.log(
    `parent: Bob had the lock ${(performance.now() - killed).toFixed(0)} ms after the kill`,
  );
  await once(bob, 'exit');
  const { Ann, Bob } = read(file);
  console.log(`parent: Ann ${Ann}, Bob ${Bob}: ${Ann! + Bob!} in all`);
  rmSync(directory, { recursive: true });
}

const [who, lockName, file] = process.argv.slice(2);
if (who && lockName && file) await child(who, lockName, file);
else await parent();
