// Waits that are given up in every way, in two sessions at once: what is left of them must keep
// nobody from a lock, a permit or a job afterwards.
import assert from 'node:assert/strict';
import { setTimeout as sleep } from 'node:timers/promises';
import { type Cluster, TimeoutError, type WaitOptions } from 'holdfast';
import { type Random, random, until, within } from '../../support/index.js';
import { forEachSubject, open, openBeside } from '../subjects.js';

const loops = 4;
const steps = 25;
const permits = 2;

/** Options of a wait that may end early, by itself or by an abort. */
function giveUpSoon(dice: Random): WaitOptions {
  const ms = dice.below(6);
  return dice.below(2) === 0 ? { timeout: ms } : { signal: AbortSignal.timeout(ms) };
}

/** Resolves to undefined if the wait was given up. */
async function unlessGivenUp<T>(wait: Promise<T>): Promise<T | undefined> {
  try {
    return await wait;
  } catch (error) {
    const isAbort = error instanceof DOMException && error.name === 'TimeoutError';
    if (error instanceof TimeoutError || isAbort) return undefined;
    throw error;
  }
}

/** What was put, and what was done, by all players. */
interface Jobs {
  readonly put: Set<number>;
  readonly done: number[];
}

class Player {
  readonly #cluster: Cluster;
  readonly #dice: Random;
  readonly #jobs: Jobs;

  constructor(cluster: Cluster, dice: Random, jobs: Jobs) {
    this.#cluster = cluster;
    this.#dice = dice;
    this.#jobs = jobs;
  }

  async play(): Promise<void> {
    for (let i = 0; i < steps; i++) {
      await [this.#lock, this.#permit, this.#put, this.#take][this.#dice.below(4)]!.call(this);
    }
  }

  async #lock(): Promise<void> {
    const mode = this.#dice.pick(['exclusive', 'shared'] as const);
    const options = { mode, ...giveUpSoon(this.#dice) };
    const hold = await unlessGivenUp(this.#cluster.locks.acquire('it', options));
    await sleep(this.#dice.below(3));
    await hold?.release();
  }

  async #permit(): Promise<void> {
    const semaphore = this.#cluster.semaphore('it', permits);
    const permit = await unlessGivenUp(semaphore.acquire(giveUpSoon(this.#dice)));
    await sleep(this.#dice.below(3));
    await permit?.release();
  }

  async #put(): Promise<void> {
    const value = this.#jobs.put.size;
    this.#jobs.put.add(value);
    await this.#cluster.queue<number>('it').put(value);
  }

  async #take(): Promise<void> {
    const queue = this.#cluster.queue<number>('it');
    const [task] = (await unlessGivenUp(queue.take({ max: 1, ...giveUpSoon(this.#dice) }))) ?? [];
    if (task === undefined) return;
    if (this.#dice.below(3) === 0) return task.retry();
    this.#jobs.done.push(task.value);
    await task.done();
  }
}

forEachSubject('waits that were given up', (subject) => {
  it('leave nothing behind', async () => {
    const dice = random('given up');
    const jobs: Jobs = { put: new Set(), done: [] };
    const clusters = [await open(subject)];
    clusters.push(await openBeside(subject, clusters[0]!));
    const players = clusters.flatMap((cluster) =>
      Array.from({ length: loops }, () => new Player(cluster, dice, jobs)),
    );
    await within(Promise.all(players.map((player) => player.play())), 'all steps');
    const { put, done } = jobs;
    for (const cluster of clusters) {
      await within(
        cluster.locks.request('it', () => {}),
        'the lock',
      );
      const semaphore = cluster.semaphore('it', permits);
      const all = Array.from({ length: permits }, () => semaphore.acquire());
      for (const permit of await within(Promise.all(all), 'all permits')) await permit.release();
    }
    const queue = clusters[0]!.queue<number>('it');
    // What a taker got too late is given back.
    const isThere = async () => (await queue.count()).waiting === put.size - done.length;
    await until(isThere, 'every job that is not done');
    while (done.length < put.size) {
      const task = await within(queue.take(), 'a job');
      done.push(task.value);
      await task.done();
    }
    assert.deepEqual(
      done.toSorted((one, other) => one - other),
      [...put],
    );
    assert.deepEqual(await queue.count(), { waiting: 0, taken: 0 });
  });
});
