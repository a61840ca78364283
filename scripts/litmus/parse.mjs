// Reads a litmus test: a small C program of a few threads and an outcome that must not happen.
// spec/litmus/README.md describes the format, which is the one that herd7 reads.

/** One token of the program: a name, a number, or a sign. */
const token = /\s*(==|!=|\/\\|\\\/|\w+|\S)/y;

/** The text as tokens, with the three steps that a reader of them needs. */
class Tokens {
  #all = [];
  #next = 0;

  constructor(text) {
    token.lastIndex = 0;
    for (let found = token.exec(text); found !== null; found = token.exec(text)) {
      this.#all.push(found[1]);
    }
  }

  peek(ahead = 0) {
    return this.#all[this.#next + ahead];
  }

  take(expected) {
    const found = this.#all[this.#next++];
    if (expected !== undefined && found !== expected) {
      const around = this.#all.slice(Math.max(0, this.#next - 8), this.#next + 4).join(' ');
      throw new Error(`expected "${expected}", found "${found}" in: ${around}`);
    }
    return found;
  }

  skip(wanted) {
    if (this.peek() !== wanted) return false;
    this.take();
    return true;
  }
}

/** `{ x = 0; y = 1; }`: the locations and what they hold first. */
function readInit(tokens) {
  const init = new Map();
  tokens.take('{');
  while (!tokens.skip('}')) {
    const name = tokens.take();
    tokens.take('=');
    init.set(name, Number(tokens.take()));
    tokens.take(';');
  }
  return init;
}

/** A number, a register, a call of <stdatomic.h>, or two of those with an operator between. */
function readExpression(tokens) {
  const left = readOperand(tokens);
  if (!['==', '!=', '+', '|'].includes(tokens.peek())) return left;
  return { kind: 'operator', sign: tokens.take(), left, right: readOperand(tokens) };
}

function readOperand(tokens) {
  const name = tokens.take();
  if (/^\d+$/.test(name)) return { kind: 'number', value: Number(name) };
  if (!tokens.skip('(')) return { kind: 'register', name };
  const args = [];
  while (!tokens.skip(')')) {
    args.push(readExpression(tokens));
    tokens.skip(',');
  }
  return { kind: 'call', name, args };
}

function readStatement(tokens) {
  if (tokens.skip('if')) {
    tokens.take('(');
    const condition = readExpression(tokens);
    tokens.take(')');
    const ifTrue = readBlock(tokens);
    const ifFalse = tokens.skip('else') ? readBlock(tokens) : [];
    return { kind: 'if', condition, ifTrue, ifFalse };
  }
  tokens.skip('int');
  let into;
  if (tokens.peek(1) === '=') {
    into = tokens.take();
    tokens.take('=');
  }
  const value = readExpression(tokens);
  tokens.take(';');
  return { kind: 'expression', into, value };
}

function readBlock(tokens) {
  const statements = [];
  tokens.take('{');
  while (!tokens.skip('}')) statements.push(readStatement(tokens));
  return statements;
}

function readThread(tokens) {
  tokens.take(); // P0, P1, ...
  tokens.take('(');
  while (!tokens.skip(')')) tokens.take();
  return readBlock(tokens);
}

/** `0:r1=0 /\ x=1`: a register of a thread, or what a location holds in the end. */
function readCondition(tokens) {
  const left = readTerm(tokens);
  const sign = tokens.peek();
  if (sign !== '/\\' && sign !== '\\/') return left;
  tokens.take();
  const right = readCondition(tokens);
  return { kind: sign === '/\\' ? 'and' : 'or', left, right };
}

function readTerm(tokens) {
  if (tokens.skip('(')) {
    const inner = readCondition(tokens);
    tokens.take(')');
    return inner;
  }
  const name = tokens.take();
  const thread = tokens.skip(':') ? Number(name) : undefined;
  const place = thread === undefined ? name : tokens.take();
  tokens.take('=');
  return { kind: 'equals', thread, place, value: Number(tokens.take()) };
}

function parseProgram(text) {
  const program = text.replaceAll(/\/\/.*$/gm, '');
  const tokens = new Tokens(program);
  tokens.take('C');
  const test = { text: program, name: tokens.take(), init: readInit(tokens), threads: [] };
  while (tokens.peek() !== 'exists') test.threads.push(readThread(tokens));
  tokens.take('exists');
  test.outcome = readCondition(tokens);
  if (tokens.peek() !== undefined) throw new Error(`"${tokens.peek()}" after the outcome`);
  return test;
}

const mark = /^\s*\/\/ weak (\w+):(.*)$/;

/**
 * The text with every statement above marks of that fault replaced by what the marks say. A mark
 * that says nothing takes the statement away.
 */
export function weaken(text, fault) {
  const lines = [];
  let isBelowMark = false;
  for (const line of text.split('\n')) {
    const [, name, replacement = ''] = mark.exec(line) ?? [];
    if (name === fault && !isBelowMark) {
      // A statement begins below the last line that ended one.
      do lines.pop();
      while (!/[;{}]$/.test(lines.at(-1)));
    }
    if (name === fault && replacement !== '') lines.push(replacement);
    if (name === undefined) lines.push(line);
    isBelowMark = name === fault;
  }
  return lines.join('\n');
}

/**
 * A test as it is, the models that allow its outcome (none, in a test of our own code), its faults
 * with the models that each breaks, and the fences that it stands for.
 */
export function parseLitmus(text) {
  const seeded = new Set();
  for (const line of text.split('\n')) {
    const name = mark.exec(line)?.[1];
    if (name) seeded.add(name);
  }
  const breaks = new Map();
  for (const [, name, models] of text.matchAll(/^\/\/ (\w+) breaks: (.*)$/gm)) {
    breaks.set(name, models.split(' '));
  }
  const covers = [...text.matchAll(/^\/\/ code: (\S+) (.*)$/gm)].flatMap(([, file, names]) =>
    names.split(' ').map((name) => `${file} ${name}`),
  );
  for (const name of new Set([...seeded, ...breaks.keys()])) {
    if (!seeded.has(name)) throw new Error(`no line is marked "weak ${name}"`);
    if (!breaks.has(name)) throw new Error(`no line says what ${name} breaks`);
  }
  const faults = new Map();
  for (const [name, models] of breaks) {
    faults.set(name, { models, test: parseProgram(weaken(text, name)) });
  }
  const allowed = /^\/\/ allowed: (.*)$/m.exec(text)?.[1].split(' ');
  return { test: parseProgram(text), allowed, faults, covers };
}
