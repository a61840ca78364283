// @ts-check
// What the players of the cluster soak have reported, and what must be true of it. All times are of
// one clock, that of the machine.

/**
 * A hold that its process could prove: check() passed at `from`, and again at `to`.
 * @typedef {object} Hold
 * @property {string} name
 * @property {'exclusive' | 'shared'} mode
 * @property {bigint} token
 * @property {number} asked before the request
 * @property {number} from
 * @property {number | undefined} to undefined if the second check() threw
 */

export class Ledger {
  /** @type {Map<string, Hold[]>} */
  #holds = new Map();
  /** Jobs whose put was confirmed. @type {Set<string>} */
  #jobs = new Set();
  /** Jobs that were done. @type {Set<string>} */
  #done = new Set();

  /** @param {Hold} hold */
  hold(hold) {
    const holds = this.#holds.get(hold.name) ?? [];
    this.#holds.set(hold.name, holds);
    holds.push(hold);
  }

  /** @param {string} id */
  put(id) {
    this.#jobs.add(id);
  }

  /** @param {string} id */
  done(id) {
    this.#done.add(id);
  }

  /** How many jobs were put, and are not done yet. */
  get unfinished() {
    return [...this.#jobs].filter((id) => !this.#done.has(id)).length;
  }

  get counts() {
    const holds = [...this.#holds.values()].flat();
    const proven = holds.filter(({ to }) => to !== undefined).length;
    return { grants: holds.length, proven, put: this.#jobs.size, done: this.#done.size };
  }

  /** What was wrong, as sentences. */
  faults() {
    const found = [...this.#holds].flatMap(([name, holds]) => [
      ...tokenFaults(name, holds),
      ...overlaps(name, holds),
    ]);
    const lost = this.unfinished;
    return lost === 0 ? found : [...found, `${lost} jobs were put and never done`];
  }
}

/**
 * A request that began after a grant has a greater token than that one.
 * @param {string} name
 * @param {readonly Hold[]} holds
 */
function tokenFaults(name, holds) {
  const found = [];
  const byGrant = holds.toSorted((one, other) => one.from - other.from);
  const byRequest = holds.toSorted((one, other) => one.asked - other.asked);
  const tokens = new Set(holds.map(({ token }) => token));
  if (tokens.size < holds.length) found.push(`${name}: two grants have one token`);
  let greatest = 0n;
  let next = byGrant.shift();
  for (const { asked, token } of byRequest) {
    for (; next !== undefined && next.from < asked; next = byGrant.shift()) {
      if (next.token > greatest) greatest = next.token;
    }
    if (token <= greatest) found.push(`${name}: token ${token} after ${greatest}`);
  }
  return found;
}

/**
 * While one has proven an exclusive hold, nobody else has proven one.
 * @param {string} name
 * @param {readonly Hold[]} holds
 */
function overlaps(name, holds) {
  const found = [];
  const proven = holds.filter(({ to }) => to !== undefined);
  proven.sort((one, other) => one.from - other.from);
  /** The end of the latest hold of each mode. */
  const last = { exclusive: 0, shared: 0 };
  for (const { mode, from, to, token } of proven) {
    const busy = mode === 'exclusive' ? Math.max(last.exclusive, last.shared) : last.exclusive;
    if (from < busy) found.push(`${name}: token ${token} overlaps by ${busy - from} ms`);
    last[mode] = Math.max(last[mode], to ?? 0);
  }
  return found;
}
