// Kills processes that request and hold named locks, each at a random instant, and has what they
// wrote down judged.
import { randomUUID } from 'node:crypto';
import { LockManager, SharedMemory } from 'holdfast';
import { wordsOfRow } from '../programs/actor/acts/lock-ledger.mjs';
import { type ProcessActor, newProcess } from './actors.js';
import { type Kill, type LedgerRequest, type Verdict, judge, readLedger } from './lock-ledger.js';
import type { Random } from './random.js';
import { now, until, within } from './time.js';

const players = 4;
const plan = { names: 3, lanes: 4 };
const rows = 4000;

interface Player {
  readonly number: number;
  readonly actor: ProcessActor;
  readonly log: SharedMemory;
  readonly playing: Promise<unknown>;
}

export class LockKills {
  readonly #chance: Random;
  readonly #manager = new LockManager({ namespace: `kills ${randomUUID()}` });
  readonly #stop = new SharedMemory(4);
  readonly #kills = new Map<number, Kill>();
  readonly #requests: LedgerRequest[] = [];
  #started = 0;

  constructor(chance: Random) {
    this.#chance = chance;
  }

  async play(kills: number): Promise<Verdict> {
    const seats = Array.from({ length: players }, () => this.#start());
    for (let kill = 0; kill < kills; kill++) {
      const seat = this.#chance.below(players);
      await this.#kill(await seats[seat]!);
      seats[seat] = this.#start();
    }
    const survivors = await Promise.all(seats);
    new Int32Array(this.#stop.buffer)[0] = 1;
    for (const player of survivors) {
      await within(player.playing, 'the end of a player');
      this.#read(player);
      await player.actor.leave();
    }
    const left = await this.#manager.query();
    const verdict = judge(this.#requests, this.#kills);
    if (left.held.length + left.pending.length > 0) {
      verdict.faults.push(`left in the table: ${JSON.stringify(left)}`);
    }
    this.#manager.unlink(); // it may have news of a death, and would be kept for them
    this.#manager.close();
    this.#stop.close();
    return verdict;
  }

  async #start(): Promise<Player> {
    const number = this.#started++;
    const actor = await newProcess();
    const log = new SharedMemory(rows * wordsOfRow * 8);
    const playing = actor.startAct('playLocks', {
      manager: await actor.make('LockManager', { namespace: this.#manager.namespace }),
      log: await actor.attach(log.toJSON()),
      stop: await actor.attach(this.#stop.toJSON()),
      seed: this.#chance.below(2 ** 31),
      ...plan,
    });
    playing.catch(() => {}); // of those that are killed
    return { number, actor, log, playing };
  }

  /** In the middle of its requests, at no particular instant. */
  async #kill(player: Player): Promise<void> {
    const words = new Float64Array(player.log.buffer);
    const first = this.#chance.below(200) * wordsOfRow;
    const hasAsked = () => words.subarray(first, first + wordsOfRow).some((word) => word !== 0);
    await until(hasAsked, 'a request of a player');
    for (const end = now() + this.#chance.next(); now() < end; );
    const from = now();
    await player.actor.kill();
    this.#kills.set(player.number, { from, to: now() });
    this.#read(player);
  }

  #read({ number, log }: Player): void {
    for (const one of readLedger(number, log.buffer)) this.#requests.push(one);
    log.close();
  }
}
