// `holdfast run A -- holdfast run B -- command`: deadlocks that lead through commands.
import assert from 'node:assert/strict';
import { setTimeout as sleep } from 'node:timers/promises';
import { BoundedSemaphore, Lock, ReadWriteLock } from 'holdfast';
import {
  type Outcome,
  type Program,
  cli,
  cliFile,
  freshName,
  programFile,
  startCli,
  track,
  until,
} from '../support/index.js';

const env = { NODE: process.execPath, CLI: cliFile, ACQUIRE: programFile('acquire-sync.mjs') };
/** The process becomes `holdfast run`, as it does if the command is that. */
const becomeRun = 'exec "$NODE" "$CLI" run';

/** Holds something, and runs a line of shell when its standard input ends. */
async function holding(target: readonly string[], script: string): Promise<Program> {
  const command = ['sh', '-c', `echo in; read x; ${script}`];
  const program = startCli(['run', ...target, '--', ...command], { env });
  await program.line('in');
  return program;
}

type Wanted = Lock | BoundedSemaphore | ReadWriteLock;

function isWaitedFor(wanted: Wanted): boolean {
  const state = wanted.inspect();
  return ('waiters' in state ? state.waiters : state.waitingWriters) > 0;
}

/** Each goes on when the one before it waits. So the wait of the last one is the youngest. */
async function meet(...programs: readonly [Program, Wanted][]): Promise<void> {
  for (const [program, wanted] of programs) {
    program.closeInput();
    await until(() => isWaitedFor(wanted), 'a wait');
    await sleep(50);
  }
}

function assertRan({ code, stdout, stderr }: Outcome): void {
  assert.deepEqual({ code, stdout }, { code: 0, stdout: 'in\ninside\n' }, stderr);
}

function assertDeadlock({ code, stdout, stderr }: Outcome): void {
  assert.deepEqual({ code, stdout }, { code: 70, stdout: 'in\n' }, stderr);
  assert.match(
    stderr,
    /^holdfast: run: \w+ ".+": a deadlock: .* waits for Command "\w+", held by /,
  );
}

const newLock = () => track(new Lock({ name: freshName() }));

describe('holdfast run in the command of another one', function () {
  this.timeout(60_000);

  it('two that want what the other one holds: the youngest ends, the other goes on', async () => {
    const [a, b, c] = [newLock(), newLock(), newLock()];
    const own = await holding([c.name], `${becomeRun} "${c.name}" echo inside`);
    own.closeInput();
    const first = await holding([a.name], `${becomeRun} "${b.name}" echo inside`);
    const last = await holding([b.name], `${becomeRun} -w 50 "${a.name}" echo inside`);
    await meet([first, b], [last, a]);
    assertDeadlock(await last.outcome());
    assertRan(await first.outcome());
    assertDeadlock(await own.outcome()); // it wanted what it held itself
  });

  it('through two commands, a shared hold and a permit', async () => {
    const a = track(new ReadWriteLock({ name: freshName() }));
    const b = track(new BoundedSemaphore(1, { name: freshName() }));
    const c = newLock();
    const nested = `${becomeRun} "${c.name}" sh -c '${becomeRun} "${b.name}" echo inside'`;
    const first = await holding(['--shared', a.name], nested);
    const last = await holding([b.name], `${becomeRun} "${a.name}" echo inside`);
    await meet([first, b], [last, a]);
    assertDeadlock(await last.outcome());
    assertRan(await first.outcome());
  });

  it('a program of Node whose main thread is blocked', async () => {
    const [a, b] = [newLock(), newLock()];
    const first = await holding([a.name], `${becomeRun} "${b.name}" echo inside`);
    const last = await holding([b.name], `exec "$NODE" "$ACQUIRE" "${a.name}"`);
    await meet([first, b], [last, a]);
    assert.deepEqual((await last.outcome()).said, ['in', 'ERR_HOLDFAST_DEADLOCK']);
    assertRan(await first.outcome());
  });

  it('nobody ends if a shell may go on without it, or if a holder was killed', async () => {
    const [a, b, c, d] = [newLock(), newLock(), newLock(), newLock()];
    // `exit` keeps the shell from becoming what it runs last.
    const behind = (lock: Lock) => `"$NODE" "$CLI" run "${lock.name}" echo inside; exit`;
    const shells = [await holding([a.name], behind(b)), await holding([b.name], behind(a))];
    const killed = await holding([c.name], `${becomeRun} "${d.name}" echo inside`);
    const other = await holding([d.name], `${becomeRun} "${c.name}" echo inside`);
    await meet([shells[0]!, b], [shells[1]!, a], [killed, d]);
    killed.signal('SIGKILL');
    await meet([other, c]);

    const look = async () => (await cli(['waits'])).stdout;
    let shown = '';
    const isShown = async () => (shown = await look()).startsWith('possible deadlock:\n');
    await until(isShown, 'a possible deadlock in the output of waits');
    for (const { name } of [a, b]) assert.match(shown, new RegExp(`waits for Lock ${name} `));
    assert.match(shown, /waits for Command sh .*, held by \d+ run echo\n/);
    await sleep(1500); // a deadlock would have been found
    for (const lock of [a, b, c, d]) assert.ok(isWaitedFor(lock), lock.name);

    shells[0]!.signal('SIGTERM');
    other.signal('SIGTERM');
    const codes = await Promise.all(
      [...shells, other].map(async (one) => (await one.outcome()).code),
    );
    assert.deepEqual(codes, [143, 0, 143]);
    await killed.line('inside');
  });
});
