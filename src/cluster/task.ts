// Tasks that take() has handed out, and their ends.
import type { ClusterTask } from './cluster.js';
import type { Taken } from './engine.js';
import { Fence } from './fence.js';
import { fromJson } from './json.js';
import type { Session } from './session.js';

interface Ending {
  readonly id: string;
  readonly isDone: boolean;
  readonly resolve: () => void;
  readonly reject: (reason: unknown) => void;
}

/** Collects the ends of tasks, and sends those of one moment in one command. */
export class Settler {
  readonly #session: Session;
  readonly #queue: string;
  #endings: Ending[] = [];
  #isSending = false;

  constructor(session: Session, queue: string) {
    this.#session = session;
    this.#queue = queue;
  }

  settle(id: string, isDone: boolean): Promise<void> {
    return new Promise((resolve, reject) => {
      this.#endings.push({ id, isDone, resolve, reject });
      if (this.#isSending) return;
      this.#isSending = true;
      process.nextTick(() => void this.#send());
    });
  }

  async #send(): Promise<void> {
    while (this.#endings.length > 0) {
      const endings = this.#endings;
      this.#endings = [];
      const idsOf = (isDone: boolean): string[] =>
        endings.filter((ending) => ending.isDone === isDone).map(({ id }) => id);
      try {
        this.#session.check();
        const known = await this.#session.engine.settle(this.#queue, idsOf(true), idsOf(false));
        if (known < endings.length) this.#session.lost('engine');
        this.#session.check();
        for (const { resolve } of endings) resolve();
      } catch (error) {
        const reason = this.#session.lostError ?? error;
        for (const { reject } of endings) reject(reason);
      }
    }
    this.#isSending = false;
  }
}

export class Task<T = unknown> extends Fence implements ClusterTask<T> {
  readonly value: T;
  readonly deliveries: number;
  readonly #id: string;
  readonly #settler: Settler;
  #ended: Promise<void> | undefined;

  constructor(session: Session, settler: Settler, { id, value, deliveries, token }: Taken) {
    super(session, token);
    this.#id = id;
    this.#settler = settler;
    this.value = fromJson(value) as T;
    this.deliveries = deliveries;
  }

  done(): Promise<void> {
    return this.#end(true);
  }

  retry(): Promise<void> {
    return this.#end(false);
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.#end(false);
  }

  #end(isDone: boolean): Promise<void> {
    this.#ended ??= this.#settle(isDone);
    return this.#ended;
  }

  async #settle(isDone: boolean): Promise<void> {
    if (this.lostError !== undefined) throw this.lostError;
    await this.#settler.settle(this.#id, isDone);
    this.over();
  }
}
