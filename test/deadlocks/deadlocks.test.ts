// Deadlocks between processes, threads and tasks: the youngest wait ends, and the others go on.
import assert from 'node:assert/strict';
import { subscribe, unsubscribe } from 'node:diagnostics_channel';
import { readdirSync } from 'node:fs';
import { type DeadlockMessage, type DeadlockedWait, Event, Lock, LockManager } from 'holdfast';
import {
  type Actor,
  type Call,
  type RemoteObject,
  cli,
  freshName,
  newProcess,
  newWorker,
  platform,
  sharedActor,
  stateOf,
  track,
  until,
  within,
} from '../support/index.js';

interface Ended {
  name: string;
  code: string;
  kind: string;
  objectName: string;
  cycle: DeadlockedWait[];
}
type Outcome = 'got both' | Ended;

interface Thing {
  readonly type: string;
  readonly args: unknown[];
  readonly how: string;
  readonly name: string;
}

function thing(type: string, how = 'exclusive'): Thing {
  const name = freshName(type);
  if (type === 'BoundedSemaphore') return { type, args: [1, { name }], how: 'permit', name };
  if (type === 'Condition') return { type, args: [undefined, { name }], how, name };
  if (type === 'LockManager') return { type, args: [{ namespace: name }], how, name };
  return { type, args: [{ name }], how, name };
}

/** An actor that holds `first` and is about to take `second`. */
class Party {
  readonly #held: Event;
  readonly #go: Event;
  readonly outcome: Call<Outcome>;

  private constructor(held: Event, go: Event, outcome: Call<Outcome>) {
    this.#held = held;
    this.#go = go;
    this.outcome = outcome;
  }

  static async start(
    actor: Actor,
    act: string,
    first: Thing,
    second: Thing,
    options: object = {},
  ): Promise<Party> {
    const held = track(new Event());
    const go = track(new Event());
    const open = ({ type, args }: Thing): Promise<RemoteObject> => actor.make(type, ...args);
    const outcome = actor.startAct<Outcome>(act, {
      first: await open(first),
      second: await open(second),
      hows: [first.how, second.how],
      held: await actor.attach(held.toJSON()),
      go: await actor.attach(go.toJSON()),
      options,
    });
    const party = new Party(held, go, outcome);
    await within(held.wait(), 'the first hold of a party');
    return party;
  }

  get held(): Event {
    return this.#held;
  }

  go(): void {
    this.#go.set();
  }
}

function assertDeadlock(outcome: Outcome, wanted: Thing): Ended {
  assert.notEqual(outcome, 'got both');
  const ended = outcome as Ended;
  assert.equal(ended.name, 'DeadlockError', JSON.stringify(ended));
  assert.equal(ended.code, 'ERR_HOLDFAST_DEADLOCK');
  assert.equal(ended.kind, wanted.type);
  assert.equal(ended.objectName, wanted.name);
  return ended;
}

function pidsOf(threads: readonly { pid: number }[]): number[] {
  return threads.map(({ pid }) => pid);
}

/** The parties go one after the other, each when the one before it waits. */
async function meet(
  parties: Party[],
  isWaitedFor: (i: number) => Promise<unknown>,
): Promise<Outcome[]> {
  for (const [i, party] of parties.entries()) {
    party.go();
    if (i < parties.length - 1) await isWaitedFor(i);
  }
  return Promise.all(parties.map((party) => within(party.outcome, 'the end of a party')));
}

/** Long enough that the next wait is the younger one. */
const aMoment = () => new Promise((resolve) => setTimeout(resolve, 100));

async function actorAt(place: 'process' | 'worker', number: number): Promise<Actor> {
  return sharedActor(place, number);
}

const cases: [title: string, act: string, first: () => Thing, second: () => Thing][] = [
  ['two Locks, tasks of two processes', 'nest', () => thing('Lock'), () => thing('Lock')],
  ['two Locks, blocked threads', 'nestSync', () => thing('Lock'), () => thing('Lock')],
  ['a BoundedSemaphore, threads', 'nestSync', () => thing('Lock'), () => thing('BoundedSemaphore')],
];

describe('deadlocks', () => {
  for (const [title, act, first, second] of cases) {
    it(title, async () => {
      const [a, b] = [first(), second()];
      const one = await Party.start(await actorAt('process', 1), act, a, b);
      const two = await Party.start(await actorAt('process', 2), act, b, a);
      const outcomes = await meet([one, two], aMoment);
      assert.equal(outcomes[0], 'got both');
      const { cycle } = assertDeadlock(outcomes[1]!, a);
      assert.equal(cycle.length, 2);
      const [mine, theirs] = cycle as [DeadlockedWait, DeadlockedWait];
      assert.deepEqual([mine.name, theirs.name], [a.name, b.name]);
      assert.notEqual(mine.pid, theirs.pid);
      assert.deepEqual(pidsOf(mine.heldBy), [theirs.pid]);
      assert.deepEqual(pidsOf(theirs.heldBy), [mine.pid]);
      assert.ok(mine.waitedFor >= 1000 && theirs.waitedFor >= mine.waitedFor);
      assert.equal(mine.processName, 'MainProcess');
      assert.equal(mine.threadId, 0);
    });
  }

  if (platform !== 'linux') return; // the rest is the same code everywhere

  it('a reader behind a writer that waits for another reader', async () => {
    const { type, args, name } = thing('ReadWriteLock');
    const shared = { type, args, name, how: 'shared' };
    const exclusive = { type, args, name, how: 'exclusive' };
    const [lock, other] = [thing('Lock'), thing('Lock')];
    const reads = await Party.start(await actorAt('process', 1), 'nest', shared, lock);
    const writes = await Party.start(await actorAt('process', 2), 'nest', other, exclusive);
    const behind = await Party.start(await actorAt('process', 3), 'nest', lock, shared);
    // The writer first, or the second reader gets in.
    const outcomes = await meet([writes, reads, behind], aMoment);
    assert.deepEqual(outcomes.slice(0, 2), ['got both', 'got both']);
    assert.equal(assertDeadlock(outcomes[2]!, shared).cycle.length, 3);
  });

  it('Web Locks, and a shared request behind an exclusive one', async () => {
    const [locks, lock] = [thing('LockManager', 'web'), thing('Lock')];
    const one = await Party.start(await actorAt('process', 1), 'nest', locks, lock);
    const two = await Party.start(await actorAt('process', 2), 'nest', lock, locks);
    const outcomes = await meet([one, two], aMoment);
    assert.equal(outcomes[0], 'got both');
    const { cycle } = assertDeadlock(outcomes[1]!, locks);
    assert.equal(cycle[0]!.lock, 'a lock');

    const shared = { ...thing('LockManager', 'web shared') };
    const between = { ...shared, how: 'web' };
    const twice = await Party.start(await actorAt('process', 1), 'nest', shared, shared);
    const writer = await Party.start(await actorAt('process', 2), 'nest', thing('Lock'), between);
    const ends = await meet([writer, twice], aMoment);
    assert.equal(ends[0], 'got both');
    assert.equal(assertDeadlock(ends[1]!, shared).cycle.length, 2);
  });

  it('three, of which one is a worker', async () => {
    const [a, b, c] = [thing('Lock'), thing('Lock'), thing('RLock')];
    const one = await Party.start(await actorAt('process', 1), 'nestSync', a, b);
    const two = await Party.start(await newWorker(), 'nestSync', b, c);
    const three = await Party.start(await actorAt('process', 2), 'nest', c, a);
    const outcomes = await meet([one, two, three], aMoment);
    assert.deepEqual(outcomes.slice(0, 2), ['got both', 'got both']);
    const { cycle } = assertDeadlock(outcomes[2]!, a);
    assert.equal(cycle.length, 3);
    assert.ok(cycle.some(({ threadId }) => threadId !== 0));
  });

  it('two tasks of one thread, and a task that waits for itself', async () => {
    const a = track(new Lock());
    const b = track(new Lock());
    const cross = (first: Lock, second: Lock) =>
      first.runExclusive(async () => {
        await aMoment();
        return second.runExclusive(() => 'got both');
      });
    const ends = await within(
      Promise.allSettled([cross(a, b), cross(b, a)]),
      'the ends of two tasks',
    );
    assert.deepEqual(ends.map(({ status }) => status).toSorted(), ['fulfilled', 'rejected']);
    const itself = a.runExclusive(() => a.runExclusive(() => 'never'));
    await assert.rejects(within(itself, 'the end of a task'), { name: 'DeadlockError' });
    assert.equal(a.inspect().locked, false);
    assert.equal(b.inspect().waiters, 0);
  });

  it('acquireAll() and acquire(2), which have gathered one of two, also blocked', async () => {
    const play = async (actors: Actor[], acts: string[], things: Thing[][]): Promise<void> => {
      const start = (i: number) =>
        Party.start(actors[i]!, acts[i]!, things[i]![0]!, things[i]![1]!);
      const outcomes = await meet([await start(0), await start(1)], aMoment);
      assert.equal(outcomes[0], 'got both');
      assert.equal(assertDeadlock(outcomes[1]!, things[1]![1]!).cycle.length, 2);
    };
    const pair = (): Thing[] => {
      const { name } = thing('BoundedSemaphore');
      const one = { type: 'BoundedSemaphore', args: [2, { name }], how: 'permit', name };
      return [one, { ...one, how: 'two permits' }];
    };
    const all = (sync: string, actors: Actor[]) => {
      const locks = [thing('Lock'), thing('Lock')];
      locks.sort((one, other) => (one.name < other.name ? -1 : 1));
      return play(actors, [`gather${sync}`, `nest${sync}`], [locks, locks.toReversed()]);
    };
    const several = (act: string, actors: Actor[]) => {
      const [a, b] = [pair(), pair()];
      return play(
        actors,
        [act, act],
        [
          [a[0]!, b[1]!],
          [b[0]!, a[1]!],
        ],
      );
    };
    const tasks = [await actorAt('process', 1), await actorAt('process', 2)];
    const blocked = [await actorAt('process', 3), await actorAt('worker', 1)];
    await Promise.all([all('', tasks), several('nest', tasks), all('Sync', blocked)]);
    await several('nestSync', blocked);
  });

  it('is shown by `holdfast waits`; a stopped process is waited for', async () => {
    const [a, b] = [thing('Lock'), thing('Lock')];
    const stopped = await newProcess();
    const one = await Party.start(stopped, 'nest', a, b);
    const two = await Party.start(await actorAt('process', 1), 'nest', b, a);
    const told = () =>
      readdirSync(process.env['HOLDFAST_DIR']!).filter((f) => f.startsWith('waits.'));
    const before = told();
    one.go();
    await until(() => told().some((file) => !before.includes(file)), 'what the first tells');
    stopped.signal('SIGSTOP');
    two.go();
    const shown = async () => (await cli(['waits'])).stdout.startsWith('deadlock:\n');
    await until(shown, 'the deadlock in the output of waits');
    const { code, stdout } = await cli(['waits']);
    assert.equal(code, 1);
    const lines = stdout.split('\n').slice(1, 3);
    for (const line of lines) {
      assert.match(
        line,
        /^ {2}\d+ MainProcess waits for Lock .* \(exclusive\) since .*, held by \d+/,
      );
    }
    assert.equal(await stateOf(two.outcome), 'pending');
    stopped.signal('SIGCONT');
    const ends = await Promise.all([one, two].map((party) => within(party.outcome, 'an end')));
    assert.equal(ends[0], 'got both');
    assertDeadlock(ends[1]!, a);
  });

  it('on the way of a Condition back to its lock: the other wait ends', async () => {
    const [lock, condition] = [thing('Lock'), thing('Condition')];
    const [first, second] = [await newProcess(), await newProcess()];
    const held = track(new Event());
    const waits = first.startAct<Outcome>('nestInCondition', {
      first: await first.make('Lock', ...lock.args),
      condition: await first.make('Condition', ...condition.args),
      held: await first.attach(held.toJSON()),
    });
    await within(held.wait(), 'the hold of the first');
    await aMoment();
    const notifies = second.startAct<Outcome>('notifyAndNest', {
      condition: await second.make('Condition', ...condition.args),
      second: await second.make('Lock', ...lock.args),
    });
    assertDeadlock(await within(notifies, 'the end of the second'), lock);
    assert.equal(await within(waits, 'the end of the first'), 'got both');
  });
});

describe('no deadlock', () => {
  /** Two that have each other's lock. Their waits time out, later than a deadlock would end. */
  async function crossing(act: string, options: object): Promise<string[]> {
    const [a, b] = [thing('Lock'), thing('Lock')];
    const timeout = 2000;
    const one = await Party.start(await actorAt('process', 1), 'nest', a, b, { timeout });
    const two = await Party.start(await actorAt('process', 2), act, b, a, { timeout, ...options });
    const outcomes = await meet([one, two], async () => {});
    return outcomes.map((outcome) => (outcome === 'got both' ? outcome : outcome.name));
  }

  it('while a guard in a variable is part of it, or a wait with { deadlock: false }', async () => {
    const ends = await Promise.all([
      crossing('nestLoosely', {}),
      crossing('nest', { deadlock: false }),
    ]);
    for (const names of ends) {
      assert.ok(names.includes('TimeoutError'), names.join());
      assert.ok(!names.includes('DeadlockError'), names.join());
    }
  });

  it('after a SIGKILL to one of them: the other one gets it, abandoned', async () => {
    const [a, b] = [thing('Lock'), thing('Lock')];
    const [mortal, other] = [await newProcess(), await actorAt('process', 1)];
    const dies = await Party.start(mortal, 'nestSync', b, a);
    const lives = await Party.start(other, 'nest', a, b);
    dies.go();
    lives.go();
    await aMoment();
    await mortal.kill();
    assert.equal(await within(lives.outcome, 'the end of the other'), 'got both');
  });

  it('after a theft from a blocked thread: who waits behind the thief gets it', async () => {
    const [web, lock] = [thing('LockManager', 'web'), thing('Lock')];
    const blocked = await Party.start(await actorAt('process', 1), 'nestBlocked', web, lock);
    const waits = await Party.start(await actorAt('process', 2), 'nest', lock, web);
    blocked.go();
    await aMoment();
    const locks = track(new LockManager({ namespace: web.name }));
    const later = () => new Promise((resolve) => setTimeout(resolve, 2500));
    const theft = locks.request('a lock', { steal: true }, later);
    waits.go();
    assert.equal(await within(waits.outcome, 'the end of who waits'), 'got both');
    const stolen = await within(blocked.outcome, 'the end of the blocked one');
    assert.equal((stolen as Ended).name, 'AbortError');
    await theft;
  });

  it('the channel holdfast.deadlock tells of it, and whether it is certain', async () => {
    const told: DeadlockMessage[] = [];
    const hear = (message: unknown) => told.push(message as DeadlockMessage);
    subscribe('holdfast.deadlock', hear);
    const [a, b] = [track(new Lock()), track(new Lock())];
    const cross = async (first: Lock, second: Lock) => {
      using _held = await first.acquire();
      await aMoment();
      (await second.acquire({ timeout: 1800 })).release();
    };
    const itself = track(new Lock());
    const certainly = itself.runExclusive(() => itself.runExclusive(() => 'never'));
    const ends = await Promise.allSettled([cross(a, b), cross(b, a), certainly]);
    unsubscribe('holdfast.deadlock', hear);
    const names = ends.map((end) => (end.status === 'rejected' ? String(end.reason.name) : ''));
    assert.equal(names[2], 'DeadlockError');
    assert.ok(!names.slice(0, 2).includes('DeadlockError'), names.join());
    const [certain, suspected] = [true, false].map((is) =>
      told.filter((message) => message.certain === is),
    );
    assert.deepEqual(
      certain!.map(({ cycle }) => cycle.map(({ name }) => name)),
      [[itself.name]],
    );
    // The thread holds both, so each of its waits is for what it holds itself.
    assert.equal(suspected!.length, 1);
    for (const { name } of suspected![0]!.cycle) assert.ok([a.name, b.name].includes(name));
  });

  it('option deadlock is a boolean, and no option of a wait for nobody’s hold', async () => {
    const lock = track(new Lock());
    const wrong = { deadlock: 1 as unknown as boolean };
    await assert.rejects(lock.acquire(wrong), /TypeError: deadlock must be a boolean, not 1/);
    assert.throws(() => lock.acquireSync(wrong), /deadlock must be a boolean/);
    const event = track(new Event());
    await assert.rejects(event.wait(wrong as object), /unknown option "deadlock"/);
  });
});
