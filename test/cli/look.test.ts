// `holdfast ls`, `show`, `waits`, `rm`, `gc` and `doctor`.
import assert from 'node:assert/strict';
import { chmodSync } from 'node:fs';
import { BoundedSemaphore, JoinableQueue, Lock, LockManager, Queue, list } from 'holdfast';
import { checkRemoveIpc } from '../../lib/cli/doctor.js';
import { toDot } from '../../lib/observe/draw.js';
import {
  cli,
  cliFile,
  freshName,
  newActor,
  sharedActor,
  temporaryDirectory,
  track,
  until,
} from '../support/index.js';

interface Row {
  kind: string;
  name: string;
  inUse: boolean;
  bytes: number;
  state: {
    holders: { pid: number; processName: string; how: string }[];
    waiters: { pid: number }[];
    acquisitions: number;
    longestWait: number | null;
  };
  locks?: { name: string; holders: { pid: number }[]; waiters: { pid: number }[] }[];
}

async function rowOf(name: string): Promise<Row> {
  const { code, stdout } = await cli(['ls', '--json']);
  assert.equal(code, 0);
  const row = (JSON.parse(stdout) as Row[]).find((one) => one.name === name);
  assert.ok(row, `${name} is not listed`);
  return row;
}

describe('holdfast ls and show', function () {
  this.timeout(180_000); // many processes, one after the other
  it('holder, waiters and counters, as a table and as JSON', async () => {
    const lock = track(new Lock({ name: freshName('Lock') }));
    const guard = lock.acquireSync();
    const waiter = await (await newActor('process')).open('Lock', { name: lock.name });
    const wait = waiter.acquire({ signal: 'live' });
    await wait.started;
    const row = await rowOf(lock.name);
    assert.equal(row.kind, 'Lock');
    assert.equal(row.state.holders[0]!.pid, process.pid);
    assert.equal(row.state.waiters.length, 1);
    assert.equal(row.state.acquisitions, 1);
    assert.ok(row.bytes >= 4096);
    const { stdout } = await cli(['ls']);
    const line = stdout.split('\n').find((text) => text.includes(lock.name))!;
    assert.match(line, new RegExp(`^Lock +${lock.name} +${process.pid} MainProcess`));
    const shown = (await cli(['show', 'lock', lock.name])).stdout;
    assert.match(shown, new RegExp(`held by +${process.pid} MainProcess, exclusive`));
    assert.match(shown, /waiting +\d+ MainProcess, exclusive/);
    await wait.abort();
    await assert.rejects(wait);
    guard.release();
  });

  it('items of queues, and those that nobody can take yet; `top` shows them, too', async () => {
    const jobs = track(new JoinableQueue<number>({ name: freshName('JoinableQueue') }));
    await jobs.put(1);
    for (const item of [2, 3]) await jobs.put(item, { delay: 600_000 });
    const args = ['top', '--interval', '0.05', '--filter', jobs.name];
    for (const { stdout } of [await cli(['ls']), await cli(args)]) {
      const [head, ...rows] = stdout.split('\n').filter((line) => /^(KIND|JoinableQ)/.test(line));
      const row = rows.find((line) => line.includes(jobs.name))!;
      const shown = ['ITEMS', 'DELAYED'].map((column) => {
        const end = head!.indexOf(column) + column.length;
        return row.slice(0, end).match(/\S+$/)?.[0];
      });
      assert.deepEqual(shown, ['1', '2'], stdout);
    }
  });

  it('the names of a LockManager that are held, and by whom', async () => {
    const manager = track(new LockManager({ namespace: freshName('LockManager') }));
    const held = await manager.acquire('the printer');
    const { locks } = await rowOf(manager.namespace);
    assert.deepEqual(
      locks!.map(({ name, holders }) => ({ name, pids: holders.map(({ pid }) => pid) })),
      [{ name: 'the printer', pids: [process.pid] }],
    );
    held.release();
  });

  it('a name cannot steer the terminal', async () => {
    const lock = track(new Lock({ name: `${freshName('Lock')} \u001B[2J\u202E` }));
    const { stdout } = await cli(['ls']);
    assert.ok(!stdout.includes('\u001B') && !stdout.includes('\u202E'));
    assert.ok(stdout.includes('\\u001b[2J\\u202e'));
    lock.close();
  });

  it('neither can one in a message, nor in a graph for dot', async () => {
    const name = `${freshName('Lock')} \u009B2J\u202E`;
    const { stderr } = await cli(['get', name]);
    assert.ok(stderr.includes('\\u009b2J\\u202e'), stderr);
    const agent = { id: '1', pid: 1, threadId: 0, processName: 'a "quoted" \u001B\nname' };
    const resource = { id: name, kind: 'Lock', name, heldFor: null };
    const what = { resource, how: 'exclusive', count: 1, longestWait: null } as const;
    const waits = [{ ...what, waiter: agent, holders: [] }];
    const dot = toDot({ waits, suspicions: [] });
    for (const character of ['\u001B', '\u009B', '\u202E']) assert.ok(!dot.includes(character));
    assert.ok(dot.includes(String.raw`label="a \"quoted\" \\u001b\\u000aname\n1"`), dot);
  });

  it('show of what does not exist: 66; wrong arguments: 64', async () => {
    assert.equal((await cli(['show', 'Lock', freshName()])).code, 66);
    assert.equal((await cli(['show', 'Lock'])).code, 64);
    assert.equal((await cli(['ls', 'something'])).code, 64);
    assert.equal((await cli(['ls', '--yaml'])).code, 64);
  });
});

describe('holdfast waits', function () {
  this.timeout(180_000); // many processes, one after the other
  it('two that wait for each other come first, and the exit code is 1', async () => {
    const names = [freshName('Lock'), freshName('Lock')];
    const actors = [await newActor('process'), await newActor('process')];
    const locks = [];
    for (const actor of actors) {
      for (const name of names) locks.push(await actor.open('Lock', { name }));
    }
    const [a1, b1, a2, b2] = locks;
    await a1!.acquire();
    await b2!.acquire();
    const waits = [b1!.acquire({ signal: 'live' }), a2!.acquire({ signal: 'live' })];
    for (const wait of waits) await wait.started;
    const { code, stdout } = await cli(['waits']);
    assert.equal(code, 1, stdout);
    const [head, ...lines] = stdout.split('\n');
    assert.equal(head, 'possible deadlock:');
    const pids = actors.map(({ pid }) => pid);
    for (const i of [0, 1]) {
      assert.match(
        lines[i]!,
        /^ {2}(\d+) MainProcess waits for Lock .* \(exclusive.*\), held by (\d+) MainProcess/,
      );
      for (const pid of pids) assert.ok(lines[i]!.includes(String(pid)));
    }
    assert.match((await cli(['waits', '--dot'])).stdout, /^digraph waits \{[^]*color=red[^]*\}\n$/);
    const svg = (await cli(['waits', '--svg'])).stdout;
    assert.match(svg, /^<svg /);
    assert.equal(svg.match(/<g class="agent suspect"/g)?.length, 2);
    assert.equal(svg.match(/<g class="object suspect"/g)?.length, 2);
    await waits[0]!.abort();
    await assert.rejects(waits[0]!);
    const after = await cli(['waits']);
    assert.equal(after.code, 0, after.stdout);
    assert.ok(!after.stdout.includes('possible deadlock'));
    await waits[1]!.abort();
    await assert.rejects(waits[1]!);
  });

  it('readers do not wait for readers', async () => {
    const name = freshName('ReadWriteLock');
    const writer = await (await newActor('process')).open('ReadWriteLock', { name });
    const hold = await writer.begin('acquireExclusive');
    const reader = await (await sharedActor('process')).open('ReadWriteLock', { name });
    const wait = reader.begin('acquireShared');
    await wait.started;
    const graph = JSON.parse((await cli(['waits', '--json'])).stdout) as {
      waits: { resource: { name: string }; holders: { pid: number }[] }[];
    };
    const found = graph.waits.find(({ resource }) => resource.name === name);
    assert.equal(found!.holders.length, 1);
    await hold.release();
    await (await wait).release();
  });
});

describe('holdfast rm and gc', function () {
  this.timeout(180_000); // many processes, one after the other
  it('rm takes the name away; what is in use needs --force', async () => {
    const name = `${freshName('Lock')}\nin another line`;
    new Lock({ name, persistent: true }).close();
    assert.equal((await cli(['rm', 'lock', name])).code, 0);
    assert.ok(!list().some((one) => one.name === name));
    assert.equal((await cli(['rm', 'Lock', name])).code, 66);
    assert.equal((await cli(['rm', '--force', 'Lock', name])).code, 0);
    const used = track(new Lock({ name }));
    const { code, stderr } = await cli(['rm', 'Lock', name]);
    assert.equal(code, 1);
    assert.equal(
      stderr,
      `holdfast: rm: Lock ${JSON.stringify(name)} is in use; --force removes it\n`,
    );
    assert.ok(list().some((one) => one.name === name));
    assert.equal((await cli(['rm', '-f', 'Lock', name])).code, 0);
    assert.ok(!list().some((one) => one.name === used.name));
    assert.equal((await cli(['rm', 'Padlock', name])).code, 64);
  });

  it('gc leaves the news of a death and what is persistent; --abandoned removes the news', async () => {
    const name = freshName('Lock');
    const actor = await newActor('process');
    await (await actor.open('Lock', { name })).acquire();
    await actor.kill();
    const kept = freshName('Queue');
    new Queue({ name: kept, persistent: true }).close();
    const isThere = (one: string) => list().some((entry) => entry.name === one);
    assert.equal((await cli(['gc'])).code, 0);
    assert.ok(isThere(name));
    const dry = await cli(['gc', '--abandoned', '--dry-run']);
    assert.ok(dry.stdout.includes(`Lock ${name}\n`));
    assert.ok(isThere(name));
    await cli(['gc', '--abandoned']);
    assert.ok(!isThere(name));
    assert.ok(isThere(kept));
    await cli(['rm', 'Queue', kept]);
  });
});

describe('holdfast doctor', function () {
  this.timeout(180_000); // many processes, one after the other
  it('a directory as it should be: 0', async () => {
    const semaphore = track(new BoundedSemaphore(1, { name: freshName('BoundedSemaphore') }));
    const { code, stdout } = await cli(['doctor']);
    assert.equal(code, 0, stdout);
    assert.match(stdout, /^ok +directory .*: owner and mode are right$/m);
    assert.match(stdout, /^(ok|hint|problem) +space in /m);
    semaphore.close();
  });

  it('a directory that others may enter: 1, and the command that mends it', async () => {
    const directory = temporaryDirectory();
    chmodSync(directory, 0o755);
    const { code, stdout } = await cli(['doctor'], { env: { HOLDFAST_DIR: directory } });
    assert.equal(code, 1);
    assert.match(stdout, /^problem .* has mode 755/m);
    assert.ok(stdout.includes(`-> chmod 700 ${directory}`));
    const found = await cli(['doctor', '--json'], { env: { HOLDFAST_DIR: directory } });
    const findings = JSON.parse(found.stdout) as { level: string }[];
    assert.ok(findings.some(({ level }) => level === 'problem'));
  });

  it('a directory that cannot be made: 1, and why', async () => {
    for (const where of [
      '/nonexistent/for/holdfast',
      `${cliFile}/holdfast`,
      `${cliFile}/for/holdfast`,
    ]) {
      const { code, stdout } = await cli(['doctor'], { env: { HOLDFAST_DIR: where } });
      assert.equal(code, 1);
      assert.match(stdout, /^problem .* cannot be made: there is no directory \//m);
    }
  });

  it('locks that dead holders left', async () => {
    const name = freshName('Lock');
    const actor = await newActor('process');
    await (await actor.open('Lock', { name })).acquire();
    await actor.kill();
    const shown = async () => (await cli(['doctor'])).stdout;
    await until(async () => (await shown()).includes(`Lock ${name}`), 'the lock among the hints');
  });

  it('RemoveIPC of systemd', () => {
    const there = '/dev/shm/holdfast-1000';
    assert.equal(checkRemoveIpc(there, 1000, true, '')?.level, 'hint');
    assert.equal(checkRemoveIpc(there, 1000, true, '#RemoveIPC=no\n')?.level, 'hint');
    assert.equal(checkRemoveIpc(there, 1000, true, 'RemoveIPC=yes\nRemoveIPC=no\n')?.level, 'ok');
    assert.equal(checkRemoveIpc(there, 1000, false, ''), undefined);
    assert.equal(checkRemoveIpc(there, 999, true, ''), undefined);
    assert.equal(checkRemoveIpc('/var/lib/holdfast', 1000, true, ''), undefined);
  });
});
