// A litmus test as a program for AArch64, in the way that compilers write C++ for it. herd7 can run
// that under Arm's own model, which checks the model of models.mjs.

const isAcquire = (order) => ['acquire', 'acq_rel', 'seq_cst'].includes(order);
const isRelease = (order) => ['release', 'acq_rel', 'seq_cst'].includes(order);
const orderOf = (arg) => arg.name.replace('memory_order_', '');

/** The instruction of each read-modify-write: with LSE, and between two exclusives. */
const changes = {
  atomic_exchange_explicit: { lse: 'SWP', plain: undefined },
  atomic_fetch_add_explicit: { lse: 'LDADD', plain: 'ADD' },
  atomic_fetch_or_explicit: { lse: 'LDSET', plain: 'ORR' },
};

/** X0 and up hold addresses, W10 and up the variables of C, W20 and up what lies between. */
class Thread {
  lines = [];
  #variables = new Map();
  #labels = 0;
  #stores = 0;

  constructor(number, places, init, withLse) {
    Object.assign(this, { number, places, init, withLse });
  }

  address(name) {
    return `[X${this.places.indexOf(name)}]`;
  }

  variable(name) {
    if (!this.#variables.has(name)) this.#variables.set(name, `W${10 + this.#variables.size}`);
    return this.#variables.get(name);
  }

  /** Each says whether a store-exclusive has failed. Executions where one has do not count. */
  get statuses() {
    return Array.from({ length: this.#stores }, (_, index) => `X${24 + index}`);
  }

  emit(...lines) {
    this.lines.push(...lines);
  }

  block(statements) {
    for (const statement of statements) {
      if (statement.kind === 'if') {
        const end = `L${this.number}${this.#labels++}`;
        this.evaluate(statement.condition, 'W20');
        this.emit(`CBZ W20,${end}`);
        this.block(statement.ifTrue);
        if (statement.ifFalse.length > 0) throw new Error('an else is not written');
        this.emit(`${end}:`);
      } else {
        this.evaluate(statement.value, statement.into ? this.variable(statement.into) : 'W20');
      }
    }
  }

  evaluate(expression, into) {
    if (expression.kind === 'number') this.emit(`MOV ${into},#${expression.value}`);
    else if (expression.kind === 'register') {
      this.emit(`MOV ${into},${this.variable(expression.name)}`);
    } else if (expression.kind === 'operator') {
      const { sign, left, right } = expression;
      if (left.kind !== 'register' || right.kind !== 'number' || !['==', '!='].includes(sign)) {
        throw new Error(`${sign} of these is not written`);
      }
      this.emit(`CMP ${this.variable(left.name)},#${right.value}`);
      this.emit(`CSET ${into},${sign === '==' ? 'EQ' : 'NE'}`);
    } else this.call(expression, into);
  }

  call({ name, args }, into) {
    if (name === 'atomic_thread_fence') {
      this.emit(orderOf(args[0]) === 'acquire' ? 'DMB ISHLD' : 'DMB ISH');
      return;
    }
    const place = this.address(args[0].name);
    if (name === 'atomic_load_explicit') {
      const load = { relaxed: 'LDR', acquire: 'LDAPR', seq_cst: 'LDAR' }[orderOf(args[1])];
      this.emit(`${load} ${into},${place}`);
    } else if (name === 'atomic_store_explicit') {
      this.evaluate(args[1], 'W21');
      this.emit(`${isRelease(orderOf(args[2])) ? 'STLR' : 'STR'} W21,${place}`);
    } else if (name === 'atomic_compare_exchange_strong_explicit') {
      this.compareExchange(args, place, into);
    } else {
      this.readModifyWrite(changes[name], args, place, into);
    }
  }

  storeExclusive(order, from, place) {
    const status = `W${24 + this.#stores++}`;
    this.emit(`${isRelease(order) ? 'STLXR' : 'STXR'} ${status},${from},${place}`);
  }

  readModifyWrite({ lse, plain }, args, place, into) {
    const order = orderOf(args[2]);
    const suffix = (isAcquire(order) ? 'A' : '') + (isRelease(order) ? 'L' : '');
    this.evaluate(args[1], 'W21');
    if (this.withLse) {
      this.emit(`${lse}${suffix} W21,${into},${place}`);
      return;
    }
    this.emit(`${isAcquire(order) ? 'LDAXR' : 'LDXR'} ${into},${place}`);
    if (plain) this.emit(`${plain} W22,${into},W21`);
    this.storeExclusive(order, plain ? 'W22' : 'W21', place);
  }

  compareExchange([, expected, desired, success], place, into) {
    const order = orderOf(success);
    const suffix = (isAcquire(order) ? 'A' : '') + (isRelease(order) ? 'L' : '');
    const wanted = this.init.get(expected.name);
    this.evaluate(desired, 'W21');
    if (this.withLse) {
      this.emit(`MOV W22,#${wanted}`, `CAS${suffix} W22,W21,${place}`, `CMP W22,#${wanted}`);
    } else {
      const end = `L${this.number}${this.#labels++}`;
      this.emit(`${isAcquire(order) ? 'LDAXR' : 'LDXR'} W22,${place}`, `CMP W22,#${wanted}`);
      this.emit(`B.NE ${end}`);
      this.storeExclusive(order, 'W21', place);
      this.emit(`${end}:`);
    }
    this.emit(`CSET ${into},EQ`);
  }
}

function conditionOf(condition, threads) {
  if (condition.kind === 'equals') {
    const { thread, place, value } = condition;
    if (thread === undefined) return `[${place}]=${value}`;
    return `${thread}:${threads[thread].variable(place).replace('W', 'X')}=${value}`;
  }
  const sign = condition.kind === 'and' ? '/\\' : '\\/';
  const [left, right] = [condition.left, condition.right].map((one) => conditionOf(one, threads));
  return `(${left} ${sign} ${right})`;
}

/** The test in herd7's language for AArch64. */
export function assemblyOf(test, withLse) {
  const places = [...test.init.keys()];
  const threads = test.threads.map((statements, number) => {
    const thread = new Thread(number, places, test.init, withLse);
    thread.block(statements);
    return thread;
  });
  const registers = threads.flatMap(({ number }) =>
    places.map((place, index) => `${number}:X${index}=${place};`),
  );
  const values = [...test.init].map(([place, value]) => `${place}=${value};`);
  const height = Math.max(...threads.map(({ lines }) => lines.length));
  const rows = Array.from({ length: height }, (_, index) =>
    threads.map(({ lines }) => lines[index] ?? '').join(' | '),
  );
  const stored = threads.flatMap(({ number, statuses }) =>
    statuses.map((status) => ` /\\ ${number}:${status}=0`),
  );
  return [
    `AArch64 ${test.name}`,
    `{ ${values.join(' ')} ${registers.join(' ')} }`,
    `${threads.map(({ number }) => `P${number}`).join(' | ')} ;`,
    ...rows.map((row) => `${row} ;`),
    `exists (${conditionOf(test.outcome, threads)}${stored.join('')})`,
    '',
  ].join('\n');
}
