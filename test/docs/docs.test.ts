// Every code block in README and docs runs, unless its fence says so: ```ts no-run. A block is a
// program of its own; a line that ends in a comment `// value` after console.log(...) says what
// that call prints, in order.
import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { blocksOf, documents } from '../../scripts/blocks.mjs';

const root = path.resolve(import.meta.dirname, '../..');

async function run(command: string, args: string[]): Promise<string> {
  const child = spawn(command, args, { cwd: root, stdio: ['ignore', 'pipe', 'pipe'] });
  const watchdog = setTimeout(() => child.kill('SIGKILL'), 60_000);
  let output = '';
  let errors = '';
  child.stdout.setEncoding('utf8').on('data', (text: string) => (output += text));
  child.stderr.setEncoding('utf8').on('data', (text: string) => (errors += text));
  const [code, signal] = await once(child, 'close');
  clearTimeout(watchdog);
  assert.deepEqual([code, signal], [0, null], `${output}\n${errors}`);
  return output;
}

/** What the comments behind console.log say that it prints. */
function promised(code: string): string[] {
  return [...code.matchAll(/console\.log\(.*\);? *\/\/ (.*)$/gm)].flatMap(([, text]) =>
    text!.split(', {').map((part, index) => (index === 0 ? part : `{${part}`)),
  );
}

/** The same of Python's print. */
function promisedByPython(code: string): string[] {
  return [...code.matchAll(/print\(.*\)  # (.*)$/gm)].map(([, text]) => text!);
}

function assertPrints(output: string, texts: readonly string[]): void {
  let from = 0;
  for (const text of texts) {
    const found = output.indexOf(text, from);
    assert.notEqual(found, -1, `prints ${JSON.stringify(text)}\n${output}`);
    from = found + text.length;
  }
}

/** Not always 100: Python's empty() may be true while the feeder thread still holds items. */
function assertDrained(output: string): void {
  const matches = [...output.matchAll(/processed (\d+) items/g)];
  const counts = matches.map((match) => Number(match[1]));
  assert.equal(counts.length, 2);
  assert.ok(counts[0]! + counts[1]! <= 100, output);
}

function programOf(document: string, line: number): string {
  return `${document.replaceAll('/', '-')}-${line}`;
}

/**
 * Writes the blocks as programs, and has the compiler make JavaScript of them all. A loader would
 * cost each program, and each child of it, more than the block itself. types-test.mjs checks the
 * types.
 */
async function compileBlocks(directory: string): Promise<void> {
  for (const document of documents) {
    for (const { line, language, code } of blocksOf(document)) {
      if (language !== 'ts' && language !== 'js') continue;
      writeFileSync(path.join(directory, `${programOf(document, line)}.${language}`), code);
    }
  }
  const compilerOptions = { target: 'es2022', module: 'nodenext', noCheck: true, types: [] };
  writeFileSync(path.join(directory, 'tsconfig.json'), JSON.stringify({ compilerOptions }));
  await run(process.execPath, ['node_modules/typescript/bin/tsc', '-p', directory]);
}

describe('code blocks in the documents', function () {
  this.timeout(90_000);
  // In the tree, so that `import ... from 'holdfast'` finds the package itself.
  let directory: string;
  before(async () => {
    directory = mkdtempSync(path.join(root, 'build', 'docs-'));
    await compileBlocks(directory);
  });
  after(() => rmSync(directory, { recursive: true }));

  for (const document of documents) {
    for (const { line, language, code } of blocksOf(document)) {
      const title = `${document}:${line} (${language || 'text'})`;
      if (language === 'ts' || language === 'js') {
        it(title, async () => {
          const file = path.join(directory, `${programOf(document, line)}.js`);
          assertPrints(await run(process.execPath, [file]), promised(code));
        });
      } else if (language === 'python') {
        it(title, async () => {
          const file = path.join(directory, `block-${line}.py`);
          writeFileSync(file, code);
          const output = await run('python3', [file]);
          const texts = promisedByPython(code);
          if (texts.length > 0) assertPrints(output, texts);
          else assertDrained(output);
        });
      } else if (language === 'sh') {
        it(title, () => {
          const { scripts } = JSON.parse(readFileSync(path.join(root, 'package.json'), 'utf8'));
          for (const [, name] of code.matchAll(/^npm (?:run )?([\w:]+)/gm)) {
            assert.ok(name === 'install' || scripts[name!], `npm run ${name} exists`);
          }
        });
      }
    }
  }
});
