// How a handle reaches another thread or process. In each case attach() opens the same object
// there.
import assert from 'node:assert/strict';
import { fork, spawn } from 'node:child_process';
import { once } from 'node:events';
import { Worker } from 'node:worker_threads';
import { attach, type Handle, list, Lock, NotFoundError, RLock, Semaphore } from 'holdfast';
import { programFile } from '../support/program.js';

const traveller = programFile('process-traveller.mjs');

describe('handles', () => {
  let lock: Lock;
  let rlock: RLock;
  let arrived: Semaphore;

  beforeEach(() => {
    lock = new Lock();
    rlock = new RLock({ name: 'transport/r' });
    arrived = new Semaphore(0);
    lock.acquireSync();
    rlock.acquireSync();
  });

  /** The receiver found both locks taken, and released one permit for each. */
  afterEach(() => {
    assert.equal(arrived.value(), 2);
    lock.release();
    rlock.release();
    for (const object of [lock, rlock, arrived]) object.close();
    assert.deepEqual(list(), []);
  });

  const handles = () => ({
    lock: lock.toJSON(),
    rlock: rlock.toJSON(),
    arrived: arrived.toJSON(),
  });
  /** The objects themselves; JSON makes handles of them. */
  const objects = () => ({ lock, rlock, arrived });

  it('travel as a message of child_process.fork (JSON)', async () => {
    const child = fork(traveller, ['message'], { execArgv: [] });
    child.send(objects() as never);
    const [code] = await once(child, 'exit');
    assert.equal(code, 0);
  });

  it('travel as a message of child_process.fork (structured clone)', async () => {
    const child = fork(traveller, ['message'], { execArgv: [], serialization: 'advanced' });
    child.send(handles());
    const [code] = await once(child, 'exit');
    assert.equal(code, 0);
  });

  it('travel as a message to a cluster worker', async () => {
    // The primary is a process of its own, so that the cluster settings of mocha's process stay.
    const child = fork(programFile('process-cluster.mjs'), [], {
      execArgv: [],
      env: { ...process.env, HANDLES: JSON.stringify(objects()) },
    });
    const [code] = await once(child, 'exit');
    assert.equal(code, 0);
  });

  it('travel in an environment variable', async () => {
    const env = { ...process.env, HANDLES: JSON.stringify(objects()) };
    const child = spawn(process.execPath, [traveller, 'environment'], { env, stdio: 'inherit' });
    const [code] = await once(child, 'exit');
    assert.equal(code, 0);
  });

  it('travel as a command-line argument', async () => {
    const args = [traveller, 'argument', JSON.stringify(objects())];
    const child = spawn(process.execPath, args, { stdio: 'inherit' });
    const [code] = await once(child, 'exit');
    assert.equal(code, 0);
  });

  it('travel as workerData', async () => {
    const worker = new Worker(traveller, {
      argv: ['workerData'],
      workerData: handles(),
      execArgv: [],
    });
    const [code] = await once(worker, 'exit');
    assert.equal(code, 0);
  });

  it('travel by postMessage to a worker', async () => {
    const worker = new Worker(traveller, { argv: ['postMessage'], execArgv: [] });
    worker.postMessage(handles());
    const [code] = await once(worker, 'exit');
    assert.equal(code, 0);
  });

  it('can be attached in the thread that made them', () => {
    const same = attach(JSON.parse(JSON.stringify(lock)) as Handle<'Lock'>);
    assert.equal(same.tryAcquire(), null);
    same.close();
    arrived.release(2);
  });

  it('are a NotFoundError when the object is gone or never existed', () => {
    const gone = new Semaphore(1);
    const handle = gone.toJSON();
    gone.close();
    assert.throws(() => attach(handle), NotFoundError);
    for (const wrong of [null, 'Lock', {}, { holdfast: 'Lock' }, { holdfast: 'Log', name: 'x' }]) {
      assert.throws(() => attach(wrong as never), TypeError);
    }
    arrived.release(2);
  });
});
