// Must show: each wait of each kind, blocking or not, ends with RemovedError when somebody removes
// the directory under it.
import path from 'node:path';
import { rmSync } from 'node:fs';
import {
  type Call,
  type RemoteObject,
  assertRejects,
  newProcess,
  platform,
  temporaryDirectory,
} from '../support/index.js';
import { semaphoreName } from '../programs/semaphore-name.mjs';

interface WaitOfKind {
  kind: string;
  /** What the class is made with, before its options. */
  parameters?: unknown[];
  options?: object;
  /** Makes the other process wait. */
  block?: (ours: RemoteObject, theirs: RemoteObject) => Promise<unknown>;
  waits: string[];
  begin?: (theirs: RemoteObject, wait: string) => Call<unknown>;
}

const held = (method: string) => (ours: RemoteObject) => ours.keep(method);
const put = (ours: RemoteObject) => ours.call('put', 1);
const puts = (theirs: RemoteObject, wait: string) => theirs.start(wait, 2);

const all: WaitOfKind[] = [
  { kind: 'Lock', block: held('acquire'), waits: ['acquire', 'acquireSync'] },
  { kind: 'RLock', block: held('acquire'), waits: ['acquire', 'acquireSync'] },
  { kind: 'Semaphore', parameters: [0], waits: ['acquire', 'acquireSync'] },
  {
    kind: 'BoundedSemaphore',
    parameters: [1],
    block: held('acquire'),
    waits: ['acquire', 'acquireSync'],
  },
  {
    kind: 'ReadWriteLock',
    block: held('acquireExclusive'),
    waits: ['acquireShared', 'acquireSharedSync', 'acquireExclusive', 'acquireExclusiveSync'],
  },
  { kind: 'Event', waits: ['wait', 'waitSync'] },
  {
    kind: 'Condition',
    parameters: [undefined],
    block: (_, theirs) => theirs.keep('acquireSync'),
    waits: ['wait', 'waitSync'],
  },
  { kind: 'Barrier', parameters: [2], waits: ['wait', 'waitSync'] },
  { kind: 'Queue', waits: ['get', 'getSync'] },
  { kind: 'Queue', waits: ['getMany', 'getManySync'], begin: (it, wait) => it.start(wait, 2) },
  {
    kind: 'Queue',
    options: { maxSize: 1 },
    block: put,
    waits: ['put', 'putSync'],
    begin: puts,
  },
  { kind: 'JoinableQueue', waits: ['get', 'getSync', 'take', 'takeSync'] },
  {
    kind: 'JoinableQueue',
    options: { maxSize: 1 },
    block: put,
    waits: ['put', 'putSync'],
    begin: puts,
  },
  { kind: 'JoinableQueue', block: put, waits: ['join', 'joinSync'] },
  {
    kind: 'LockManager',
    block: (ours) => ours.keep('acquire', 'resource'),
    waits: ['holdForever', 'requestSyncOnce'],
    begin: (theirs, wait) => theirs.actor.startAct(wait, { object: theirs, name: 'resource' }),
  },
];

const leftSemaphores: string[] = [];

describe('waits for what is removed', () => {
  // Somebody enters another directory, and takes away the semaphores of those that were removed.
  after(async () => {
    for (const file of leftSemaphores) rmSync(file, { force: true });
    const last = await newProcess({ env: { HOLDFAST_DIR: temporaryDirectory() } });
    await last.open('RLock', { name: 'it' });
    await last.leave();
  });

  for (const { kind, parameters = [], options = {}, block, waits, begin } of all) {
    for (const wait of waits) {
      it(`${kind}: ${wait}() ends`, async () => {
        const directory = path.join(temporaryDirectory(), 'objects');
        const enter = () => newProcess({ env: { HOLDFAST_DIR: directory } });
        const actors = await Promise.all([enter(), enter()]);
        const named = kind === 'LockManager' ? { namespace: 'it' } : { name: 'it', ...options };
        const [ours, theirs] = await Promise.all(
          actors.map((actor) => actor.make(kind, ...parameters, named)),
        );
        await block?.(ours!, theirs!);
        const waiting = begin ? begin(theirs!, wait) : theirs!.start(wait);
        await waiting.started;
        // The program sweeps them, but not on macOS, where nobody can list semaphores.
        if (platform === 'darwin') {
          leftSemaphores.push(`/dev/shm/sem.${semaphoreName(directory, 'it')}`);
        }
        rmSync(directory, { recursive: true });
        // A Condition takes its lock again, which is removed, too: the error names that one.
        const about = kind === 'Condition' ? {} : { kind, objectName: 'it' };
        await assertRejects(waiting, 'RemovedError', about);
      });
    }
  }
});
