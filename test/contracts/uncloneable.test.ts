// An object that is put into a message by itself, and not as its handle. By JSON its handle
// arrives. By structured clone it would arrive as a plain object that locks nothing, so the call of
// the sender throws, and the error says what to send instead.
import assert from 'node:assert/strict';
import { fork } from 'node:child_process';
import { once } from 'node:events';
import { inspect } from 'node:util';
import { serialize } from 'node:v8';
import { BroadcastChannel, MessageChannel, Worker } from 'node:worker_threads';
import { JoinableQueue, Lock, Process } from 'holdfast';
import { type NamedKind, openers } from '../support/index.js';
import { programFile } from '../support/program.js';

/** Each way in which a value is cloned for another thread or process. */
const ways: Record<string, (value: unknown) => void> = {
  'structuredClone()': (value) => void structuredClone(value),
  'v8.serialize()': (value) => void serialize(value),
  'workerData of a worker': (value) => void new Worker('', { eval: true, workerData: value }),
  'postMessage() of a port'(value) {
    const { port1, port2 } = new MessageChannel();
    try {
      port1.postMessage(value);
    } finally {
      port1.close();
      port2.close();
    }
  },
  'postMessage() of a channel'(value) {
    const channel = new BroadcastChannel('uncloneable');
    try {
      channel.postMessage(value);
    } finally {
      channel.close();
    }
  },
};

function refuses(value: unknown, message: RegExp): void {
  for (const [way, clone] of Object.entries(ways)) {
    for (const sent of [value, { inside: [value] }, new Map([['key', value]])]) {
      assert.throws(() => clone(sent), message, way);
    }
  }
}

describe('an object in a message', () => {
  for (const [kind, make] of Object.entries(openers)) {
    describe(kind, () => {
      let object: ReturnType<(typeof openers)[NamedKind]> | undefined;
      beforeEach(() => {
        object = make({});
      });
      afterEach(() => object?.close());

      it('is refused by structured clone, with an error that names attach()', () => {
        refuses(object, new RegExp(`a ${kind}: send its toJSON\\(\\), and call attach\\(\\)`));
      });

      it('is its handle in JSON', () => {
        const { name } = object as unknown as Lock;
        const handle = JSON.parse(JSON.stringify(object));
        assert.deepEqual(handle, { holdfast: kind, name });
      });

      it('is shown without what makes structured clone refuse it', () => {
        for (const shown of [inspect(object), inspect({ object }), inspect([[[object]]])]) {
          assert.ok(!shown.includes('structured clone') && !shown.includes('Symbol('), shown);
        }
        assert.ok(inspect(object).startsWith(`${kind} {`));
        assert.equal(inspect(object, { depth: -1 }), `[${kind}]`);
      });
    });
  }

  it('is refused by child.send() with advanced serialization', async () => {
    const child = fork(programFile('process-traveller.mjs'), ['message'], {
      execArgv: [],
      serialization: 'advanced',
    });
    const lock = new Lock();
    assert.throws(() => child.send({ lock } as never), /a Lock: .*attach\(\)/);
    child.kill('SIGKILL');
    await once(child, 'exit');
    lock.close();
  });

  it('also what belongs to one thread is refused: a guard, a task, a Process', () => {
    const lock = new Lock();
    const queue = new JoinableQueue<number>();
    queue.tryPut(1);
    const guard = lock.acquireSync();
    const task = queue.takeSync();
    refuses(guard, /a Guard: .*pass the lock instead/);
    refuses(task, /a Task: .*pass its value instead/);
    refuses(new Process({ module: './none.mjs', export: 'none' }), /a Process: /);
    assert.equal(inspect(task), 'LeasedTask { value: 1, deliveries: 1, priority: 0 }');
    const items = new JoinableQueue<unknown>();
    for (const item of [{ guard }, { task }]) {
      assert.throws(() => items.tryPut(item), /item\.(guard|task) is a (Guard|Task): /);
    }
    items.close();
    task.done();
    guard.release();
    lock.close();
    queue.close();
  });
});
