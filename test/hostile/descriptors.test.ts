// A process has descriptors because of its peers: one for each agent that it watches, and one for
// each agent that it has woken.
import assert from 'node:assert/strict';
import { readdirSync } from 'node:fs';
import {
  type Form,
  type ProcessActor,
  type RemoteObject,
  assertRejects,
  forms,
  newProcess,
  temporaryDirectory,
  until,
} from '../support/index.js';

const peers = 20;
const names = { semaphore: 'permits', event: 'go' };

function descriptors(actor: ProcessActor): number {
  return readdirSync(`/proc/${actor.pid}/fd`).length;
}

class Meeting {
  private constructor(
    readonly actor: ProcessActor,
    /** That many threads. Each is an agent. */
    readonly crowd: ProcessActor,
    readonly semaphore: RemoteObject,
    readonly event: RemoteObject,
  ) {}

  static async begin(wrapper: string[] = []): Promise<Meeting> {
    const env = { HOLDFAST_DIR: temporaryDirectory() };
    const [actor, crowd] = await Promise.all([newProcess({ env, wrapper }), newProcess({ env })]);
    const semaphore = await actor.open('BoundedSemaphore', { name: names.semaphore }, peers);
    const event = await actor.open('Event', { name: names.event });
    const jobs = Array.from({ length: peers }, () => ({ permits: peers, ...names }));
    await crowd.act('startWorkers', { program: 'peer', jobs }, 45_000);
    return new Meeting(actor, crowd, semaphore, event);
  }

  /** The actor watches all holders of a permit, and wakes all waiters. */
  async meet(form: Form): Promise<void> {
    const method = form === 'sync' ? 'acquireSync' : 'acquire';
    await assertRejects(this.semaphore.call(method, { timeout: 60 }), 'TimeoutError');
    await this.event.call('set');
  }
}

describe('descriptors of peers', function () {
  this.timeout(60_000); // to start so many threads takes seconds

  before(function () {
    if (process.platform !== 'linux') this.skip(); // needs /proc
  });

  for (const form of forms) {
    it(`of dead agents are closed: ${form}`, async () => {
      const meeting = await Meeting.begin();
      const { actor, crowd } = meeting;
      const before = descriptors(actor);
      await meeting.meet(form);
      assert.ok(descriptors(actor) >= before + peers, 'it has met them');
      await crowd.kill();
      // The next descriptor that it opens shows it.
      await until(async () => {
        await (await actor.open('Lock', { name: 'it' })).close();
        return descriptors(actor) <= before;
      }, 'the descriptors of the dead');
    });

    it(`of live agents are given back when no other descriptors are left: ${form}`, async () => {
      const meeting = await Meeting.begin(['sh', '-c', 'ulimit -n 52; exec "$@"', 'sh']);
      const { actor } = meeting;
      for (let round = 0; round < 3; round++) {
        await meeting.meet(form);
        const locks = [];
        for (let i = 0; i < 8; i++) locks.push(await actor.open('Lock', { name: `it ${i}` }));
        for (const lock of locks) {
          await (await lock.acquire()).release();
          await lock.close();
        }
      }
    });
  }
});
