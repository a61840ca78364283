// Must show: nobody waits for ever beside a greedy one that gets each next item, or puts into each
// next place, as soon as it has had one. Nothing bounds such a wait (docs/adr/0039-giving-way.md).
// The wait set wakes those who wait by turns, and that does.
import { type JoinableQueue, type Queue, SharedMemory } from 'holdfast';
import * as holdfast from 'holdfast';
import { freshName, newProcess, within } from '../../support/index.js';

const waits = 20;

interface Case {
  kind: 'Queue' | 'JoinableQueue';
  waiting: string;
  greedy: string;
  /** Makes what the greedy one and the waiting one compete for, one at a time. */
  slow: string;
}

const cases: Case[] = [
  { kind: 'Queue', waiting: 'get', greedy: 'getSync', slow: 'putSync' },
  { kind: 'Queue', waiting: 'getSync', greedy: 'getSync', slow: 'putSync' },
  { kind: 'Queue', waiting: 'put', greedy: 'putSync', slow: 'getSync' },
  { kind: 'Queue', waiting: 'putSync', greedy: 'putSync', slow: 'getSync' },
  { kind: 'JoinableQueue', waiting: 'get', greedy: 'getSync', slow: 'putSync' },
  { kind: 'JoinableQueue', waiting: 'put', greedy: 'putSync', slow: 'getSync' },
];

const argumentsOf = (method: string) => (method.startsWith('put') ? [1] : []);

describe('beside a greedy producer or consumer', () => {
  for (const { kind, waiting, greedy, slow } of cases) {
    it(`${kind}: ${waiting}() is served beside ${greedy}()`, async function () {
      this.timeout(60_000);
      const queue: Queue | JoinableQueue = new holdfast[kind]({
        name: freshName('greedy'),
        maxSize: 4,
      });
      // Of each of the two: is it to stop, and how many calls has it made?
      const words = [new SharedMemory(8), new SharedMemory(8)] as const;
      const actors = await Promise.all([newProcess(), newProcess(), newProcess()]);
      const remotes = await Promise.all(actors.map((actor) => actor.attach(queue.toJSON())));
      const theirWords = await Promise.all(
        words.map((memory, i) => actors[i]!.attach(memory.toJSON())),
      );
      const calls = [slow, greedy].map((method, i) =>
        actors[i]!.startAct('callAgainAndAgain', {
          object: remotes[i],
          method,
          args: argumentsOf(method),
          words: theirWords[i],
          pause_ms: method === slow ? 1 : 0,
        }),
      );
      const view = new Int32Array(words[1].buffer);
      for (let i = 0; i < waits; i++) {
        await within(remotes[2]!.start(waiting, ...argumentsOf(waiting)), `${waiting}()`, 30_000);
      }
      console.log(`        ${waits} waits, and ${Atomics.load(view, 1)} greedy calls`);
      for (const memory of words) Atomics.store(new Int32Array(memory.buffer), 0, 1);
      await within(Promise.all(calls), 'the greedy one');
      for (const actor of actors) await actor.leave();
      queue.close();
      for (const memory of words) memory.close();
    });
  }
});
