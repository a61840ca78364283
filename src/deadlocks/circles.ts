// Finds the waits that can never end in what threads tell of their waits.
//
// A wait is blocked by another one if that one keeps what it needs until it ends itself, or stands
// in front of it in a line. Some waits are a circle if each is blocked within the circle and leads
// to each other one. A wait for a permit is blocked only by all permits together. Every other wait
// is blocked by any one hold that is in its way.
//
// Thousands of waits may need what thousands of others keep. So no wait leads to another one
// directly. There are nodes in between, and all that is done takes time in proportion to them:
//
//   a hold      leads to the waits that keep it
//   a request   leads to the holds in its way. All waits that need the same share one
//   a line      leads to the wait that came last, and to the line as it was before that
import type { Pin, Told, ToldWait } from './record.js';

/** A node stays as long as so many of those stay to which it leads. */
class Node {
  readonly ahead: Node[] = [];
  readonly needed: number;

  constructor(needed = 1) {
    this.needed = needed;
  }
}

export class Wait extends Node {
  readonly thread: Told;
  readonly told: ToldWait;

  constructor(thread: Told, told: ToldWait) {
    super();
    this.thread = thread;
    this.told = told;
  }
}

class Hold extends Node {
  readonly agent: string;
  readonly mode: Pin['mode'];

  constructor(agent: string, mode: Pin['mode']) {
    super();
    this.agent = agent;
    this.mode = mode;
  }
}

class Resource {
  readonly #holds = new Map<string, Hold>();
  readonly #requests = new Map<string, Node>();
  readonly line: Wait[] = [];
  #hasClaims = false;

  holdOf({ agent }: Told, { hold, mode }: Pin): Hold {
    this.#hasClaims ||= mode === 'claim';
    const key = `${agent} ${hold} ${mode}`;
    const known = this.#holds.get(key);
    if (known !== undefined) return known;
    const made = new Hold(agent, mode);
    this.#holds.set(key, made);
    return made;
  }

  /** After all holds are known. */
  requestOf(wait: Wait): Node {
    const { thread, told } = wait;
    const { how, permits, passesClaims } = told.need;
    // Only for a claim it matters who waits.
    const who = this.#hasClaims ? [thread.agent, told.isSync] : [];
    const key = [how, permits, passesClaims, ...who].join(' ');
    const known = this.#requests.get(key);
    if (known !== undefined) return known;
    const request = new Node(how === 'permit' ? (permits ?? Infinity) : 1);
    for (const hold of this.#holds.values()) if (isInTheWay(hold, wait)) request.ahead.push(hold);
    this.#requests.set(key, request);
    return request;
  }

  /** After all waits are known. */
  layLine(): void {
    this.line.sort((one, other) => one.told.need.ticket! - other.told.need.ticket!);
    let line: Node | undefined;
    for (const wait of this.line) {
      const longer = new Node();
      longer.ahead.push(wait);
      if (line !== undefined) {
        wait.ahead.push(line);
        longer.ahead.push(line);
      }
      line = longer;
    }
  }
}

function isInTheWay({ agent, mode }: Hold, { thread, told }: Wait): boolean {
  const { how, passesClaims } = told.need;
  if (mode === 'exclusive' || how === 'permit') return true;
  if (mode === 'shared') return how === 'exclusive';
  if (passesClaims) return false;
  const isOwn = agent === thread.agent;
  return how === 'exclusive' ? !isOwn : !(isOwn && told.isSync);
}

class Resources {
  readonly #byName = new Map<string, Resource>();

  get(name: string): Resource {
    let resource = this.#byName.get(name);
    if (resource === undefined) this.#byName.set(name, (resource = new Resource()));
    return resource;
  }

  all(): Iterable<Resource> {
    return this.#byName.values();
  }
}

/** All waits, linked to what is in their way. */
function waitsOf(threads: readonly Told[], countsLoose: boolean): Wait[] {
  const resources = new Resources();
  const all: Wait[] = [];
  for (const thread of threads) {
    const waits = thread.waits.map((told) => new Wait(thread, told));
    all.push(...waits);
    const keep = (pin: Pin, by: Node) =>
      resources.get(pin.resource).holdOf(thread, pin).ahead.push(by);
    if (countsLoose) {
      const any = new Node();
      any.ahead.push(...waits);
      for (const pin of thread.held) keep(pin, any);
    } else {
      for (const wait of waits) for (const pin of wait.told.pins) keep(pin, wait);
    }
  }
  for (const wait of all) {
    const { resource, how, ticket } = wait.told.need;
    const wanted = resources.get(resource);
    wait.ahead.push(wanted.requestOf(wait));
    // If all permits are kept, the line makes no difference.
    if (ticket !== undefined && how !== 'permit') wanted.line.push(wait);
  }
  for (const resource of resources.all()) resource.layLine();
  return all;
}

/** The waits that it is blocked by. What was passed before is left out, and noted. */
export function* blockersOf(wait: Wait, passed = new Set<Node>()): Generator<Wait, void> {
  const open = [...wait.ahead];
  for (let node = open.pop(); node !== undefined; node = open.pop()) {
    if (passed.has(node)) continue;
    passed.add(node);
    if (node instanceof Wait) yield node;
    else for (const next of node.ahead) open.push(next);
  }
}

/** The circles among the waits of these threads. No wait is in two of them. */
export function circlesIn(threads: readonly Told[]): Set<Wait>[] {
  return circlesOf(threads, false);
}

/**
 * What would be a circle if each thread kept all that it holds. Circles that are certain are not
 * among them.
 */
export function suspicionsIn(
  threads: readonly Told[],
  certain: readonly Set<Wait>[] = circlesIn(threads),
): Set<Wait>[] {
  const sure = new Set(certain.flatMap((circle) => [...circle].map(({ told }) => told)));
  return circlesOf(threads, true).filter(
    (circle) => ![...circle].some(({ told }) => sure.has(told)),
  );
}

function circlesOf(threads: readonly Told[], countsLoose: boolean): Set<Wait>[] {
  const circles: Set<Wait>[] = [];
  const groups = [allFrom(waitsOf(threads, countsLoose))];
  for (let group = groups.pop(); group !== undefined; group = groups.pop()) {
    const size = group.size;
    removeThoseThatCanEnd(group);
    const parts = connectedParts(group);
    const isWhole = parts.length === 1 && parts[0]!.size === size;
    if (isWhole) circles.push(new Set([...group].filter((node) => node instanceof Wait)));
    else groups.push(...parts);
  }
  return circles;
}

function allFrom(waits: readonly Wait[]): Set<Node> {
  const all = new Set<Node>(waits);
  for (const node of all) for (const next of node.ahead) all.add(next);
  return all;
}

/** Those of which not enough would stay that they lead to, until no more such are left. */
function removeThoseThatCanEnd(group: Set<Node>): void {
  const stays = new Map<Node, number>();
  const behind = new Map<Node, Node[]>();
  for (const node of group) {
    const ahead = node.ahead.filter((next) => group.has(next));
    stays.set(node, ahead.length);
    for (const next of ahead) {
      const list = behind.get(next);
      if (list === undefined) behind.set(next, [node]);
      else list.push(node);
    }
  }
  const open = [...group].filter((node) => stays.get(node)! < node.needed);
  for (let node = open.pop(); node !== undefined; node = open.pop()) {
    if (!group.delete(node)) continue;
    for (const one of behind.get(node) ?? []) {
      const left = stays.get(one)! - 1;
      stays.set(one, left);
      if (left < one.needed) open.push(one);
    }
  }
}

/** Of the search for connected parts: a node that has been reached. */
interface Reached {
  readonly node: Node;
  readonly number: number;
  /** The lowest number that can be reached from it. */
  lowest: number;
  /** How many of those ahead have been looked at. */
  looked: number;
  /** The part that it belongs to is not known yet. */
  isOpen: boolean;
}

/**
 * Each part: nodes that lead to each other (Tarjan). A node that does not lead to itself is in
 * none. Without recursion: a chain of waits may be longer than the stack.
 */
function connectedParts(group: ReadonlySet<Node>): Set<Node>[] {
  const parts: Set<Node>[] = [];
  const reached = new Map<Node, Reached>();
  const open: Reached[] = [];
  const way: Reached[] = [];
  const reach = (node: Node) => {
    const one = { node, number: reached.size, lowest: reached.size, looked: 0, isOpen: true };
    reached.set(node, one);
    open.push(one);
    way.push(one);
  };
  for (const root of group) {
    if (!reached.has(root)) reach(root);
    for (let at = way.at(-1); at !== undefined; at = way.at(-1)) {
      const next = at.node.ahead[at.looked++];
      if (next !== undefined) {
        const known = reached.get(next);
        if (known?.isOpen) at.lowest = Math.min(at.lowest, known.number);
        if (known === undefined && group.has(next)) reach(next);
        continue;
      }
      way.pop();
      const before = way.at(-1);
      if (before !== undefined) before.lowest = Math.min(before.lowest, at.lowest);
      if (at.lowest === at.number) addPart(parts, open, at);
    }
  }
  return parts;
}

/** All that were reached since `first` are a part. No node leads to itself without another one. */
function addPart(parts: Set<Node>[], open: Reached[], first: Reached): void {
  const part = open.splice(open.lastIndexOf(first));
  for (const one of part) one.isOpen = false;
  if (part.length > 1) parts.push(new Set(part.map(({ node }) => node)));
}

/** Which wait of the circle ends: the youngest that may. Every thread comes to the same answer. */
export function youngestOf(circle: ReadonlySet<Wait>): Wait | undefined {
  let youngest: Wait | undefined;
  for (const wait of circle) {
    if (wait.told.need.mustGoOn) continue;
    if (youngest === undefined || isYounger(wait, youngest)) youngest = wait;
  }
  return youngest;
}

function isYounger(one: Wait, other: Wait): boolean {
  if (one.told.since !== other.told.since) return one.told.since > other.told.since;
  if (one.thread.agent !== other.thread.agent) return one.thread.agent > other.thread.agent;
  return one.told.serial > other.told.serial;
}

/**
 * A shortest way from the wait back to itself. A wait for a permit may keep another one, and so be
 * in its own way. That alone is shown only if there is no other wait in the circle.
 */
export function pathFrom(start: Wait, circle: ReadonlySet<Wait>): Wait[] {
  const cameFrom = new Map<Wait, Wait | undefined>([[start, undefined]]);
  const isAlone = circle.size === 1;
  const passed = new Set<Node>();
  for (const wait of cameFrom.keys()) {
    // Others may lead back by the nodes that the first one has passed.
    for (const next of blockersOf(wait, wait === start ? new Set() : passed)) {
      if (!circle.has(next)) continue;
      if (next === start && (isAlone || wait !== start)) return wayTo(wait, cameFrom);
      if (!cameFrom.has(next)) cameFrom.set(next, wait);
    }
  }
  return [start];
}

function wayTo(end: Wait, cameFrom: ReadonlyMap<Wait, Wait | undefined>): Wait[] {
  const way: Wait[] = [];
  for (let wait: Wait | undefined = end; wait !== undefined; wait = cameFrom.get(wait)) {
    way.unshift(wait);
  }
  return way;
}
