// Reads the declarations that users get (lib/**/*.d.ts), as the TypeScript compiler lays them out:
// a comment stands in front of what it explains, and members are indented by four spaces.
import { readFileSync, readdirSync } from 'node:fs';
import path from 'node:path';

export interface Member {
  readonly name: string;
  /** The text in its comment; '' if there is none. */
  readonly doc: string;
  /** Its first line, without the indentation. */
  readonly signature: string;
}

export interface Declaration {
  /** The path of its file in lib/. */
  readonly file: string;
  readonly what: 'class' | 'interface' | 'type' | 'function' | 'const';
  readonly name: string;
  /** The text in its comment; '' if there is none. */
  readonly doc: string;
  /** Its first line. */
  readonly head: string;
  /** Of a class or an interface; each overload is a member. */
  readonly members: readonly Member[];
}

const lib = path.resolve(import.meta.dirname, '../../lib');

export const files = readdirSync(lib, { recursive: true, encoding: 'utf8' })
  .filter((name) => /\.d\.m?ts$/.test(name))
  .map((name) => ({ name, text: readFileSync(path.join(lib, name), 'utf8') }));

/** How a declaration begins, and how a member begins. */
const starts = [
  /^export (?:declare )?(?:abstract )?(class|interface|type|function|const) (\w+)/,
  /^ {4}(?:(?:readonly|get|set|static|protected) )*(\w+|\[Symbol\.\w+\])/,
];
const start = new RegExp(starts.map(({ source }) => source).join('|'));

function declarationsOf(file: string, text: string): Declaration[] {
  const found: (Declaration & { members: Member[] })[] = [];
  let doc = '';
  let inDoc = false;
  for (const line of text.split('\n')) {
    const trimmed = line.trim();
    if (trimmed.startsWith('/**')) [doc, inDoc] = ['', true];
    if (inDoc) {
      doc += ` ${trimmed.replace(/^\/\*\*|^\* ?|\*\/$/g, '').trim()}`;
      inDoc = !trimmed.endsWith('*/');
      continue;
    }
    const match = start.exec(line);
    if (!match) continue;
    const [, what, name, member] = match;
    if (name) {
      const declared = what as Declaration['what'];
      found.push({ file, what: declared, name, doc: doc.trim(), head: line, members: [] });
    } else {
      const owner = found.at(-1);
      const hasMembers = owner?.what === 'class' || owner?.what === 'interface';
      if (hasMembers) owner.members.push({ name: member!, doc: doc.trim(), signature: trimmed });
    }
    doc = '';
  }
  return found;
}

export const declarations = files.flatMap(({ name, text }) => declarationsOf(name, text));

/** What `import ... from 'holdfast'` can name. */
export const exportedNames = (() => {
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

/** The declaration of that name. Fails if there is none. */
export function find(name: string): Declaration {
  const declaration = declarations.find((each) => each.name === name);
  if (!declaration) throw new Error(`${name} is declared nowhere in lib/`);
  return declaration;
}
