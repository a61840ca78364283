// Plays random programs that may deadlock, in processes of which some are killed, and says which of
// their waits ended wrongly. The oracle of deadlock-programs.ts says which of them may end.
import { type ChildProcess, fork } from 'node:child_process';
import { setTimeout as sleep } from 'node:timers/promises';
import { type Form, Oracle, type Party, type Program, makeProgram } from './deadlock-programs.js';
import { type DeadlockedWait, NotFoundError, unlink } from 'holdfast';
import { programFile } from './program.js';
import { random } from '../programs/random.mjs';
import type { Random } from './random.js';
import { now, until } from './time.js';

interface Failure {
  readonly name: string;
  readonly message: string;
  /** Of a DeadlockError. */
  readonly cycle?: readonly DeadlockedWait[];
}

interface End {
  readonly party: Party;
  readonly error: Failure | undefined;
  readonly at: number;
}

/** Is the wait that ended the one that began last? */
function isYoungest([ended, ...others]: readonly DeadlockedWait[]): boolean {
  return others.every(({ waitedFor }) => ended!.waitedFor <= waitedFor);
}

/** What a player says. */
interface Said {
  readonly key: string;
  readonly event: 'ready' | 'begun' | 'asked' | 'has' | 'ended';
  readonly error?: Failure;
  /** Of `ended`: right before it released anything. On the clock of the machine. */
  readonly at: number;
}

/** Longer than it takes to find a deadlock: then nothing may end any more. */
const longEnough_ms = 1700;

/** Within which a deadlock is found where the processors are not overloaded. */
const goal_ms = 2000;

class Player {
  readonly listeners = new Map<string, (said: Said) => void>();
  readonly ready: Promise<unknown>;
  readonly ended: Promise<unknown>;
  isAlive = true;
  readonly #process: ChildProcess;

  constructor() {
    this.#process = fork(programFile('deadlock-player.mjs'), { execArgv: [] });
    this.ready = new Promise((resolve) => this.listeners.set('ready', resolve));
    this.#process.on('message', (said: Said) => this.listeners.get(said.key ?? 'ready')?.(said));
    this.ended = new Promise<void>((resolve) => {
      this.#process.on('exit', () => {
        this.isAlive = false;
        resolve();
      });
    });
  }

  send(message: object): void {
    if (this.#process.connected) this.#process.send(message, () => {});
  }

  kill(): Promise<unknown> {
    this.#process.kill('SIGKILL');
    return this.ended;
  }

  leave(): Promise<unknown> {
    if (this.#process.connected) this.#process.disconnect();
    return this.ended;
  }
}

export interface Verdict {
  programs: number;
  /** Programs with a deadlock. */
  deadlocked: number;
  /** Waits that ended by a DeadlockError. */
  errors: number;
  kills: number;
  /** The longest time in milliseconds from the last wait of a deadlock to its end. */
  longest: number;
  /** Deadlocks that took longer than `goal_ms`. */
  late: number;
  faults: string[];
}

/** One program in some players. */
class Round {
  readonly #program: Program;
  readonly #players: readonly Player[];
  readonly #label: string;
  readonly #oracle: Oracle;
  readonly #verdict: Verdict;
  readonly #said = new Map<Party, { has: number; asked: number; at: number }>();
  readonly #left: Set<Party>;
  /** Resolves when all steps have been given. */
  readonly built: Promise<void>;
  #isBuilt!: () => void;
  /** What the parties have ended with, as it was heard. */
  readonly #ends: End[] = [];
  #wasStuck = false;
  #hasDeaths = false;

  constructor(label: string, program: Program, players: readonly Player[], verdict: Verdict) {
    this.#program = program;
    this.#players = players;
    this.#label = label;
    this.#oracle = new Oracle(program);
    this.#verdict = verdict;
    this.#left = new Set(program.parties);
    this.built = new Promise((resolve) => (this.#isBuilt = resolve));
  }

  async play(chance: Random): Promise<void> {
    for (const party of this.#program.parties) await this.#begin(party);
    // A deadlock may be found before all steps have been given.
    while (!this.#hasEnded() && this.#oracle.able().length > 0) {
      await this.#step(chance.pick(this.#oracle.able()));
    }
    for (const party of this.#left) this.#tell(party, 'finish');
    this.#isBuilt();
    await this.#waitForErrors();
    for (const party of this.#left) this.#tell(party, 'giveUp');
    await until(() => this.#left.size === 0, `the end of all parties; ${this.#show()}`);
    this.#judge();
    if (this.#hasDeaths) this.#unlinkAll();
    for (const party of this.#program.parties)
      this.#playerOf(party).listeners.delete(this.#key(party));
  }

  /** What the dead held is kept as news for the next holder, who never comes. */
  #unlinkAll(): void {
    for (const { kind, name } of this.#program.resources) {
      try {
        unlink(kind, name);
      } catch (error) {
        if (!(error instanceof NotFoundError)) throw error;
      }
    }
  }

  /** Its player was killed. */
  died(player: Player): void {
    for (const party of this.#left) {
      if (this.#playerOf(party) !== player) continue;
      this.#left.delete(party);
      this.#hasDeaths = true;
      // What the dead had ended before may be told a moment later.
      this.#oracle.remove(party, now() + 300);
    }
  }

  // ----

  async #begin(party: Party): Promise<void> {
    const said = { has: 0, asked: 0, at: 0 };
    this.#said.set(party, said);
    let hasBegun = false;
    this.#playerOf(party).listeners.set(this.#key(party), ({ event, error, at }) => {
      if (event === 'begun') hasBegun = true;
      if (event === 'has') said.has++;
      if (event === 'asked') said.asked++;
      if (event === 'ended') this.#ended(party, error, at);
    });
    const { form, steps } = party;
    this.#tell(party, 'begin', { form, steps });
    await until(() => hasBegun || !this.#left.has(party), 'the beginning of a party');
  }

  async #step(party: Party): Promise<void> {
    const said = this.#said.get(party)!;
    const { has, asked } = said;
    said.at = now();
    const hasIt = this.#oracle.step(party);
    this.#tell(party, 'next');
    const isOver = () => !this.#left.has(party) || this.#hasEnded();
    const isDone = () => (hasIt ? said.has > has : said.asked > asked);
    await until(() => isDone() || isOver(), `a step of a party; ${this.#show()}`);
    // A thread that is about to block has said so, and blocks a moment later.
    if (!hasIt && party.form === 'blocked') await sleep(30);
  }

  #hasEnded(): boolean {
    return this.#left.size < this.#program.parties.length;
  }

  async #waitForErrors(): Promise<void> {
    for (;;) {
      const stuck = this.#oracle.stuck();
      if (stuck.length === 0) break;
      if (!this.#wasStuck) this.#verdict.deadlocked++;
      this.#wasStuck = true;
      const before = this.#left.size;
      const numbers = stuck.map(({ number }) => number).join();
      const what = `a DeadlockError of one of ${numbers}; ${this.#show()}`;
      await until(() => this.#left.size < before || this.#oracle.stuck().length === 0, what);
    }
    if (this.#left.size > 0) await sleep(longEnough_ms);
  }

  #ended(party: Party, error: Failure | undefined, at: number): void {
    if (!this.#left.delete(party)) return;
    this.#ends.push({ party, error, at });
    this.#oracle.remove(party, at);
  }

  /**
   * Judges all ends when the last one has been heard of. Each is judged by those who were still
   * there right before it. So if two waits of one circle end with an error, then the second of them
   * is in no circle any more, and is a fault.
   */
  #judge(): void {
    for (const { party, error, at } of this.#ends) {
      const stuck = this.#oracle.stuck(at);
      const isStuck = stuck.includes(party);
      if (error?.name === 'DeadlockError') {
        this.#verdict.errors++;
        if (isStuck) this.#noteTime(stuck, at);
        else this.#fault(party, `must not end: ${error.message}`);
        if (!isYoungest(error.cycle!)) this.#fault(party, `is not the youngest: ${error.message}`);
      } else if (error !== undefined && error.message !== 'given up') {
        this.#fault(party, `${error.name}: ${error.message}`);
      } else if (error !== undefined && isStuck && party.form !== 'loose') {
        this.#fault(party, 'was given up, and is in a deadlock');
      }
    }
  }

  #noteTime(stuck: readonly Party[], at: number): void {
    const took = at - Math.max(...stuck.map((one) => this.#said.get(one)!.at));
    this.#verdict.longest = Math.max(this.#verdict.longest, took);
    if (took > goal_ms) this.#verdict.late++;
  }

  #fault(party: Party, text: string): void {
    this.#verdict.faults.push(`party ${party.number} ${text}; ${this.#show()}`);
  }

  #show(): string {
    const { parties } = this.#program;
    const step = ({ resource, isShared }: Party['steps'][number]) =>
      `${resource.kind} ${resource.name}${isShared ? ' shared' : ''} of ${resource.permits}`;
    const shown = parties.map((party) => {
      const { form, seat, steps } = party;
      const { has, asked } = this.#said.get(party) ?? {};
      return `${form} in ${seat} has ${has} asked ${asked}: ${steps.map(step).join(', ')}`;
    });
    return `${this.#label}: ${shown.join(' | ')}`;
  }

  #key(party: Party): string {
    return `${this.#label} ${party.number}`;
  }

  #playerOf(party: Party): Player {
    return this.#players[party.seat]!;
  }

  #tell(party: Party, what: string, more: { form?: Form; steps?: Party['steps'] } = {}): void {
    this.#playerOf(party).send({ do: what, key: this.#key(party), ...more });
  }
}

/** Six processes, which play one program after the other, or some at a time if none blocks. */
export class Lane {
  readonly #chance: Random;
  readonly #label: string;
  readonly #players: Player[] = [];
  readonly #verdict: Verdict;
  #programs = 0;

  constructor(label: string, chance: Random, verdict: Verdict) {
    this.#label = label;
    this.#chance = chance;
    this.#verdict = verdict;
  }

  async play(atOnce: number, mayBlock: boolean, kills: boolean): Promise<void> {
    while (this.#players.length < 6) this.#players.push(new Player());
    await Promise.all(this.#players.map((player) => player.ready));
    const players = [...this.#players];
    const rounds = Array.from({ length: atOnce }, () => {
      const label = `${this.#label} ${++this.#programs}`;
      return new Round(label, makeProgram(this.#chance, label, mayBlock), players, this.#verdict);
    });
    const played = Promise.all(rounds.map((round) => round.play(this.#chance)));
    this.#verdict.programs += atOnce;
    if (kills) await this.#killOne(rounds);
    await played;
  }

  /** At any time until a deadlock has been found, and a little later. */
  async #killOne(rounds: Round[]): Promise<void> {
    const place = this.#chance.below(6);
    const player = this.#players[place]!;
    const delay_ms = this.#chance.below(1300);
    await Promise.all(rounds.map((round) => round.built));
    await sleep(delay_ms);
    await player.kill();
    this.#verdict.kills++;
    for (const round of rounds) round.died(player);
    this.#players[place] = new Player();
  }

  async end(): Promise<void> {
    await Promise.all(this.#players.map((player) => player.leave()));
  }
}

/** Programs that one lane plays at once, if none of them blocks. */
const atOnce = 20;

/** Plays so many programs in some lanes. In a third of the plays a process is killed. */
export async function playDeadlocks(
  chance: Random,
  programs: number,
  lanes: number,
): Promise<Verdict> {
  const verdict = {
    programs: 0,
    deadlocked: 0,
    errors: 0,
    kills: 0,
    longest: 0,
    late: 0,
    faults: [],
  };
  let begun = 0;
  const play = async (lane: Lane): Promise<void> => {
    while (begun < programs) {
      // Some at once that do not block, then four of others.
      const some = Math.min(atOnce, programs - begun);
      begun += some;
      await lane.play(some, false, chance.below(3) === 0);
      for (let i = 0; i < 4 && begun < programs; i++, begun++) {
        await lane.play(1, true, chance.below(3) === 0);
      }
    }
    await lane.end();
  };
  const all = Array.from({ length: lanes }, (_, i) => {
    const label = `deadlocks ${process.pid} ${i}`;
    return play(new Lane(label, random(chance.below(2 ** 31)), verdict));
  });
  await Promise.all(all);
  return verdict;
}
