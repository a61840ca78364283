// What a thread tells all others of its long waits: who waits for what, since when, and what the
// waiter keeps until its wait ends. A thread tells the whole of it anew at each look, and the addon
// gives it a higher version. Others read it as text.
import { thisThread } from '../identity.js';

/** What a wait waits for. */
export interface Need {
  /** Which object: its tag; of a LockManager also the name of the lock. */
  readonly resource: string;
  readonly kind: string;
  readonly name: string;
  /** Of a LockManager: the name of the lock. */
  readonly lock?: string;
  readonly how: 'exclusive' | 'shared' | 'permit';
  /** Of `permit`: how many there are. */
  readonly permits?: number;
  /** Of a LockManager: a request is served after all with a lower ticket. */
  readonly ticket?: number;
  /**
   * It does not stand behind waiting writers: a reader whose thread reads already, or a wait until
   * nobody holds it.
   */
  readonly passesClaims?: boolean;
  /** It must not end without what it waits for: the way of a Condition back to its lock. */
  readonly mustGoOn?: boolean;
}

/** Something that a waiter keeps until its wait ends. */
export interface Pin {
  readonly resource: string;
  /** The number of the hold. Thread and number tell one hold from every other. */
  readonly hold: number;
  /** `claim`: a writer's place in front of all who come after it. */
  readonly mode: 'exclusive' | 'shared' | 'claim';
}

export interface ToldWait {
  /** No other wait of the thread has it. */
  readonly serial: number;
  /** Milliseconds on the clock of the machine. */
  readonly since: number;
  readonly isSync: boolean;
  readonly need: Need;
  readonly pins: readonly Pin[];
}

/** What one thread tells. */
export interface Told {
  /** The id of its agent. */
  readonly agent: string;
  /** Higher each time that the thread has looked at all of its waits. */
  readonly version: number;
  readonly pid: number;
  readonly threadId: number;
  readonly processName: string;
  /** Of a cluster. */
  readonly host?: string;
  readonly waits: readonly ToldWait[];
  /** All that the thread holds. What a wait does not pin may be released at any time. */
  readonly held: readonly Pin[];
}

/** Another number for each change of what is told. Texts of other formats are left out. */
const format = 2;

export function toText(waits: readonly ToldWait[], held: readonly Pin[]): string {
  const each = waits.map((wait) => JSON.stringify(wait));
  return joinText(each, JSON.stringify(held));
}

/** The same of what is JSON already. */
export function joinText(waits: readonly string[], held: string): string {
  const head = JSON.stringify({ format, ...thisThread() });
  return `${head.slice(0, -1)},"waits":[${waits.join()}],"held":${held}}`;
}

/** Undefined if the text has another format, or another program has written it. */
export function fromText(agent: string, version: number, text: string): Told | undefined {
  try {
    const told = JSON.parse(text) as Told & { format: unknown };
    const isOurs =
      told.format === format &&
      Array.isArray(told.waits) &&
      told.waits.every(isWait) &&
      arePins(told.held);
    return isOurs ? { ...told, agent, version } : undefined;
  } catch {
    return undefined;
  }
}

function isWait(wait: ToldWait): boolean {
  return (
    Number.isInteger(wait.serial) &&
    Number.isFinite(wait.since) &&
    typeof wait.need.resource === 'string' &&
    arePins(wait.pins)
  );
}

function arePins(pins: readonly Pin[]): boolean {
  return Array.isArray(pins) && pins.every(({ resource }) => typeof resource === 'string');
}
