// Finds deadlocks among the requests of a namespace, and ends the waits of this session that are
// the youngest of one.
//
//   1  While a request of the session has waited for a second, the session tells so again and
//      again, each time with a higher count, and reads what all tell: told_waits(). It asks on the
//      same connection as the requests, so a request that was given up before is gone by then.
//   2  It looks for circles, as src/deadlocks/ does on one host. Only the session whose wait is the
//      youngest of a circle goes on.
//   3  It notes all counts, and looks until all sessions of the circle have told twice after that.
//      What was sent second was sent after the note. So all waits of the circle, and all holds in
//      it, were there at the moment of the note, and their processes lived and wanted them
//      (INV-27).
//   4  It ends its wait, if all waits of the circle are still there: end_deadlock().
import { type Wait, circlesIn, youngestOf } from '../../deadlocks/circles.js';
import type { Pin, Told, ToldWait } from '../../deadlocks/record.js';
import { toCycle, toWords } from '../../deadlocks/words.js';
import { DeadlockError, label } from '../../errors.js';
import { now } from '../../waiting/clock.js';
import { clientOf } from '../client.js';
import { nameOf } from '../names.js';
import { Looks } from './looks.js';

/** How long a wait lasts before it is told. The same number is in told_waits(). */
const patience_ms = 1000;
/** From one look to the next, while some wait keeps something. */
const between_ms = 300;

/** What told_waits() returns. */
export interface ToldRows {
  readonly waits: readonly {
    readonly kind: 'l' | 's';
    readonly key: string;
    readonly name: string;
    readonly permits: number | null;
    readonly exclusive: boolean;
    readonly place: number;
    readonly session: number;
    readonly request: number;
    readonly inside: readonly number[];
    readonly told: number;
    readonly client: string;
    /** When it began, and for how long it has waited: milliseconds by the clock of the server. */
    readonly since: number;
    readonly age: number;
  }[];
  readonly holds:
    | readonly {
        readonly kind: 'l' | 's';
        readonly key: string;
        readonly session: number;
        readonly request: number;
        readonly exclusive: boolean;
      }[]
    | null;
}

/** The wait of a request, for those who end it. */
export interface Member {
  readonly session: number;
  readonly request: number;
}

export interface DeadlockCalls {
  /** Null: no wait keeps anything. */
  look(): Promise<ToldRows | null>;
  /** Ends the request if all waits of the circle are still there. */
  end(request: number, circle: readonly Member[]): Promise<boolean>;
  /** It has ended it. `at`: now, by the clock of the server. */
  ended(youngest: Wait, circle: ReadonlySet<Wait>, at: number): void;
}

export class Deadlocks {
  readonly #session: string;
  readonly #calls: DeadlockCalls;
  /** When each wait began, the oldest first. */
  readonly #waits = new Map<number, number>();
  /** The counts at the first sight of a circle, by what that consists of. */
  #suspects = new Map<string, ReadonlyMap<string, number>>();
  readonly #looks = new Looks(
    () => this.#look(),
    () => this.#waits.size > 0,
  );

  constructor(session: number, calls: DeadlockCalls) {
    this.#session = String(session);
    this.#calls = calls;
  }

  add(request: number): void {
    this.#waits.set(request, now());
    this.#looks.begin(patience_ms);
  }

  delete(request: number): void {
    this.#waits.delete(request);
  }

  end(): void {
    this.#looks.end();
  }

  /** Errors need no care: a connection that fails ends the session. */
  async #look(): Promise<number> {
    let next_ms = patience_ms;
    try {
      const [oldest] = this.#waits.values();
      if (oldest !== undefined && now() - oldest >= patience_ms) {
        const rows = await this.#calls.look();
        if (rows !== null) next_ms = between_ms;
        const [any] = rows?.waits ?? [];
        await this.#search(rows === null ? [] : toTold(rows), any ? any.since + any.age : 0);
      }
    } catch {
      // Said above.
    }
    return next_ms;
  }

  async #search(sessions: readonly Told[], at: number): Promise<void> {
    const before = this.#suspects;
    this.#suspects = new Map();
    for (const circle of circlesIn(sessions)) {
      const youngest = youngestOf(circle);
      if (youngest?.thread.agent !== this.#session) continue;
      const key = keyOf(circle);
      const counts = before.get(key) ?? new Map(sessions.map((one) => [one.agent, one.version]));
      if (isToldTwice(circle, counts)) await this.#endOne(youngest, circle, at);
      else this.#suspects.set(key, counts);
    }
  }

  async #endOne(youngest: Wait, circle: ReadonlySet<Wait>, at: number): Promise<void> {
    const members = [...circle].map(({ thread, told }) => ({
      session: Number(thread.agent),
      request: told.serial,
    }));
    const isEnded = await this.#calls.end(youngest.told.serial, members);
    if (isEnded) this.#calls.ended(youngest, circle, at);
  }
}

/** What the wait ends with. `at`: now, by the clock of the server. */
export function deadlockError(
  youngest: Wait,
  circle: ReadonlySet<Wait>,
  at: number,
): DeadlockError {
  const cycle = toCycle(youngest, circle, at);
  const { kind, name } = youngest.told.need;
  const message = `${label(kind, name)}: a deadlock: ${toWords(cycle)}`;
  return new DeadlockError(message, { kind, objectName: name, cycle });
}

function isToldTwice(circle: ReadonlySet<Wait>, counts: ReadonlyMap<string, number>): boolean {
  return [...circle].every(({ thread }) => thread.version >= counts.get(thread.agent)! + 2);
}

/** The same for the same waits with the same holds. */
function keyOf(circle: ReadonlySet<Wait>): string {
  const parts = [...circle].map(({ thread, told }) => [thread.agent, told.serial, told.pins]);
  return parts
    .map((part) => JSON.stringify(part))
    .toSorted()
    .join('\n');
}

/** The rows as src/deadlocks/ reads what threads tell. */
function toTold({ waits, holds }: ToldRows): Told[] {
  const pins = new Map<string, Pin>();
  for (const { kind, key, session, request, exclusive } of holds ?? []) {
    const mode = exclusive ? 'exclusive' : 'shared';
    pins.set(`${session} ${request}`, { resource: kind + key, hold: request, mode });
  }
  const bySession = new Map<number, ToldWait[]>();
  const sessions: Told[] = [];
  for (const row of waits) {
    const list = bySession.get(row.session);
    if (list !== undefined) {
      list.push(toWait(row, pins));
      continue;
    }
    const told = [toWait(row, pins)];
    bySession.set(row.session, told);
    const who = { agent: String(row.session), ...clientOf(row.client) };
    sessions.push({ ...who, version: row.told, waits: told, held: [] });
  }
  return sessions;
}

function toWait(row: ToldRows['waits'][number], pins: ReadonlyMap<string, Pin>): ToldWait {
  const { kind, key, name, permits, exclusive, place, session, request, inside, since } = row;
  const how = kind === 's' ? 'permit' : exclusive ? 'exclusive' : 'shared';
  const kept = inside.flatMap((hold) => pins.get(`${session} ${hold}`) ?? []);
  return {
    serial: request,
    since,
    isSync: false,
    need: {
      resource: kind + key,
      kind: kind === 's' ? 'Semaphore' : 'Lock',
      name: nameOf(name),
      how,
      ...(permits !== null && { permits }),
      ticket: place,
    },
    pins: kept,
  };
}
