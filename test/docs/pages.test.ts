// Each class has a page in docs/api. It says what a user has to know, and names every member.
import assert from 'node:assert/strict';
import { existsSync, readFileSync } from 'node:fs';
import path from 'node:path';
import * as holdfast from 'holdfast';
import { blocksOf } from '../../scripts/blocks.mjs';

const root = path.resolve(import.meta.dirname, '../..');

/** What every page tells, each under a heading of its own. */
const sections = ['What it waits for', 'Options', 'Errors', 'What a crash does'];
/** What all objects have in common. docs/api/options.md explains it. */
const common = new Set(['close', 'unlink', 'toJSON', 'name', 'kind']);

interface Class {
  readonly name: string;
  readonly prototype: object;
}

const classes = Object.entries(holdfast).flatMap(([name, value]): Class[] => {
  const isClass = typeof value === 'function' && /^class\b/.test(String(value));
  return isClass && !name.endsWith('Error')
    ? [{ name, prototype: (value as { prototype: object }).prototype }]
    : [];
});

/** `ReadWriteLock` is on the page read-write-lock.md. */
function pageOf(name: string): string {
  const kebab = name.replace(/([a-z])([A-Z])/g, '$1-$2').toLowerCase();
  return `docs/api/${kebab}.md`;
}

/** The text of each section by its heading, without the heading. */
function sectionsOf(text: string): Map<string, string> {
  const parts = text.split(/^## /m).slice(1);
  return new Map(
    parts.map((part) => {
      const end = part.indexOf('\n');
      return [part.slice(0, end), part.slice(end).trim()];
    }),
  );
}

/**
 * The public members of a class, with those that it inherits. A base class with a page of its own
 * has its members there.
 */
function membersOf({ name, prototype }: Class): Set<string> {
  const declared = declarations();
  const members = new Set<string>();
  for (let at = prototype; at !== Object.prototype; at = Object.getPrototypeOf(at) as object) {
    if (at !== prototype && classes.some((base) => base.prototype === at)) break;
    for (const member of Object.getOwnPropertyNames(at)) members.add(member);
  }
  members.delete('constructor');
  const isPublic = (member: string) => declared.has(member) && !common.has(member);
  const shown = new Set([...members].filter(isPublic));
  assert.ok(shown.size > 0, `${name} has members`);
  return shown;
}

const directories: Record<string, string> = {
  process: 'process',
  pool: 'pool',
  'lock-manager': 'locks',
};

/** The files of classes that only others inherit from. */
const bases = ['shared', 'owned', 'any-semaphore', 'composite', 'typed-memory'];

/** Every name of a member in the declarations of the objects and of Process. */
function declarations(): Set<string> {
  const files = classes.map(({ name }) => pageOf(name).replace('docs/api/', '').replace('.md', ''));
  const texts = [...files, ...bases].map((file) => {
    const directory = directories[file] ?? 'objects';
    return readFileSync(path.join(root, 'lib', directory, `${file}.d.ts`), 'utf8');
  });
  const names = texts.flatMap((text) => [...text.matchAll(/^ {4}(?:get )?(\w+)[(<:]/gm)]);
  return new Set(names.map(([, name]) => name!));
}

describe('docs: the page of', () => {
  it('each class is tested here', () => {
    assert.equal(classes.length, 17);
  });

  for (const subject of classes) {
    const { name } = subject;
    const page = pageOf(name);

    it(`${name} says what it waits for, its options, its errors, and what a crash does`, () => {
      assert.ok(existsSync(path.join(root, page)), page);
      const found = sectionsOf(readFileSync(path.join(root, page), 'utf8'));
      for (const section of sections) {
        assert.ok((found.get(section) ?? '').length > 40, `${page}: "## ${section}"`);
      }
    });

    it(`${name} has an example that runs`, () => {
      const runs = blocksOf(page).filter(({ language }) => language === 'ts' || language === 'js');
      const uses = name === 'Connection' ? /\bPipe[<(]/ : new RegExp(`\\bnew ${name}\\b`);
      assert.ok(
        runs.some(({ code }) => uses.test(code)),
        `${page} has a block with new ${name}`,
      );
    });

    it(`${name} names every member`, () => {
      const text = readFileSync(path.join(root, page), 'utf8');
      const code = [...text.matchAll(/`([^`\n]+)`/g)].map(([, inside]) => inside!).join('\n');
      const isMissing = (member: string) => !new RegExp(`\\b${member}\\b`).test(code);
      const missing = [...membersOf(subject)].filter(isMissing);
      assert.deepEqual(missing, [], page);
    });
  }
});
