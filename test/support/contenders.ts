// Contenders of a BoundedSemaphore or a ReadWriteLock, which report of each other what must not be.
import assert from 'node:assert/strict';
import { type Guard, SharedMemory } from 'holdfast';
import { Program, now } from './index.js';

interface Report {
  what: 'ready' | 'crowded' | 'torn' | 'abandoned';
  at: number;
  pid: number;
  inside?: number[];
}

/**
 * Contenders (programs/shared-contender.mjs) and their reports. The cell of one that was killed
 * would go on saying that it is inside, so this clears it.
 */
export class ContenderReports implements Disposable {
  readonly #memory: SharedMemory;
  readonly #words: Int32Array;
  readonly #all: Program[] = [];
  readonly #cells = new Map<Program, number>();
  /** When each was about to be killed, by pid. */
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

  /** Each has a cell of its own, from 0. */
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

  /** For a writer of the test: after a death it makes the pair of numbers equal again. */
  mend(guard: Guard): void {
    if (guard.abandoned) this.#words[1] = this.#words[0]!;
  }

  #reports(): Report[] {
    // Program keeps whole lines only, because the last line of one that was killed may be half a
    // line.
    return this.#all.flatMap((it) => it.lines.map((line) => JSON.parse(line) as Report));
  }

  count(what: Report['what']): number {
    return this.#reports().filter((report) => report.what === what).length;
  }

  /**
   * Checks that none has met more living ones than may be inside, or has seen a half-made change.
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
