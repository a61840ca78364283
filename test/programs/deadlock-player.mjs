// A process of random programs that may deadlock (test/support/deadlock-rounds.ts). A message to it
// says what a party does; its own messages say what became of that.
import * as holdfast from 'holdfast';
import { now } from './clock.mjs';

/** The parties here, by program and number. */
const parties = new Map();

function open({ kind, name, permits }) {
  if (kind === 'BoundedSemaphore') return new holdfast.BoundedSemaphore(permits, { name });
  if (kind === 'LockManager') return new holdfast.LockManager({ namespace: name });
  return new (Reflect.get(holdfast, kind))({ name });
}

class Party {
  #objects;
  #steps;
  #say;
  #next = () => {};
  #isOver = false;
  #endedAt = 0;
  #giveUp = new AbortController();
  #guards = [];

  constructor(steps, say) {
    this.#steps = steps;
    this.#objects = steps.map(({ resource }) => open(resource));
    this.#say = say;
  }

  /** Gives it its next step. */
  next() {
    this.#next(true);
  }

  /** Lets it end as soon as it does not wait for a lock. */
  finish() {
    this.#isOver = true;
    this.#next(false);
  }

  giveUp() {
    this.#giveUp.abort(new Error('given up'));
  }

  async play(form) {
    const error = await this.#end(form).then(
      () => undefined,
      ({ name, message, cycle }) => ({ name, message, cycle }),
    );
    for (const object of this.#objects) object.close();
    this.#say('ended', { error, at: this.#endedAt });
  }

  async #end(form) {
    try {
      if (form === 'task') return await this.#inside(0);
      for (let i = 0; i < this.#steps.length; i++) {
        if (!(await this.#turn())) return undefined;
        this.#guards.push(await this.#take(i, form));
        this.#say('has');
      }
      return await this.#turn();
    } finally {
      this.#noteEnd();
      for (const guard of this.#guards.reverse()) guard.release();
    }
  }

  /** True if another step is to be taken. */
  async #turn() {
    return !this.#isOver && new Promise((resolve) => (this.#next = resolve));
  }

  /** It is about to release what it holds. The time is that of the machine. */
  #noteEnd() {
    this.#endedAt ||= now();
  }

  /** Holds by callbacks. */
  async #inside(i) {
    try {
      if (await this.#turn()) await this.#takeInside(i);
    } finally {
      this.#noteEnd();
    }
  }

  #takeInside(i) {
    const inner = () => {
      this.#say('has');
      return this.#inside(i + 1);
    };
    const { resource, isShared } = this.#steps[i];
    const object = this.#objects[i];
    const { signal } = this.#giveUp;
    const held = {
      ReadWriteLock: () => object[isShared ? 'runShared' : 'runExclusive'](inner, { signal }),
      BoundedSemaphore: () => object.withPermit(inner, { signal }),
      LockManager: () =>
        object.request('the lock', { signal, mode: isShared ? 'shared' : 'exclusive' }, inner),
    };
    const result = (held[resource.kind] ?? (() => object.runExclusive(inner, { signal })))();
    this.#say('asked');
    return result;
  }

  /** Holds by guards. */
  #take(i, form) {
    const { resource, isShared } = this.#steps[i];
    const mode = resource.kind === 'ReadWriteLock' ? (isShared ? 'Shared' : 'Exclusive') : '';
    const object = this.#objects[i];
    if (form === 'loose') {
      const guard = object[`acquire${mode}`]({ signal: this.#giveUp.signal });
      this.#say('asked');
      return guard;
    }
    this.#say('asked');
    return object[`acquire${mode}Sync`]();
  }
}

const commands = {
  begin({ key, form, steps }) {
    const say = (event, more) => process.send({ key, event, ...more }, () => {});
    const party = new Party(steps, say);
    parties.set(key, party);
    void party.play(form).finally(() => parties.delete(key));
    say('begun');
  },
  next: ({ key }) => parties.get(key)?.next(),
  finish: ({ key }) => parties.get(key)?.finish(),
  giveUp: ({ key }) => parties.get(key)?.giveUp(),
};

process.on('message', (message) => commands[message.do](message));
process.on('disconnect', () => process.exit());
process.send({ event: 'ready' }, () => {});
