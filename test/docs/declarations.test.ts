// The declarations that users get (lib/**/*.d.ts): nothing internal, and everything explained.
import assert from 'node:assert/strict';
import { type Declaration, declarations, exportedNames, files, find } from './declarations.js';

/** What users see: the exports, and the classes that public ones inherit from. */
const exported = [...exportedNames, 'Shared', 'Owned'].map(find);
const classes = exported.filter(({ what }) => what === 'class');
const objects = classes.filter(({ name }) => !name.endsWith('Error'));

/** The members of these declarations, each with the declaration that it is in. */
const membersOf = (some: readonly Declaration[]) =>
  some.flatMap((owner) => owner.members.map((member) => ({ owner, ...member })));

/** Methods and constructors. A getter or a field waits for nothing. */
const methods = membersOf(objects).filter(
  ({ signature }) => signature.includes('(') && !signature.startsWith('get '),
);

/** Checks that the comment of each has these words in it. */
function assertSays(
  some: readonly { doc: string; owner: Declaration; signature: string }[],
  words: RegExp,
): void {
  assert.ok(some.length > 0);
  const silent = some
    .filter(({ doc }) => !words.test(doc))
    .map(({ owner, signature }) => `${owner.name}: ${signature}`);
  assert.deepEqual(silent, []);
}

/** A comment may leave what it says to another one: "the same", "as acquire()". */
const elsewhere = /\bsame\b|\bas \W?[\w.]+\(\)/i;
const or = (...words: RegExp[]) => new RegExp(words.map(({ source }) => source).join('|'), 'i');

describe('declarations', () => {
  it('this test sees them', () => {
    assert.ok(exported.length > 60, `${exported.length} exports`);
    for (const name of ['Lock', 'Queue', 'LockState', 'attach', 'KindName', 'TimeoutError']) {
      assert.ok(exportedNames.includes(name), name);
    }
    assert.ok(find('QueueState').members.some(({ name }) => name === 'getters'));
    for (const name of ['constructor', 'wait', 'waitSync', '[Symbol.dispose]', 'lock']) {
      const members = [find('Condition'), find('Shared')].flatMap((each) => each.members);
      assert.ok(
        members.some((member) => member.name === name),
        name,
      );
    }
    assert.ok(methods.length > 100, `${methods.length} methods`);
  });

  for (const { name, text } of files) {
    it(`${name} names nothing of the addon`, () => {
      assert.deepEqual(text.match(/\bNative\w*/g) ?? [], []);
      assert.doesNotMatch(text, /@internal/);
    });
  }

  it('no class has a second type parameter', () => {
    for (const { file, name, what, head } of declarations) {
      if (what !== 'class') continue;
      if (name === 'Connection') continue; // what it sends, and what it receives
      const after = head.slice(head.indexOf(name) + name.length);
      const parameters = /^<([^{]*?)>(?= extends| implements| \{)/.exec(after)?.[1] ?? '';
      assert.doesNotMatch(parameters, /,/, `${name}<${parameters}> in ${file}`);
    }
  });
});

describe('declarations: the comment of', () => {
  it('every export is there', () => {
    const bare = exported.filter(({ doc }) => doc === '').map(({ name }) => name);
    assert.deepEqual(bare, []);
  });

  it('every member of every class and interface is there', () => {
    const members = membersOf(exported);
    for (const kind of ['Lock', 'Queue', 'JoinableQueue', 'Barrier', 'Condition', 'Event']) {
      assert.ok(members.some(({ owner }) => owner.name === `${kind}State`));
    }
    // A program makes no error of this package. What its properties are is said where they stand.
    const isOfError = ({ owner, name }: { owner: Declaration; name: string }) =>
      owner.name.endsWith('Error') && name === 'constructor';
    assertSays(
      members.filter((member) => !isOfError(member)),
      /\w/,
    );
  });

  it('every method says whether it waits or blocks', () => {
    assertSays(methods, or(/block|wait/, elsewhere));
  });

  it('every method that returns a promise says what it rejects with', () => {
    const isAsync = ({ signature }: { signature: string }) => /: Promise</.test(signature);
    assertSays(methods.filter(isAsync), or(/reject|end/, elsewhere));
  });

  it('every method that blocks says so', () => {
    const isSync = ({ name }: { name: string }) => name.endsWith('Sync');
    assertSays(methods.filter(isSync), or(/block/, elsewhere));
  });

  it('every constructor and function says what it throws, or that it does not block', () => {
    const functions = exported.filter(({ what }) => what === 'function');
    const constructors = methods.filter(({ name }) => name === 'constructor');
    assertSays(constructors, /@throws/);
    assertSays(
      functions.map((owner) => ({ owner, doc: owner.doc, signature: owner.head })),
      /@throws|blocks?\b/i,
    );
  });

  it('every number among the options has its unit or its range', () => {
    const options = exported.filter(({ name }) => name.endsWith('Options'));
    const numbers = membersOf(options).filter(({ signature }) => /: number/.test(signature));
    assertSays(numbers, /millisecond|byte|\d to \d/i);
  });

  it('every class says what a death does to it, and what it is like elsewhere', () => {
    const shown = objects.filter(({ name }) => exportedNames.includes(name));
    for (const { name, doc } of shown) {
      assert.match(doc, /\b(die|dies|dead|death|crash|crashes|killed)\b/, name);
      assert.match(doc, /Python|POSIX|[a-z_]+\(\d\)/, name);
    }
  });
});
