// Contenders of a BoundedSemaphore or a ReadWriteLock, each of which reports what it sees of the
// others that must not be.
import assert from 'node:assert/strict';
import { setTimeout as sleep } from 'node:timers/promises';
import { type Guard, SharedMemory } from 'holdfast';
import { Program, type Random, forms, now, random, until } from './index.js';

interface Report {
  what: 'ready' | 'crowded' | 'torn' | 'abandoned';
  at: number;
  pid: number;
  inside?: number[];
}

/**
 * Contenders (programs/shared-contender.mjs) and their reports. After a kill it clears the cell of
 * the victim, which would say for ever that the victim is inside.
 */
export class ContenderReports implements Disposable {
  readonly #memory: SharedMemory;
  readonly #words: Int32Array;
  readonly #all: Program[] = [];
  readonly #cells = new Map<Program, number>();
  /** The time just before each was killed, by pid. */
  readonly #killed = new Map<number, number>();

  constructor(
    readonly kind: 'BoundedSemaphore' | 'ReadWriteLock',
    readonly name: string,
    readonly permits: number,
    cells: number,
  ) {
    this.#memory = new SharedMemory(4 * (2 * cells + 2));
    this.#words = new Int32Array(this.#memory.buffer);
  }

  /** Starts a contender. Each has a cell of its own, from 0. */
  start(cell: number, form: 'sync' | 'async'): Program {
    const { kind, name, permits } = this;
    const args = [kind, name, form, this.#memory.name, String(cell), String(permits)];
    const program = new Program('shared-contender.mjs', { args });
    this.#all.push(program);
    this.#cells.set(program, cell + 2);
    return program;
  }

  async kill(program: Program): Promise<void> {
    this.#killed.set(program.pid, now());
    await program.kill();
    Atomics.store(this.#words, this.#cells.get(program)!, 0);
  }

  /** For a writer in the test: makes the pair of numbers equal again after a death. */
  mend(guard: Guard): void {
    if (guard.abandoned) this.#words[1] = this.#words[0]!;
  }

  /**
   * Runs five contenders, kills one after the other at random instants, and starts another in its
   * place. After each kill the survivors go on: `acquisitions()` grows. In the end it kills all.
   */
  async killAtRandom(
    { next, whole }: Random,
    kills: number,
    acquisitions: () => number,
  ): Promise<void> {
    const contenders = [0, 1, 2, 3, 4].map((i) => this.start(i, forms[i % 2]!));
    for (let kill = 0; kill < kills; kill++) {
      const victim = whole(0, contenders.length - 1);
      await contenders[victim]!.line('{"what":"ready"');
      await sleep(next() * 15);
      await this.kill(contenders[victim]!);
      contenders[victim] = this.start(5 + kill, forms[kill % 2]!);
      const before = acquisitions();
      await until(() => acquisitions() > before, 'another acquisition');
    }
    await Promise.all(contenders.map((it) => this.kill(it)));
  }

  /**
   * Kills six contenders, one after the other, at any instant of a release, while this thread
   * acquires and releases in `work`. After each kill it calls `check`.
   */
  async killWhileReleasing(work: () => Promise<unknown>, check: () => void): Promise<void> {
    const { next } = random('killed while releasing');
    for (let kill = 0; kill < 6; kill++) {
      const victim = this.start(kill, 'sync');
      await victim.line('{"what":"ready"');
      const working = work();
      await sleep(next() * 10);
      await this.kill(victim);
      await working;
      check();
    }
    this.assertSound();
  }

  #reports(): Report[] {
    // Program keeps whole lines only. A contender that was killed may have written a part of its
    // last line.
    return this.#all.flatMap((it) => it.lines.map((line) => JSON.parse(line) as Report));
  }

  count(what: Report['what']): number {
    return this.#reports().filter((report) => report.what === what).length;
  }

  /**
   * Checks that no contender met more live ones than may be inside, and that none saw a half-made
   * change.
   */
  assertSound(): void {
    const most = this.kind === 'BoundedSemaphore' ? this.permits - 1 : 0;
    const broken = this.#reports().filter(({ what, at, inside = [] }) => {
      const living = inside.filter((pid) => !((this.#killed.get(Math.abs(pid)) ?? Infinity) <= at));
      return what === 'torn' || (what === 'crowded' && living.length > most);
    });
    assert.deepEqual(broken, []);
    for (const it of this.#all) assert.equal(it.stderr, '');
  }

  [Symbol.dispose](): void {
    this.#memory.close();
  }
}
