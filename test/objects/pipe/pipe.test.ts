// Pipe: two connections. What one sends the other receives, and the end comes when the last holder
// of the other end has closed it or died.
import assert from 'node:assert/strict';
import { Worker } from 'node:worker_threads';
import { type Connection, Pipe, Process, Queue, attach, list } from 'holdfast';
import {
  Program,
  assertRejects,
  assertThrows,
  assertTimesOut,
  stateOf,
  track,
  until,
  within,
} from '../../support/index.js';

function pipe() {
  return Pipe().map((end) => track(end)) as [Connection, Connection];
}

/** Starts a program that has the other end, and closes that here. */
async function withPeer(form: 'async' | 'sync') {
  const [mine, theirs] = pipe();
  const peer = new Program('pipe-peer.mjs', { args: [JSON.stringify(theirs), form] });
  await peer.line('ready');
  theirs.close();
  return { mine, peer };
}

describe('Pipe', () => {
  it('both ends send and receive, in order, in all forms', async () => {
    const [a, b] = pipe();
    await a.send({ n: 1 });
    a.sendSync([2n]);
    assert.equal(await b.poll(), true);
    assert.deepEqual([await b.receive(), b.receiveSync()], [{ n: 1 }, [2n]]);
    assert.equal(b.tryReceive(), undefined);
    assert.equal(await b.poll(), false);
    assert.equal(await b.poll({ timeout: 20 }), false);
    const waiting = [b.receive(), b.receive()];
    const polled = a.poll({});
    await b.send('back');
    assert.equal(await polled, true);
    assert.equal(await a.receive(), 'back');
    await a.send('one');
    await a.send('two');
    assert.deepEqual(await within(Promise.all(waiting), 'both'), ['one', 'two']);
    const about = { kind: 'Connection', objectName: a.name };
    await assertTimesOut((options) => a.receive(options), 20, about);
    await assertTimesOut((options) => a.receiveSync(options), 20, about);
    await assert.rejects(a.receive({ signal: AbortSignal.abort(new Error('no')) }), /no/);
  });

  it('close(): the other end receives what was sent, and then the end', async () => {
    const [a, b] = pipe();
    await a.send(1);
    await a.send(2);
    const items: unknown[] = [];
    const loop = (async () => {
      for await (const item of b) items.push(item);
    })();
    await until(() => items.length === 2, 'both');
    a.close();
    a.close();
    await within(loop, 'the loop');
    assert.deepEqual(items, [1, 2]);
    const about = { kind: 'Connection', objectName: b.name };
    await assertRejects(b.receive(), 'EndedError', about);
    assertThrows(() => b.receiveSync(), 'EndedError', about);
    assertThrows(() => b.tryReceive(), 'EndedError', about);
    await assertRejects(b.send(1), 'EndedError', about);
    assertThrows(() => b.sendSync(1), 'EndedError', about);
    assert.equal(await b.poll(), true);
    await assertRejects(a.receive(), 'ClosedError');
    await assertRejects(a.send(1), 'ClosedError');
    b.close();
    assert.deepEqual(
      list().filter(({ name }) => name.startsWith(a.name)),
      [],
    );
  });

  for (const form of ['async', 'sync'] as const) {
    it(`between processes, ${form}: ping-pong, and the end when a peer is killed`, async () => {
      const { mine, peer } = await withPeer(form);
      for (let i = 0; i < 20; i++) {
        await mine.send(i);
        const answer = form === 'async' ? await mine.receive() : mine.receiveSync();
        assert.deepEqual(answer, { echo: i, pid: peer.pid });
      }
      const waiting = mine.receive();
      assert.equal(await stateOf(waiting), 'pending');
      await peer.kill();
      await assertRejects(within(waiting, 'the end'), 'EndedError');
      assertThrows(() => mine.receiveSync(), 'EndedError');
    });

    it(`a peer that is blocked hears of the end, ${form}`, async () => {
      const { mine, peer } = await withPeer(form);
      mine.close();
      const { stdout, code, stderr } = await peer.outcome();
      assert.equal(stdout, 'ready\nend\n', stderr);
      assert.equal(code, 0);
    });
  }

  it('the end comes only when the last holder of the other end is gone', async () => {
    const [a, b] = pipe();
    const same = track(attach(a.toJSON()));
    const waiting = b.receive();
    a.close();
    assert.equal(await stateOf(waiting), 'pending');
    await same.send('still here');
    assert.equal(await waiting, 'still here');
    same.close();
    await assertRejects(b.receive(), 'EndedError');
  });

  it('a worker that ends closes its end', async () => {
    const [a, b] = pipe();
    const code = `
      const { workerData } = require('node:worker_threads');
      const { attach } = require('holdfast');
      attach(workerData).sendSync('hello');`;
    const worker = new Worker(code, { eval: true, workerData: b.toJSON(), execArgv: [] });
    assert.equal(await within(a.receive(), 'hello'), 'hello');
    b.close();
    await assertRejects(within(a.receive(), 'the end'), 'EndedError');
    await worker.terminate();
  });

  it('travels in the arguments of a Process, even if it is closed at once', async () => {
    const [a, b] = pipe();
    const module = new URL('../../programs/pipe-child.mjs', import.meta.url);
    const child = new Process({ module, export: 'echo' }, { args: [{ connection: b }] }).start();
    b.close();
    await a.send('x');
    assert.equal(await within(a.receive(), 'the echo'), 'x');
    a.close();
    assert.equal(await child.join({ timeout: 15_000 }), true);
    assert.equal(child.exitCode, 0);
  });

  it('travels through a queue as its handle', async () => {
    const [a, b] = pipe();
    const queue = track(new Queue<object>());
    await queue.put({ b } as object);
    const { b: handle } = (await queue.get()) as { b: ReturnType<Connection['toJSON']> };
    assert.deepEqual(handle, { holdfast: 'Connection', name: b.name, end: 2 });
    assert.throws(() => structuredClone(a), /a Connection: send its toJSON/);
  });

  it('wrong arguments are refused before anything is made', async () => {
    const before = list().length;
    assert.throws(() => Pipe({ maxBytes: 1 }), RangeError);
    assert.throws(() => Pipe({ maxByte: 65_536 } as object), TypeError);
    assert.throws(() => Pipe(null as never), TypeError);
    assert.equal(list().length, before);
    const [a] = pipe();
    await assert.rejects(
      a.send(() => {}),
      TypeError,
    );
    await assert.rejects(a.send(1, { timeout: -1 }), RangeError);
    await assert.rejects(a.receive({ timout: 1 } as object), TypeError);
    await assert.rejects(a.poll({ timeout: 'x' as never }), TypeError);
    assert.throws(() => attach({ ...a.toJSON(), end: 3 } as never), TypeError);
  });
});
