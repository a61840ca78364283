// Who holds an RLock, and what each call does then: the tables in src/holds/recursive.ts, row by
// row.
import assert from 'node:assert/strict';
import { setImmediate as turn } from 'node:timers/promises';
import { type Guard, RLock, type RLockOptions, type RLockScope } from 'holdfast';
import { freshName, newActor, sharedActor, track } from '../../support/index.js';
import { outside } from './tasks.js';

const callNames = [
  'acquire()',
  'runExclusive()',
  'acquireSync()',
  'acquireSync({ timeout })',
  'tryAcquire()',
  'release()',
  'depth()',
] as const;
type CallName = (typeof callNames)[number];

/**
 * What an acquisition did, judged by the depth that each side sees. `before` is the depth of the
 * caller before the call.
 */
function outcomeOf(lock: RLock, before: number): string {
  const [here, there] = [lock.depth(), outside(() => lock.depth())];
  if (before > 0) return here === before + 1 ? 'one deeper' : `from ${before} to ${here}`;
  if (here === 1) return there === 1 ? 'the thread holds' : 'the task holds';
  return here === 0 && lock.locked() ? 'the guard holds' : `depth ${here}`;
}

function plainCall(lock: RLock, acquire: () => Guard | null): string {
  const before = lock.depth();
  try {
    const guard = acquire();
    if (guard === null) return 'null';
    const outcome = outcomeOf(lock, before);
    guard.release();
    assert.equal(lock.depth(), before);
    return guard.abandoned ? `abandoned: ${outcome}` : outcome;
  } catch (error) {
    return (error as Error).name;
  }
}

/** `start` calls its second argument where the lock is held. */
async function awaitedCall(
  lock: RLock,
  start: (signal: AbortSignal, inside: (guard: Guard) => void) => Promise<void>,
): Promise<string> {
  const before = lock.depth();
  const controller = new AbortController();
  let outcome = 'waits';
  const call = start(controller.signal, (guard) => {
    outcome = outcomeOf(lock, before);
    if (guard.abandoned) outcome = `abandoned: ${outcome}`;
  });
  for (let turns = 0; turns < 5 && outcome === 'waits'; turns++) await turn();
  controller.abort();
  await call.catch((error: Error) => assert.equal(error.name, 'AbortError'));
  assert.equal(lock.depth(), before);
  return outcome;
}

/** Makes the call, releases what it acquired, and returns what it did. */
const calls: Record<CallName, (lock: RLock) => string | Promise<string>> = {
  'acquire()': (lock) =>
    awaitedCall(lock, async (signal, inside) => {
      using guard = await lock.acquire({ signal });
      inside(guard);
    }),
  'runExclusive()': (lock) =>
    awaitedCall(lock, (signal, inside) => lock.runExclusive(inside, { signal })),
  'acquireSync()': (lock) => plainCall(lock, () => lock.acquireSync()),
  'acquireSync({ timeout })': (lock) => plainCall(lock, () => lock.acquireSync({ timeout: 5 })),
  'tryAcquire()': (lock) => plainCall(lock, () => lock.tryAcquire()),
  'release()'(lock) {
    const before = lock.depth();
    if (before > 0) lock.acquireSync();
    try {
      lock.release();
    } catch (error) {
      return (error as Error).name;
    }
    return lock.depth() === before ? 'one back' : `depth ${lock.depth()}`;
  },
  'depth()': (lock) => `${lock.depth()}`,
};

type Check = () => Promise<void>;

/** Runs `check` while `holder` holds the lock. */
const holders = {
  nobody: (_lock: RLock, check: Check) => check(),
  'this task, by runExclusive()': (lock: RLock, check: Check) => lock.runExclusive(check),
  async 'this task, by acquire()'(lock: RLock, check: Check) {
    using _ = await lock.acquire();
    await turn();
    await check();
  },
  'another task, seen from no task': (lock: RLock, check: Check) =>
    besideTask(lock, () => outside(check)),
  'another task, seen from a task': (lock: RLock, check: Check) =>
    besideTask(lock, () => track(new RLock()).runExclusive(check)),
  'a plain call, seen from its own code': async (lock: RLock, check: Check) => {
    using _ = lock.acquireSync();
    await check();
  },
  'a plain call, seen from no task': async (lock: RLock, check: Check) => {
    using _ = lock.tryAcquire()!;
    await turn();
    await outside(check);
  },
  'a plain call, seen from a task': async (lock: RLock, check: Check) => {
    using _ = lock.acquireSync();
    await track(new RLock()).runExclusive(check);
  },
};

async function besideTask(lock: RLock, check: Check): Promise<void> {
  let leave!: () => void;
  const left = new Promise<void>((resolve) => (leave = resolve));
  let task!: Promise<void>;
  await new Promise<void>((entered) => {
    task = outside(() =>
      lock.runExclusive(() => {
        entered();
        return left;
      }),
    );
  });
  try {
    await check();
  } finally {
    leave();
    await task;
  }
}

type Row = Record<CallName, string>;

function row(...outcomes: string[]): Row {
  return Object.fromEntries(callNames.map((name, i) => [name, outcomes[i]])) as Row;
}

const [task, thread, guard, deeper] = [
  'the task holds',
  'the thread holds',
  'the guard holds',
  'one deeper',
];
const free = {
  mixed: row(task, task, thread, thread, thread, 'NotOwnerError', '0'),
  thread: row(thread, thread, thread, thread, thread, 'NotOwnerError', '0'),
  async: row(task, task, guard, guard, guard, 'NotOwnerError', '0'),
};
const inside = row(deeper, deeper, deeper, deeper, deeper, 'one back', '1');
const shutOut = row(
  'waits',
  'waits',
  'DeadlockError',
  'TimeoutError',
  'null',
  'NotOwnerError',
  '0',
);
const behindThread = row('waits', 'waits', deeper, deeper, deeper, 'one back', '1');

/** By scope, and by the first word of the holder. */
const table: Record<RLockScope, Record<string, Row>> = {
  mixed: { nobody: free.mixed, this: inside, another: shutOut, a: behindThread },
  thread: { nobody: free.thread, this: inside, another: inside, a: inside },
  async: { nobody: free.async, this: inside, another: shutOut, a: shutOut },
};

describe('RLock: who holds it, and what a call does', () => {
  for (const scope of ['mixed', 'thread', 'async'] as const) {
    describe(`scope '${scope}'`, () => {
      for (const [holder, whileHeld] of Object.entries(holders)) {
        const expected = table[scope][holder.split(/\W/)[0]!]!;
        for (const name of callNames) {
          it(`held by ${holder}, ${name}: ${expected[name]}`, async () => {
            const lock = track(new RLock({ scope }));
            let outcome: string | undefined;
            await whileHeld(lock, async () => {
              outcome = await calls[name](lock);
            });
            assert.equal(outcome, expected[name]);
            assert.deepEqual([lock.locked(), lock.depth()], [false, 0]);
          });
        }
      }

      for (const place of ['worker', 'process'] as const) {
        // acquireSync() would block for as long as the other holds.
        const away = { ...shutOut, 'acquireSync()': undefined };
        for (const name of callNames.filter((call) => away[call] !== undefined)) {
          it(`held in another ${place}, ${name}: ${away[name]}`, async () => {
            const lock = track(new RLock({ scope, name: freshName() }));
            const there: RLockOptions = { name: lock.name, scope: 'mixed' };
            const other = await (await sharedActor(place)).open('RLock', there);
            const hold = await other.acquire();
            assert.equal(await calls[name](lock), away[name]);
            await hold.release();
            assert.equal(await calls[name](lock), free[scope][name]);
          });
        }

        describe(`after the end of a ${place} that held it`, () => {
          const cases = callNames
            .slice(0, 5)
            .flatMap((name) =>
              (['acquire', 'acquireSync'] as const).map((form) => ({ name, form })),
            );
          const locks: RLock[] = [];
          // One dies with the locks of all these tests.
          before(async () => {
            const doomed = await newActor(place);
            for (const { form } of cases) {
              const lock = new RLock({ scope, name: freshName() });
              locks.push(lock);
              const there: RLockOptions = { name: lock.name, scope: 'mixed' };
              await (await doomed.open('RLock', there))[form]();
            }
            await doomed.kill();
          });
          after(() => locks.forEach((lock) => lock.close()));
          for (const [i, { name, form }] of cases.entries()) {
            it(`by ${form}(), ${name}`, async () => {
              const lock = locks[i]!;
              assert.equal(await calls[name](lock), `abandoned: ${free[scope][name]}`);
              assert.equal(await calls[name](lock), free[scope][name]);
            });
          }
        });
      }
    });
  }
});
