// A session of this process, as long as it lives: what it holds, what it waits for, and its lease.
import { ClosedError, label } from '../errors.js';
import type { Engine, EngineSession, Grant, SessionNews } from './engine.js';
import { LockLostError, type LostReason } from './errors.js';
import { type Instant, Lease } from './lease.js';
import type { ReadClusterOptions } from './options.js';

/** A request of the session that waits or holds. None of these throws. */
export interface Requester {
  granted(grant: Grant): void;
  stolen(): void;
  failed(error: Error): void;
}

/** Who is told when the session is lost or closed. */
export interface Dependent {
  lost(error: LockLostError | ClosedError): void;
}

const words: Readonly<Record<LostReason, string>> = {
  lease: 'the lease of the session ran out',
  connection: 'a connection to the engine broke',
  engine: 'the engine knows the session no more',
  stolen: 'another request took the lock',
};

/** @internal */
export function lostError(reason: LostReason, what: string, cause?: unknown): LockLostError {
  return new LockLostError(reason, `${what}: ${words[reason]}`, { cause });
}

export class Session implements SessionNews {
  /** Opens one. Rejects as Engine.open(). */
  static async open(engine: Engine, options: ReadClusterOptions): Promise<Session> {
    const session = new Session(engine, options);
    try {
      session.#engine = await engine.open(session);
    } catch (error) {
      session.#lease?.stop();
      throw error;
    }
    if (session.#lost !== undefined) {
      session.#engine.destroy();
      throw session.#lost;
    }
    return session;
  }

  readonly #name: string;
  readonly #ttl: number;
  #engine!: EngineSession;
  #lease: Lease | undefined;
  #lost: LockLostError | ClosedError | undefined;
  #requests = 0;
  readonly #requesters = new Map<number, Requester>();
  readonly #dependents = new Set<Dependent>();
  /** What happens when a queue may have a job. */
  readonly #onJobs = new Map<string, () => void>();

  private constructor(engine: Engine, { namespace, ttl }: ReadClusterOptions) {
    this.#name = label(`${engine.name} namespace`, namespace);
    this.#ttl = ttl;
  }

  get engine(): EngineSession {
    return this.#engine;
  }

  /** Why it is over. Undefined while it lives. */
  get lostError(): LockLostError | ClosedError | undefined {
    return this.#lost;
  }

  /** @throws LockLostError if it is lost, or may be by the clocks; ClosedError. */
  check(): void {
    if (this.#lost === undefined && this.#lease?.isOver) this.lost('lease');
    if (this.#lost !== undefined) throw this.#lost;
  }

  /** A number for a request, of which `requester` hears from now on. */
  enter(requester: Requester): number {
    const request = ++this.#requests;
    this.#requesters.set(request, requester);
    return request;
  }

  leave(request: number): void {
    this.#requesters.delete(request);
  }

  /** `dependent` hears of the loss of the session, until forget(). */
  tell(dependent: Dependent): void {
    this.#dependents.add(dependent);
  }

  forget(dependent: Dependent): void {
    this.#dependents.delete(dependent);
  }

  /** Calls back when the queue may have a job. One callback for each queue. */
  onJobs(queue: string, callback: () => void): void {
    this.#onJobs.set(queue, callback);
  }

  renewed(sent: Instant): void {
    if (this.#lost !== undefined) return;
    if (this.#lease !== undefined) this.#lease.renewed(sent);
    else this.#lease = new Lease(this.#ttl, sent, () => this.lost('lease'));
  }

  granted(request: number, grant: Grant): void {
    this.#requesters.get(request)?.granted(grant);
  }

  stolen(request: number): void {
    this.#requesters.get(request)?.stolen();
  }

  failed(request: number, error: Error): void {
    this.#requesters.get(request)?.failed(error);
  }

  jobs(queue: string): void {
    this.#onJobs.get(queue)?.();
  }

  lost(reason: LostReason, cause?: unknown): void {
    if (this.#lost !== undefined) return;
    // An engine forgets a session when its lease is over: then that is the reason.
    const isLate = reason === 'engine' && this.#lease?.isOver;
    this.#end(lostError(isLate ? 'lease' : reason, this.#name, cause));
    this.#engine?.destroy();
  }

  /** Ends all that it holds and waits for, here and in the engine. */
  async close(): Promise<void> {
    if (this.#lost !== undefined) return;
    this.#end(new ClosedError(`${this.#name}: closed`));
    await this.#engine.close();
  }

  #end(error: LockLostError | ClosedError): void {
    this.#lost = error;
    this.#lease?.stop();
    this.#requesters.clear();
    // A dependent may forget others, and itself.
    for (const dependent of this.#dependents) dependent.lost(error);
    this.#dependents.clear();
  }
}
