// All candidate executions of a litmus test with a given outcome: which write each read sees, and
// in which order the writes of each location come. A model then says which of them can happen.

/** Reads, writes and fences of one thread, as far as the values that its reads were given reach. */
class Run {
  events = [];
  registers = new Map();
  /** The location of the first read that no value was given for. */
  unanswered = undefined;

  constructor(test, values) {
    this.test = test;
    this.values = [...values];
  }

  block(statements) {
    for (const statement of statements) {
      if (this.unanswered !== undefined) return;
      if (statement.kind === 'if') {
        const taken = this.evaluate(statement.condition) !== 0;
        if (this.unanswered === undefined) this.block(taken ? statement.ifTrue : statement.ifFalse);
      } else {
        const value = this.evaluate(statement.value);
        if (statement.into !== undefined) this.registers.set(statement.into, value);
      }
    }
  }

  evaluate(expression) {
    switch (expression.kind) {
      case 'number':
        return expression.value;
      case 'register':
        if (!this.registers.has(expression.name)) throw new Error(`no register ${expression.name}`);
        return this.registers.get(expression.name);
      case 'operator': {
        const [left, right] = [this.evaluate(expression.left), this.evaluate(expression.right)];
        return operators[expression.sign](left, right);
      }
      default:
        return this.call(expression);
    }
  }

  call({ name, args }) {
    const order = (index) => args[index].name.replace('memory_order_', '');
    const place = args[0].name;
    switch (name) {
      case 'atomic_thread_fence':
        this.events.push({ kind: 'F', order: order(0) });
        return 0;
      case 'atomic_load_explicit':
        return this.read(place, order(1));
      case 'atomic_store_explicit':
        this.write(place, this.evaluate(args[1]), order(2));
        return 0;
      case 'atomic_exchange_explicit':
        return this.readModifyWrite(place, order(2), () => this.evaluate(args[1]));
      case 'atomic_fetch_add_explicit':
        return this.readModifyWrite(place, order(2), (old) => old + this.evaluate(args[1]));
      case 'atomic_fetch_or_explicit':
        return this.readModifyWrite(place, order(2), (old) => old | this.evaluate(args[1]));
      case 'atomic_compare_exchange_strong_explicit':
        return this.compareExchange(args, order(3), order(4));
      default:
        throw new Error(`no operation ${name}`);
    }
  }

  read(place, order) {
    if (!this.test.init.has(place)) throw new Error(`no location ${place}`);
    if (this.values.length === 0) {
      this.unanswered ??= place;
      return 0;
    }
    const value = this.values.shift();
    this.events.push({ kind: 'R', place, value, order });
    return value;
  }

  write(place, value, order, ofRmw = false) {
    if (this.unanswered !== undefined) return;
    this.events.push({ kind: 'W', place, value, order, ofRmw });
  }

  readModifyWrite(place, order, change) {
    const old = this.read(place, order);
    if (this.unanswered !== undefined) return 0;
    this.events.at(-1).ofRmw = true;
    this.write(place, change(old), order, true);
    return old;
  }

  /** What is expected is a location that nobody changes: herd7 has no other way to say it. */
  compareExchange([place, expected, desired], success, failure) {
    const old = this.read(place.name, success);
    if (this.unanswered !== undefined) return 0;
    if (old !== this.test.init.get(expected.name)) {
      this.events.at(-1).order = failure;
      return 0;
    }
    this.events.at(-1).ofRmw = true;
    this.write(place.name, this.evaluate(desired), success, true);
    return 1;
  }
}

const operators = {
  '==': (left, right) => Number(left === right),
  '!=': (left, right) => Number(left !== right),
  '+': (left, right) => left + right,
  '|': (left, right) => left | right,
};

/** Every run of a thread whose reads see values that somebody writes. */
function runsOf(test, thread, domain, values = []) {
  const run = new Run(test, values);
  run.block(thread);
  if (run.unanswered === undefined) return [run];
  return [...domain.get(run.unanswered)].flatMap((value) =>
    runsOf(test, thread, domain, [...values, value]),
  );
}

const isWrite = ({ kind }) => kind === 'W';

/** How many writes an execution has at most. */
function writesOf(runs) {
  const counts = runs.map((ofThread) => ofThread.map((run) => run.events.filter(isWrite).length));
  return counts.reduce((sum, ofThread) => sum + Math.max(...ofThread), 0);
}

/**
 * The runs of all threads. A write can depend on a read, and so on other writes. A chain of those
 * is no longer than there are writes, so after as many rounds all values are known.
 */
function allRuns(test) {
  const domain = new Map([...test.init].map(([place, value]) => [place, new Set([value])]));
  for (let round = 0; ; round++) {
    const runs = test.threads.map((thread) => runsOf(test, thread, domain));
    if (round > writesOf(runs)) return runs;
    for (const event of runs.flat().flatMap((run) => run.events)) {
      if (isWrite(event)) domain.get(event.place).add(event.value);
    }
  }
}

function* choices(lists, chosen = []) {
  if (chosen.length === lists.length) {
    yield chosen;
    return;
  }
  for (const one of lists[chosen.length]) yield* choices(lists, [...chosen, one]);
}

function permutations(list) {
  if (list.length < 2) return [list];
  return list.flatMap((first) =>
    permutations(list.filter((other) => other !== first)).map((rest) => [first, ...rest]),
  );
}

function holds(condition, runs, last) {
  if (condition.kind === 'equals') {
    const { thread, place, value } = condition;
    if (thread === undefined) return last.get(place) === value;
    return runs[thread].registers.get(place) === value;
  }
  const left = holds(condition.left, runs, last);
  const right = holds(condition.right, runs, last);
  return condition.kind === 'and' ? left && right : left || right;
}

/** The events of all threads, numbered; the first ones are what the locations hold first. */
function eventsOf(test, runs) {
  const events = [];
  for (const [place, value] of test.init) {
    events.push({ kind: 'W', place, value, order: 'relaxed', thread: -1 });
  }
  runs.forEach((run, thread) => {
    for (const event of run.events) events.push({ ...event, thread });
  });
  return events.map((event, id) => ({ ...event, id }));
}

/** Every candidate execution with the outcome: `{ events, readsFrom, order }`. */
export function* executions(test) {
  for (const runs of choices(allRuns(test))) {
    const events = eventsOf(test, runs);
    const writes = [...test.init.keys()].map((place) =>
      events.filter((event) => isWrite(event) && event.place === place),
    );
    const reads = events.filter((event) => event.kind === 'R');
    const sources = reads.map((read) =>
      events.filter(
        (event) => isWrite(event) && event.place === read.place && event.value === read.value,
      ),
    );
    const orders = writes.map(([first, ...others]) =>
      permutations(others).map((rest) => [first, ...rest]),
    );
    for (const order of choices(orders)) {
      const last = new Map(order.map((of) => [of[0].place, of.at(-1).value]));
      if (!holds(test.outcome, runs, last)) continue;
      for (const chosen of choices(sources)) {
        yield { events, order, readsFrom: reads.map((read, index) => [chosen[index], read]) };
      }
    }
  }
}
