// The declarations that users get (lib/**/*.d.ts): nothing internal, and everything explained.
import assert from 'node:assert/strict';
import { readFileSync, readdirSync } from 'node:fs';
import path from 'node:path';

const lib = path.resolve(import.meta.dirname, '../../lib');
const files = readdirSync(lib, { recursive: true, encoding: 'utf8' })
  .filter((name) => /\.d\.m?ts$/.test(name))
  .map((name) => ({ name, text: readFileSync(path.join(lib, name), 'utf8') }));

interface Declaration {
  readonly file: string;
  readonly name: string;
  /** Its comment, without the stars; '' if there is none. */
  readonly doc: string;
  /** `class`, `interface`, `type`, `function` or `const`. */
  readonly what: string;
  /** From its name to the end of the file. */
  readonly rest: string;
}

const declarations: Declaration[] = files.flatMap(({ name: file, text }) => {
  const comment = /(\/\*\*(?:(?!\*\/)[\s\S])*\*\/\n)?/.source;
  const start = /export (?:declare )?(?:abstract )?/.source;
  const name = /(class|interface|type|function|const) (\w+)/.source;
  const pattern = new RegExp(comment + start + name, 'g');
  return [...text.matchAll(pattern)].map((match) => ({
    file,
    name: match[3]!,
    doc: (match[1] ?? '').replace(/[*/\s]+/g, ' ').trim(),
    what: match[2]!,
    rest: text.slice(match.index + match[0].length),
  }));
});

/** What `import ... from 'holdfast'` can name. */
const exported = (() => {
  const { text } = files.find(({ name }) => name === 'index.d.ts')!;
  return [...text.matchAll(/export (?:type )?\{([^}]*)\}/g)]
    .flatMap(([, names]) => names!.split(','))
    .map((name) =>
      name
        .trim()
        .replace(/^type /, '')
        .replace(/^\w+ as /, ''),
    )
    .filter(Boolean);
})();

const found = (name: string) => {
  const declaration = declarations.find((each) => each.name === name);
  assert.ok(declaration, `${name} is declared somewhere in lib/`);
  return declaration;
};

/** The members between the braces of an interface, each with the comment in front of it. */
function membersOf({ rest }: Declaration): { name: string; doc: string }[] {
  const body = rest.slice(rest.indexOf('{') + 1, rest.indexOf('\n}'));
  const pattern = /(\/\*\*(?:(?!\*\/)[\s\S])*\*\/\n\s*)?(?:readonly )?(\w+)\??(?:\(.*\))?: .*;/g;
  return [...body.matchAll(pattern)].map((match) => ({ name: match[2]!, doc: match[1] ?? '' }));
}

describe('declarations', () => {
  it('this test sees them', () => {
    assert.ok(exported.length > 60, `${exported.length} exports`);
    for (const name of ['Lock', 'Queue', 'LockState', 'attach', 'KindName', 'TimeoutError']) {
      assert.ok(exported.includes(name), name);
    }
    assert.ok(membersOf(found('QueueState')).some(({ name }) => name === 'getters'));
  });

  for (const { name, text } of files) {
    it(`${name} names nothing of the addon`, () => {
      assert.deepEqual(text.match(/\bNative\w*/g) ?? [], []);
      assert.doesNotMatch(text, /@internal/);
    });
  }

  it('no class has a second type parameter', () => {
    for (const { file, name, what, rest } of declarations) {
      if (what !== 'class') continue;
      const parameters = /^<([^{]*?)>(?= extends| implements| \{)/.exec(rest)?.[1] ?? '';
      assert.doesNotMatch(parameters, /,/, `${name}<${parameters}> in ${file}`);
    }
  });

  it('every export has a comment', () => {
    const bare = exported.filter((name) => found(name).doc === '');
    assert.deepEqual(bare, []);
  });

  it('every field of every state, of every options object and of every handle has a comment', () => {
    const interfaces = declarations.filter(({ what }) => what === 'interface');
    const states = interfaces.filter(({ name }) =>
      /(State|Options|Entry|Handle|Holder)$/.test(name),
    );
    for (const kind of ['Lock', 'Queue', 'JoinableQueue', 'Barrier', 'Condition', 'Event']) {
      assert.ok(states.some(({ name }) => name === `${kind}State`));
    }
    const bare = states.flatMap((state) =>
      membersOf(state)
        .filter(({ doc }) => doc === '')
        .map(({ name }) => `${state.name}.${name}`),
    );
    assert.deepEqual(bare, []);
  });
});
