// Event: a flag to wait for. A wait that has begun never misses a pulse of the flag.
import assert from 'node:assert/strict';
import { closeSync, openSync, readFileSync, writeSync } from 'node:fs';
import path from 'node:path';
import { setImmediate as turn, setTimeout as sleep } from 'node:timers/promises';
import { Event } from 'holdfast';
import { describeObject } from '../../support/named-object.js';
import {
  remotePlaces,
  across,
  Program,
  assertRejects,
  assertThrows,
  forms,
  freshName,
  header,
  newActor,
  newProcess,
  newWorker,
  now,
  objectFiles,
  random,
  scaled,
  sharedActor,
  track,
  until,
  watchdog_ms,
  within,
} from '../../support/index.js';

const kind = 'Event';
const open = (name?: string) => track(new Event({ name }));
const methods = { async: 'wait', sync: 'waitSync' } as const;

/**
 * Everything that a process does in set() if it dies before it has woken a waiter: it sets the
 * word.
 */
function setWordOnly(name: string): void {
  const directory = process.env['HOLDFAST_DIR']!;
  const named = objectFiles(directory).filter((file) => {
    const bytes = readFileSync(path.join(directory, file));
    const end = header.name + bytes.readUInt32LE(header.nameLength);
    return bytes.toString('utf8', header.name, end) === name;
  });
  assert.equal(named.length, 1);
  const fd = openSync(path.join(directory, named[0]!), 'r+');
  const word = Buffer.alloc(8);
  word.writeBigUInt64LE(0b11n); // set, once
  writeSync(fd, word, 0, 8, header.length);
  closeSync(fd);
}

function waiting(event: Event, count: number): Promise<void> {
  return until(() => event.inspect().waiters === count, `${count} wait`);
}

describe('Event', () => {
  // An event has no holder, so there is no cell for one that is killed.
  describe('cells', () => {
    for (const place of remotePlaces) {
      it(across[place], async () => {
        const name = freshName(kind);
        const event = open(name);
        const actors = await Promise.all([newActor(place), newActor(place)]);
        const [a, b] = await Promise.all(actors.map((actor) => actor.open(kind, { name })));
        const waits = [a!.begin('wait'), b!.begin('waitSync'), event.wait()];
        await waiting(event, 3);
        assert.equal(await a!.call('isSet'), false);
        await a!.call('set');
        await Promise.all(waits);
        assert.deepEqual([event.isSet(), await b!.call('isSet')], [true, true]);
        event.waitSync();
        await b!.begin('waitSync', { timeout: 0 });
        await b!.call('clear');
        assert.deepEqual([event.isSet(), await a!.call('isSet')], [false, false]);
        assert.equal(event.inspect().waiters, 0);
      });
    }

    for (const form of forms) {
      it(form, async () => {
        const name = freshName(kind);
        const event = open(name);
        const there = await (await sharedActor('process')).open(kind, { name });
        for (let round = 0; round < 20; round++) {
          const wait = there.begin(methods[form]);
          await waiting(event, 1);
          event.set();
          await wait;
          event.clear();
        }
        assert.equal(event.inspect().sets, 20);
        event.set();
        await there.begin(methods[form]);
      });
    }

    it('timeout', async () => {
      const name = freshName(kind);
      const event = open(name);
      const about = { kind, objectName: name };
      for (const timeout of [0, 1, 20.5, 70]) {
        let began = now();
        assertThrows(() => event.waitSync({ timeout }), 'TimeoutError', about);
        assert.ok(now() - began >= timeout);
        began = now();
        await assertRejects(event.wait({ timeout }), 'TimeoutError', about);
        assert.ok(now() - began >= timeout);
      }
      assert.equal(event.inspect().waiters, 0);
      event.set();
      await event.wait({ timeout: 0 });
      event.waitSync({ timeout: 0 });
    });

    it('abort', async () => {
      const event = open(freshName(kind));
      const controller = new AbortController();
      const { signal } = controller;
      const reason = new Error('enough');
      const waits = [event.wait({ signal }), event.wait({ signal, timeout: 60_000 })];
      const stays = event.wait();
      controller.abort(reason);
      for (const wait of waits) await assert.rejects(wait, reason);
      await assert.rejects(event.wait({ signal }), reason);
      assert.equal(event.inspect().waiters, 1);
      event.set();
      await stays;
      // An aborted signal rejects, whether the event is set or not.
      await assert.rejects(event.wait({ signal }), reason);
    });

    it('killed while waiting', async () => {
      const name = freshName(kind);
      const event = open(name);
      const victims = await Promise.all([newProcess(), newProcess(), newWorker(), newWorker()]);
      for (const [i, victim] of victims.entries()) {
        void (await victim.open(kind, { name })).begin(methods[forms[i % 2]!]);
      }
      const there = await (await sharedActor('process')).open(kind, { name });
      const waits = [event.wait(), there.begin('waitSync')];
      await waiting(event, 6);
      await Promise.all(victims.map((victim) => victim.kill()));
      // Not at once: a blocked thread is not counted for an instant when it looks again.
      await waiting(event, 2);
      event.set();
      await Promise.all(waits);
      assert.equal(event.inspect().waiters, 0);
    });

    // The flag is cleared while set() is still under way.
    it('one set is one turn, even if the other process is faster', async () => {
      const name = freshName(kind);
      const turns = String(scaled(60_000));
      const players = ['0', '1'].map(
        (side) => new Program('event-turns.mjs', { args: [name, side, turns] }),
      );
      for (const player of players) {
        const { code } = await player.end();
        assert.equal(code, 0, player.stderr);
      }
    });

    // The process is killed between setting the flag and waking, in the middle of waking, or at
    // another instant. The word stays right, and each wait that had begun before the set ends.
    it('killed while notifying', async () => {
      const { next } = random('killed while setting');
      const name = freshName(kind);
      const event = open(name);
      const there = await (await sharedActor('process')).open(kind, { name });
      const blocked = await (await sharedActor('worker')).open(kind, { name });
      for (let kill = 0; kill < 8; kill++) {
        const victim = new Program('event-pulse.mjs', { args: [name] });
        await victim.line('ready');
        let done = false;
        const waits = (async () => {
          while (!done) {
            const { sets } = event.inspect();
            // Read after the count: a set that was counted may end this wait if the flag is still
            // set.
            const wasSet = event.isSet();
            await event.wait();
            assert.ok(wasSet || event.isSet() || event.inspect().sets > sets);
            await turn(); // otherwise a flag that stays set would keep the event loop busy
          }
        })();
        await sleep(next() * 10);
        const others = [there.begin('wait'), blocked.begin('waitSync')];
        for (const wait of others) await wait.started;
        await victim.kill();
        done = true;
        // One more pulse, for waits that began after the last one.
        const { sets } = event.inspect();
        const wasSet = event.isSet();
        event.set();
        assert.equal(event.inspect().sets, sets + (wasSet ? 0 : 1));
        await within(Promise.all([waits, ...others]), 'everybody hears of it');
        event.clear();
        assert.equal(event.isSet(), false);
      }
    });

    it('killed after it set the flag, before it woke a waiter', async () => {
      const name = freshName(kind);
      const event = open(name);
      const actors = await Promise.all([newProcess(), newWorker()]);
      const remotes = await Promise.all(actors.map((actor) => actor.open(kind, { name })));
      const waits = [event.wait(), ...remotes.map((it, i) => it.begin(methods[forms[i]!]))];
      await waiting(event, 3);
      setWordOnly(name);
      await Promise.all(waits);
      assert.equal(event.isSet(), true);
    });
  });

  it('as in Python: clear at first, wait() ends at once while set, set() and clear() are idempotent', async () => {
    const event = open();
    assert.equal(event.isSet(), false);
    assertThrows(() => event.waitSync({ timeout: 0 }), 'TimeoutError');
    event.set();
    event.set();
    assert.deepEqual([event.isSet(), event.inspect().sets], [true, 1]);
    assert.equal(event.waitSync(), undefined);
    assert.equal(await event.wait(), undefined);
    event.clear();
    event.clear();
    assert.equal(event.isSet(), false);
    await assertRejects(event.wait({ timeout: 5 }), 'TimeoutError');
    setTimeout(() => event.set(), 10);
    await event.wait();
    assert.equal(event.inspect().sets, 2);
  });

  it('set() wakes every wait: of one thread, of workers, of processes, more than fit into the wait set', async () => {
    const name = freshName(kind);
    const event = open(name);
    const here = Array.from({ length: 200 }, () => event.wait());
    const actors = await Promise.all([newProcess(), newProcess(), newWorker(), newWorker()]);
    const remotes = await Promise.all(actors.map((actor) => actor.open(kind, { name })));
    const there = remotes.flatMap((remote, i) =>
      i % 2 ? [remote.begin('waitSync')] : [remote.begin('wait'), remote.begin('wait')],
    );
    await waiting(event, 206);
    event.set();
    await Promise.all([...here, ...there]);
    assert.equal(event.inspect().waiters, 0);
  });

  it('a full wait set: waiters that found no entry hear of it, too', async () => {
    const name = freshName(kind);
    const event = open(name);
    const filler = await newProcess();
    const full = await filler.open(kind, { name });
    await filler.act('fillWaitSet', { object: full, entries: 128 });
    const there = await (await sharedActor('process')).open(kind, { name });
    const blocked = there.begin('waitSync');
    await blocked.started;
    const waits = [event.wait(), blocked];
    event.set();
    await Promise.all(waits);
  });

  describe('a pulse: set() and clear() at once', () => {
    it('ends every wait that had begun, and none that begins after', async () => {
      const name = freshName(kind);
      const event = open(name);
      const actors = await Promise.all([newProcess(), newProcess(), newWorker(), newWorker()]);
      const remotes = await Promise.all(actors.map((actor) => actor.open(kind, { name })));
      for (let round = 0; round < 10; round++) {
        const waits = [
          event.wait(),
          event.wait({ timeout: 60_000 }),
          ...remotes.map((remote, i) => remote.begin(methods[forms[i % 2]!])),
        ];
        await waiting(event, 6);
        event.set();
        event.clear();
        const late = event.wait({ timeout: 0 });
        await assertRejects(late, 'TimeoutError');
        assertThrows(() => event.waitSync({ timeout: 0 }), 'TimeoutError');
        await Promise.all(waits);
        assert.equal(event.inspect().waiters, 0);
      }
    });

    it('from another thread, while this one does not run', async () => {
      const name = freshName(kind);
      const event = open(name);
      const there = await (await newWorker()).open(kind, { name });
      const wait = event.wait();
      const { sets } = event.inspect();
      const [set, cleared] = [there.call('set'), there.call('clear')];
      // Both happen while this thread is blocked. When its event loop looks, the flag is clear.
      const end = now() + watchdog_ms;
      while (event.inspect().sets === sets || event.isSet()) assert.ok(now() < end);
      await wait;
      await Promise.all([set, cleared]);
      const late = event.wait({ timeout: 1 });
      await assertRejects(late, 'TimeoutError');
    });

    it('is not missed by a process that was stopped', async () => {
      const name = freshName(kind);
      const event = open(name);
      const stopped = await newProcess();
      const theirs = await stopped.open(kind, { name });
      for (const form of forms) {
        const wait = theirs.begin(methods[form]);
        await waiting(event, 1);
        stopped.signal('SIGSTOP');
        for (let i = 0; i < 3; i++) {
          event.set();
          event.clear();
        }
        stopped.signal('SIGCONT');
        await wait;
      }
    });
  });

  it('close() ends waits through the object, and no others', async () => {
    const name = freshName(kind);
    const [event, again] = [open(name), open(name)];
    const waits = [
      again.wait(),
      event.wait(),
      again.wait({ signal: new AbortController().signal }),
    ];
    await waiting(event, 3);
    again.close();
    for (const i of [0, 2]) {
      await assertRejects(waits[i]!, 'ClosedError', { kind, objectName: name });
    }
    await waiting(event, 1);
    event.set();
    await waits[1];
  });

  it('a pending wait keeps the process alive, and an idle event does not', async () => {
    const name = freshName(kind);
    const event = open(name);
    const there = await newProcess();
    const theirs = await there.open(kind, { name });
    void theirs.begin('wait');
    await waiting(event, 1);
    const left = there.leave();
    const outcome = await Promise.race([left.then(() => 'left'), sleep(300, 'stays')]);
    assert.equal(outcome, 'stays');
    event.set();
    assert.deepEqual(await left, { code: 0, signal: null });
  });

  it('inspect(): exactly the promised fields', () => {
    const name = freshName(kind);
    const event = open(name);
    assert.deepEqual(event.inspect(), { kind, name, isSet: false, sets: 0, waiters: 0 });
    event.set();
    assert.deepEqual(event.inspect(), { kind, name, isSet: true, sets: 1, waiters: 0 });
  });

  it('wrong arguments are refused before anything is touched', async () => {
    const event = open();
    event.set();
    for (const timeout of [-1, NaN, Infinity, 2 ** 31]) {
      assert.throws(() => event.waitSync({ timeout }), RangeError);
      await assert.rejects(event.wait({ timeout }), RangeError);
    }
    for (const timeout of ['1', null, {}]) {
      assert.throws(() => event.waitSync({ timeout } as never), TypeError);
      await assert.rejects(event.wait({ timeout } as never), TypeError);
    }
    await assert.rejects(event.wait({ signal: {} as never }), TypeError);
    assert.throws(() => event.waitSync({ signal: AbortSignal.abort() } as never), TypeError);
    await assert.rejects(event.wait(null as never), TypeError);
  });

  describeObject<Event>({
    kind,
    open: (options) => new Event(options),
    mark: (event) => event.set(),
    isMarked: (event) => event.isSet(),
    calls: {
      set: (it) => it.set(),
      clear: (it) => it.clear(),
      isSet: (it) => it.isSet(),
      wait: (it) => it.wait(),
      waitSync: (it) => it.waitSync(),
      inspect: (it) => it.inspect(),
      unlink: (it) => it.unlink(),
    },
    asArgument: [[0, 1, 1, 0, 0]],
  });
});
