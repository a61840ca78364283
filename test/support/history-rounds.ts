// Plays histories: rounds of random calls on a small queue, in which one player is killed and
// another is stopped for some milliseconds.
import { randomUUID } from 'node:crypto';
import { JoinableQueue, Queue, SharedMemory } from 'holdfast';
import { calls, wordsOfCall } from '../programs/actor/acts/history.mjs';
import type { Actor } from './actor.js';
import { newProcess } from './actors.js';
import { type Call, type CallName, unexplained } from './history.js';
import type { Random } from './random.js';
import { now, until, within } from './time.js';

const players = 4;
const callsOfPlayer = 500;
const maxSize = 3;
const logLength = (callsOfPlayer + 64) * wordsOfCall * 8;

export interface Played {
  rounds: number;
  calls: number;
  kills: number;
  stops: number;
  /** Calls in which a player was killed. */
  cut: number;
  /** What could not be explained, one text for each round. */
  faults: string[];
}

type ProcessActor = Awaited<ReturnType<typeof newProcess>>;

/** What stands in the log of one player. */
function read(player: number, log: SharedMemory): Call[] {
  const words = new Float64Array(log.buffer);
  const history: Call[] = [];
  for (let at = 0; at + wordsOfCall <= words.length && words[at] !== 0; at += wordsOfCall) {
    const [what, value, calledAt, result, returnedAt] = words.subarray(at, at + wordsOfCall);
    const call: Call = {
      player,
      name: calls[what! - 1] as CallName,
      value: value!,
      calledAt: calledAt!,
    };
    if (returnedAt !== 0) Object.assign(call, { result, returnedAt });
    history.push(call);
  }
  return history;
}

export class HistoryRounds {
  readonly played: Played = { rounds: 0, calls: 0, kills: 0, stops: 0, cut: 0, faults: [] };
  readonly #kind: 'Queue' | 'JoinableQueue';
  readonly #chance: Random;
  readonly #actors: Promise<ProcessActor>[] = [];

  constructor(kind: 'Queue' | 'JoinableQueue', chance: Random) {
    this.#kind = kind;
    this.#chance = chance;
    for (let player = 0; player < players; player++) this.#actors.push(newProcess());
  }

  async play(): Promise<void> {
    const chance = this.#chance;
    const Kind = this.#kind === 'Queue' ? Queue : JoinableQueue;
    using queue = new Kind<number>({ name: `history ${randomUUID()}`, maxSize });
    const logs = Array.from({ length: players }, () => new SharedMemory(logLength));
    const actors = await Promise.all(this.#actors);
    const places = await Promise.all(
      actors.map(async (actor, player) => ({
        queue: await actor.attach(queue.toJSON()),
        log: await actor.attach(logs[player]!.toJSON()),
      })),
    );
    const startAt = now() + 10;
    const acts = actors.map((actor, player) => {
      const seed = chance.below(2 ** 31);
      const plan = { ...places[player]!, seed, count: callsOfPlayer, player, startAt };
      return actor.startAct('playHistory', plan);
    });
    const history: Call[] = [];
    const victim = chance.below(players);
    const isKilled = chance.below(3) !== 0;
    const sleeper = (victim + chance.whole(1, players - 1)) % players;
    if (chance.below(2) === 0) {
      await this.#inTheMiddle(logs[sleeper]!);
      this.played.stops++;
      actors[sleeper]!.signal('SIGSTOP');
      setTimeout(() => actors[sleeper]!.signal('SIGCONT'), chance.below(8));
    }
    if (isKilled) {
      await this.#inTheMiddle(logs[victim]!);
      history.push(await this.#kill(victim, actors[victim]!));
    }
    const living = acts.filter((_, player) => !isKilled || player !== victim);
    await within(Promise.all(living), 'the calls of a history');
    for (const [player, log] of logs.entries()) history.push(...read(player, log));
    this.#judge(history);
    await Promise.all(
      actors.map((actor, player) => (isKilled && player === victim ? undefined : actor.reset())),
    );
    for (const log of logs) log.close();
  }

  async end(): Promise<void> {
    for (const actor of await Promise.all(this.#actors)) await actor.leave();
  }

  /** Resolves when the player has made some of its calls, at no particular instant. */
  async #inTheMiddle(log: SharedMemory): Promise<void> {
    const words = new Float64Array(log.buffer);
    const at = this.#chance.below(callsOfPlayer / 2) * wordsOfCall;
    await until(() => words[at] !== 0, 'a call of a player');
    const end = now() + this.#chance.next();
    while (now() < end);
  }

  async #kill(player: number, actor: Actor): Promise<Call> {
    const calledAt = now();
    await actor.kill();
    this.played.kills++;
    this.#actors[player] = newProcess();
    return { player, name: 'dies', value: 0, calledAt, result: 0, returnedAt: now() };
  }

  #judge(history: readonly Call[]): void {
    const { played } = this;
    played.rounds++;
    played.calls += history.length;
    played.cut += history.filter((call) => call.returnedAt === undefined).length;
    const fault = unexplained(history, maxSize);
    if (fault !== undefined) played.faults.push(`${this.#kind}, round ${played.rounds}: ${fault}`);
  }
}
