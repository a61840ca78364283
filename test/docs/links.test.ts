// Every relative link in the documents leads to a file that exists, and to a heading of it if it
// names one. The tarball holds every file that README links to.
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { existsSync, readFileSync, readdirSync } from 'node:fs';
import path from 'node:path';
import * as holdfast from 'holdfast';
import { documents } from '../../scripts/blocks.mjs';

const root = path.resolve(import.meta.dirname, '../..');

function markdownIn(directory: string): string[] {
  return readdirSync(path.join(root, directory), { recursive: true, encoding: 'utf8' })
    .filter((name) => name.endsWith('.md') && !name.includes('node_modules'))
    .map((name) => path.join(directory, name));
}

/** Those that users read, and those that only a clone has. */
const everyDocument = [
  ...new Set([
    ...documents,
    ...readdirSync(root).filter((name) => name.endsWith('.md')),
    ...['spec', 'bench'].flatMap(markdownIn),
  ]),
];

const read = (document: string) => readFileSync(path.join(root, document), 'utf8');

/** Without the code in it: what looks like a link there is none. */
function proseOf(document: string): string {
  return read(document).replace(/^```[^]*?^```$/gm, '');
}

/** What it links to, from the root; `#heading` stays. Not what is elsewhere. */
function linksOf(document: string): string[] {
  return [...proseOf(document).matchAll(/\]\(([^)\s]+)\)/g)]
    .map(([, target]) => target!)
    .filter((target) => !/^[a-z]+:/.test(target))
    .map((target) =>
      target.startsWith('#') ? `${document}${target}` : path.join(path.dirname(document), target),
    );
}

/** As the usual renderers name the places that a document can be linked at. */
function anchorsOf(document: string): string[] {
  return [...proseOf(document).matchAll(/^#+ (.*)$/gm)].map(([, heading]) =>
    heading!
      .toLowerCase()
      .replace(/[^\w\- ]/g, '')
      .replaceAll(' ', '-'),
  );
}

describe('docs: links', () => {
  for (const document of everyDocument) {
    it(`${document} links to what exists`, () => {
      for (const link of linksOf(document)) {
        const [file, anchor] = link.split('#');
        assert.ok(existsSync(path.join(root, file!)), `${document} links to ${link}`);
        if (anchor === undefined) continue;
        assert.ok(
          anchorsOf(file!).includes(anchor),
          `${document} links to ${link}: no such heading`,
        );
      }
    });
  }

  it('README links to nothing that the tarball does not hold', () => {
    const { stdout, stderr, status } = spawnSync(
      'npm',
      ['pack', '--dry-run', '--json', '--ignore-scripts'],
      { cwd: root, encoding: 'utf8', shell: false },
    );
    assert.equal(status, 0, stderr);
    const packed: string[] = JSON.parse(stdout)[0].files.map((file: { path: string }) => file.path);
    for (const link of linksOf('README.md')) {
      const [file] = link.split('#');
      assert.ok(packed.includes(file!), `README links to ${file}, which is not in the tarball`);
    }
  });
});

describe('docs: completeness', () => {
  const classes = Object.entries(holdfast)
    .filter(([, value]) => typeof value === 'function' && /^class\b/.test(String(value)))
    .map(([name]) => name);

  it('README has at most 200 lines', () => {
    assert.ok(read('README.md').trimEnd().split('\n').length <= 200);
  });

  it('every class has a line in README, and a page', () => {
    const [readme, index] = [read('README.md'), read('docs/api/README.md')];
    for (const name of classes.filter((each) => !each.endsWith('Error'))) {
      assert.ok(readme.includes(`[\`${name}\`](docs/`), `README: ${name}`);
      assert.ok(index.includes(`[${name}](`), `docs/api/README.md: ${name}`);
    }
  });

  it('every error is in the table of errors', () => {
    const text = read('docs/api/errors.md');
    for (const name of classes.filter((each) => each.endsWith('Error'))) {
      assert.ok(text.includes(`| \`${name}\` |`), `docs/api/errors.md: ${name}`);
    }
  });
});
