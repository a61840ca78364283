// SharedMemory: the buffer is the mapping. It stays for as long as some code can reach the buffer,
// and no longer.
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { readdirSync } from 'node:fs';
import path from 'node:path';
import { setImmediate as turn } from 'node:timers/promises';
import { MessageChannel, Worker } from 'node:worker_threads';
import { promisify } from 'node:util';
import zlib from 'node:zlib';
import { SharedMemory } from 'holdfast';
import { describeObject } from '../../support/named-object.js';
import {
  remotePlaces,
  across,
  Program,
  assertRejects,
  assertThrows,
  freshName,
  mountSmall,
  newActor,
  newProcess,
  newWorker,
  now,
  objectFiles,
  reserveCall,
  track,
  until,
  watchdog_ms,
  within,
} from '../../support/index.js';

const kind = 'SharedMemory';
const open = (size: number | undefined, name?: string) => track(new SharedMemory(size, { name }));
const child = (file: string) => new URL(`../../programs/${file}`, import.meta.url);

describe('SharedMemory', () => {
  // Nothing here waits or notifies: there is no asynchronous form, no timeout, nothing to abort,
  // and nobody can be killed while waiting or notifying.
  describe('cells', () => {
    for (const place of remotePlaces) {
      it(across[place], async () => {
        const name = freshName(kind);
        const memory = open(10_000, name);
        assert.deepEqual(new Uint8Array(memory.buffer), new Uint8Array(10_000), 'zero when made');
        const actors = await Promise.all([newActor(place), newActor(place)]);
        const [a, b] = await Promise.all(actors.map((actor) => actor.open(kind, { name })));
        const bytes = new Uint8Array(memory.buffer);
        bytes[0] = 42;
        bytes[9999] = 43;
        const read = (remote: typeof a, at: number) =>
          remote!.actor.act<number>('readByte', { memory: remote!, at });
        assert.deepEqual([await read(a, 0), await read(b, 9999)], [42, 43]);
        await b!.actor.act('writeByte', { memory: b!, at: 5000, value: 7 });
        assert.deepEqual([bytes[5000], await read(a, 5000)], [7, 7]);
      });
    }

    it('sync', async () => {
      // Another process sees a store, although neither of the two returns to its event loop.
      const name = freshName(kind);
      const memory = open(12, name);
      const words = new Int32Array(memory.buffer);
      const program = new Program('workers/add-to-memory.mjs', { args: [name, '1'] });
      await until(() => Atomics.load(words, 1) === 1, 'the other is there');
      Atomics.store(words, 2, 1);
      const end = now() + watchdog_ms;
      while (Atomics.load(words, 0) === 0) assert.ok(now() < end);
      await program.end();
      assert.deepEqual([...words], [1, 1, 1]);
    });

    it('killed while holding', async () => {
      const name = freshName(kind);
      const memory = open(4096, name);
      const bytes = new Uint8Array(memory.buffer);
      for (const place of remotePlaces) {
        const victim = await newActor(place);
        const theirs = await victim.open(kind, { name });
        // A thread with views is killed while it writes without end.
        void victim.startAct('writeForEver', { memory: theirs });
        await until(() => Atomics.load(bytes, 1) !== 0, 'it writes');
        await victim.kill();
        bytes.fill(0, 1);
        bytes[0] = 9;
        const other = await (await newProcess()).open(kind, { name });
        assert.equal(await other.actor.act('readByte', { memory: other, at: 0 }), 9);
        assert.equal(bytes[1], 0, 'nobody writes any more');
      }
    });
  });

  it('Atomics from 4 processes and 2 workers: no addition is lost', async () => {
    const name = freshName(kind);
    const memory = open(12, name);
    const words = new Int32Array(memory.buffer);
    const rounds = 200_000;
    const programs = [1, 2, 3, 4].map(
      () => new Program('workers/add-to-memory.mjs', { args: [name, String(rounds)] }),
    );
    const workers = [1, 2].map(
      () =>
        new Worker(child('workers/add-to-memory.mjs'), {
          workerData: [name, rounds],
          execArgv: [],
        }),
    );
    const ended = workers.map((worker) => new Promise((resolve) => worker.once('exit', resolve)));
    await until(() => Atomics.load(words, 1) === 6, 'all are there');
    Atomics.store(words, 2, 1);
    for (const program of programs) {
      assert.deepEqual(await program.end(), { code: 0, signal: null }, program.stderr);
    }
    await within(Promise.all(ended), 'the workers end');
    assert.equal(words[0], 6 * rounds);
  });

  it('a buffer has exactly its size, also if that is not aligned', async () => {
    for (const size of [1, 2, 4095, 4096, 4097, 65_537, 3_000_000]) {
      const name = freshName(kind);
      const memory = open(size, name);
      assert.deepEqual([memory.size, memory.buffer.byteLength], [size, size]);
      assert.equal(memory.buffer, memory.buffer);
      const again = open(undefined, name);
      assert.equal(again.size, size);
      assert.notEqual(again.buffer, memory.buffer);
      new Uint8Array(memory.buffer)[size - 1] = 200;
      assert.equal(new DataView(again.buffer).getUint8(size - 1), 200);
      assert.deepEqual(memory.inspect(), { kind, name, size });
    }
  });

  it('wrong sizes are refused before anything is touched', () => {
    for (const size of [0, -1, 1.5, NaN, Infinity, 2 ** 32 + 1, 2 ** 53]) {
      assert.throws(() => new SharedMemory(size), RangeError, String(size));
    }
    for (const size of ['1', null, {}, 1n, true]) {
      assert.throws(() => new SharedMemory(size as never), TypeError, String(size));
    }
    assert.throws(() => new SharedMemory(undefined), TypeError, 'anonymous, and must exist');
  });

  it('another size of the same name is an IncompatibleError, whether by a byte or by pages', () => {
    const name = freshName(kind);
    const memory = open(100, name);
    new Uint8Array(memory.buffer)[99] = 1;
    for (const size of [1, 99, 101, 4096, 1_000_000]) {
      assertThrows(() => open(size, name), 'IncompatibleError', { kind, objectName: name });
    }
    assert.equal(new Uint8Array(open(100, name).buffer)[99], 1);
  });

  it('after unlink() and a new open the bytes are others; old users keep the old ones', () => {
    const name = freshName(kind);
    const old = open(10, name);
    new Uint8Array(old.buffer).fill(1);
    old.unlink();
    const fresh = open(20, name);
    assert.deepEqual([...new Uint8Array(fresh.buffer)], Array(20).fill(0));
    assert.deepEqual([...new Uint8Array(old.buffer)], Array(10).fill(1));
  });

  describe('close()', () => {
    it('empties every view, and none of them crashes', () => {
      const memory = open(4096);
      const { buffer } = memory;
      const views = [new Uint8Array(buffer), new Float64Array(buffer, 8, 4), Buffer.from(buffer)];
      const data = new DataView(buffer);
      const other = open(4096, freshName(kind));
      memory.close();
      assert.equal(buffer.byteLength, 0);
      assertThrows(() => memory.buffer, 'ClosedError', { kind, objectName: memory.name });
      assertThrows(() => memory.size, 'ClosedError');
      for (const view of views) {
        view[0] = 5;
        assert.deepEqual([view.length, view.byteLength, view[0]], [0, 0, undefined]);
        assert.throws(() => [...view], TypeError);
        assert.throws(() => view.fill(1), TypeError);
      }
      assert.throws(() => data.getInt8(0), TypeError);
      assert.throws(() => Atomics.load(views[0] as Uint8Array, 0), /TypeError|RangeError/);
      assert.equal((views[2] as Buffer).toString('latin1'), '');
      assert.equal(new Uint8Array(other.buffer)[0], 0);
    });

    it('of one object leaves the bytes to the other objects of the thread', () => {
      const name = freshName(kind);
      const [one, two] = [open(10, name), open(10, name)];
      new Uint8Array(one.buffer)[3] = 3;
      one.close();
      assert.equal(new Uint8Array(two.buffer)[3], 3);
    });

    it('optimised code that goes on storing sees the length 0, and does not crash', () => {
      const memory = open(1 << 16);
      const words = new Int32Array(memory.buffer);
      const store = (value: number) => {
        for (let i = 0; i < words.length; i++) words[i] = value;
        return words.length;
      };
      for (let i = 0; i < 200; i++) assert.equal(store(i), 1 << 14);
      memory.close();
      for (let i = 0; i < 200; i++) assert.equal(store(i), 0);
    });

    // Threads of libuv's pool use addresses, so they do not learn that the view has become empty.
    it('while a thread of libuv’s pool works on a view', async () => {
      const memory = open(30_000_000);
      const view = new Uint8Array(memory.buffer);
      for (let i = 0; i < view.length; i += 7) view[i] = i % 251;
      const packed = promisify(zlib.deflate)(view, { chunkSize: 1 << 25 });
      await turn();
      memory.close();
      for (let i = 0; i < 20; i++) await turn();
      assert.ok((await packed).length > 0);
    });
  });

  describe('the buffer outlives what it came from', () => {
    it('its SharedMemory was collected: bytes and name stay as long as the buffer', async () => {
      const name = freshName(kind);
      const actor = await newProcess({ nodeArgs: ['--expose-gc'] });
      assert.deepEqual(await actor.act('dropMemory', { name, size: 5000 }), {
        collected: true,
        before: [7, 7],
        sharedStill: 8,
        afterDrop: false,
      });
    });

    it('a copy is a copy: structured clone, slice, Buffer.from(view)', () => {
      const memory = open(16);
      const bytes = new Uint8Array(memory.buffer);
      bytes.fill(4);
      const copies = [
        new Uint8Array(structuredClone(memory.buffer)),
        new Uint8Array(memory.buffer.slice(0)),
        Buffer.from(bytes),
        structuredClone(bytes),
      ];
      bytes.fill(5);
      memory.close();
      for (const copy of copies) assert.deepEqual([...copy], Array(16).fill(4));
    });

    // Node refuses the transfer or copies, depending on its version. In both cases the bytes stay.
    it('a transfer does not remove the bytes', async () => {
      const memory = open(16, freshName(kind));
      const bytes = new Uint8Array(memory.buffer);
      bytes.fill(4);
      const { buffer } = memory;
      const { port1, port2 } = new MessageChannel();
      for (const transfer of [
        () => structuredClone(buffer, { transfer: [buffer] }),
        () => port1.postMessage(buffer, [buffer]),
        () => port1.postMessage(bytes, [bytes.buffer]),
      ]) {
        try {
          transfer();
        } catch (error) {
          assert.equal((error as Error).name, 'DataCloneError');
        }
        assert.deepEqual([...bytes], Array(16).fill(4));
      }
      port1.close();
      port2.close();
      const again = open(undefined, memory.name);
      bytes[0] = 9;
      assert.equal(new Uint8Array(again.buffer)[0], 9);
      memory.close();
      assert.equal(bytes.length, 0);
    });

    it('ArrayBuffer.prototype.transfer(), where there is one, is no crash', function () {
      const memory = open(16);
      const { buffer } = memory as unknown as { buffer: { transfer?(): ArrayBuffer } };
      if (buffer.transfer === undefined) this.skip(); // Node 22 has it
      new Uint8Array(memory.buffer).fill(4);
      const moved = new Uint8Array(buffer.transfer());
      memory.close();
      assert.deepEqual([...moved], Array(16).fill(4));
    });
  });

  describe('with views, at the end of', () => {
    for (const how of ['process.exit()', 'the event loop', 'an exception', 'SIGTERM'] as const) {
      it(`a process, by ${how}`, () => {
        const code = `
          import { SharedMemory } from 'holdfast';
          const memory = new SharedMemory(1e6);
          globalThis.view = new Uint8Array(memory.buffer).fill(1);
          process.on('exit', () => { view[1] = 2; if (view[1] !== 2) process.exitCode = 9; });
          ${
            {
              'process.exit()': 'process.exit(3)',
              'the event loop': '',
              'an exception': 'throw new Error("on purpose")',
              SIGTERM: 'process.kill(process.pid, "SIGTERM"); setInterval(() => {}, 1000)',
            }[how]
          }`;
        const { status, signal } = spawnSync(
          process.execPath,
          ['--input-type=module', '--eval', code],
          { cwd: path.resolve(import.meta.dirname, '../../..'), timeout: 20_000 },
        );
        const expected = {
          'process.exit()': [3, null],
          'the event loop': [0, null],
          'an exception': [1, null],
          SIGTERM: [null, 'SIGTERM'],
        };
        assert.deepEqual([status, signal], expected[how]);
      });
    }

    it('a worker: terminated, exiting, running out, again and again', async () => {
      const name = freshName(kind);
      const memory = open(100_000, name);
      for (let round = 0; round < 3; round++) {
        for (const end of ['kill', 'exit', 'leave', 'crash'] as const) {
          const worker = await newWorker();
          const theirs = await worker.open(kind, { name });
          await worker.act('keepViews', { memory: theirs });
          await worker[end]();
        }
      }
      new Uint8Array(memory.buffer).fill(1);
    });
  });

  it('no space: NoSpaceError at open, nothing left, and a smaller one still fits', async function () {
    const mount = mountSmall('size=2m');
    if (mount === undefined) this.skip(); // needs the right to mount
    const directory = path.join(mount, 'objects');
    const actor = await newProcess({ env: { HOLDFAST_DIR: directory } });
    await actor.open('Lock', { name: 'other' });
    const files = readdirSync(directory).toSorted();
    const about = { kind, objectName: 'it', errno: 'ENOSPC', syscall: reserveCall };
    for (const size of [3e6, 2 ** 31, 2 ** 32]) {
      await assertRejects(actor.open(kind, { name: 'it' }, size), 'NoSpaceError', about);
      assert.deepEqual(readdirSync(directory).toSorted(), files);
    }
    const memory = await actor.open(kind, { name: 'it' }, 1e6);
    assert.equal(objectFiles(directory).length, 2);
    // Every byte has its storage, so a store never fails later.
    await actor.act('writeByte', { memory: memory, at: 999_999, value: 1 });
  });

  describeObject<SharedMemory>({
    kind,
    number: { name: 'size', value: 100, other: 101, largest: 5000 },
    open: (options) => new SharedMemory(100, options),
    mark: (memory) => void (new Uint8Array(memory.buffer)[50] = 1),
    isMarked: (memory) => new Uint8Array(memory.buffer)[50] === 1,
    calls: {
      buffer: (it) => it.buffer,
      size: (it) => it.size,
      inspect: (it) => it.inspect(),
      unlink: (it) => it.unlink(),
    },
    asArgument: [[0, 1, 7, 9, 9]],
  });
});
