// Contenders of a BoundedSemaphore or a ReadWriteLock, which tell of each other what must not be.
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
 * Contenders (programs/shared-contender.mjs) and what they say of each other. Who was killed may
 * still be said to be inside: the dead do not clear their cells, so this does.
 */
export class ContenderReports implements Disposable {
  readonly #memory: SharedMemory;
  readonly #words: Int32Array;
  readonly #all: Program[] = [];
  readonly #cells = new Map<Program, number>();
  /** By pid: when it was about to be killed. */
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

  /** What a writer of the test does that is told of a dead one: makes the pair whole again. */
  mend(guard: Guard): void {
    if (guard.abandoned) this.#words[1] = this.#words[0]!;
  }

  #reports(): Report[] {
    // The last line of one that was killed may be half a line: Program keeps whole ones only.
    return this.#all.flatMap((it) => it.lines.map((line) => JSON.parse(line) as Report));
  }

  count(what: Report['what']): number {
    return this.#reports().filter((report) => report.what === what).length;
  }

  /**
   * Nobody has met more of the living than may be inside, and nobody has seen a half-made change.
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
