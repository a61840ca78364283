// The checks of layers and sizes find what they are there for: a rule that nobody sees fail proves
// nothing.
import assert from 'node:assert/strict';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import * as structure from '../../scripts/structure.mjs';

const {
  cppFunctions,
  cycles,
  everything,
  importsOf,
  includesOf,
  layerFindings,
  longFunctions,
  sizeFindings,
  sizesIn,
} = structure as {
  cppFunctions(text: string): { line: number; length: number }[];
  cycles(graph: Map<string, string[]>): string[][];
  everything: string[];
  importsOf(file: string, text: string): string[];
  includesOf(text: string): string[];
  layerFindings(graphs?: Record<string, Map<string, string[]>>): string[];
  longFunctions(directories: string[], from: string): string[];
  sizeFindings(directories: string[]): string[];
  sizesIn(file: string, text: string): string[];
};

describe('structure of the sources', () => {
  it('has no cycle, and imports and includes point down', () => {
    assert.deepEqual(layerFindings(), []);
  });

  it('a cycle is found, and so is a longer one, each once', () => {
    const graph = new Map([
      ['a', ['b']],
      ['b', ['a', 'c']],
      ['c', ['d']],
      ['d', ['e']],
      ['e', ['c']],
      ['f', ['f']],
    ]);
    assert.deepEqual(
      cycles(graph).toSorted(([a], [b]) => a!.localeCompare(b!)),
      [['a', 'b'], ['c', 'd', 'e'], ['f']],
    );
  });

  it('a cycle that is put into src/ or native/ is a finding', () => {
    const src = new Map([
      ['src/objects/lock.ts', ['src/objects/rlock.ts']],
      ['src/objects/rlock.ts', ['src/objects/lock.ts']],
    ]);
    assert.deepEqual(layerFindings({ src }), [
      'cycle: src/objects/lock.ts -> src/objects/rlock.ts',
    ]);
    const native = new Map([
      ['native/core/store/a.h', ['native/core/agents/b.h']],
      ['native/core/agents/b.h', ['native/core/store/a.h']],
    ]);
    const findings = layerFindings({ native }).join();
    assert.match(findings, /^cycle: .*b\.h.*a\.h: uses .*b\.h.*layer above/s);
  });

  it('an import that points up is a finding, also when only types use it', () => {
    const text = "import type { Lock } from '../objects/lock.js';";
    const file = 'src/waiting/pending.ts';
    const src = new Map([[file, importsOf(file, text)]]);
    assert.deepEqual(layerFindings({ src }), [
      `${file}: uses src/objects/lock.ts, which is a layer above it`,
    ]);
  });

  it('imports are read in all their forms, and not in comments', () => {
    const text = [
      "import './a.js';",
      "import { b } from './b.js';",
      "export * from './c.js';",
      "type D = import('./d.js').D;",
      "void import('./e.cjs');",
      "// import './f.js';",
      "/* import './g.js'; */",
      "import path from 'node:path';",
    ].join('\n');
    assert.deepEqual(
      importsOf('src/x.ts', text),
      ['a.ts', 'b.ts', 'c.ts', 'd.ts', 'e.cts'].map((name) => `src/${name}`),
    );
    assert.deepEqual(includesOf('#include <napi.h>\n#include "core/layout.h"\n'), [
      'native/core/layout.h',
    ]);
  });

  it('the lines of a C++ function are counted, of methods inside a class too', () => {
    const text = [
      'namespace a {',
      'struct B {',
      '  int c() {',
      '    return 1;',
      '  }',
      '};',
      'int d(int e,',
      '      int f) {',
      '  if (e) {',
      '    return f;',
      '  }',
      '  return e;',
      '}',
      '}  // namespace a',
    ].join('\n');
    assert.deepEqual(cppFunctions(text), [
      { line: 3, length: 3 },
      { line: 7, length: 7 },
    ]);
  });

  describe('sizes', () => {
    const lines = (count: number) => Array.from({ length: count }, (_, n) => `  call(${n});`);
    const body = (head: string, count: number, end: string) =>
      [head, ...lines(count - 2), end, ''].join('\n');

    it('are kept', function () {
      this.timeout('1m');
      assert.deepEqual(sizeFindings(everything), []);
    });

    it('a file of 400 lines is a finding, one of 399 is none', () => {
      for (const file of ['src/a.ts', 'native/a.cc', 'scripts/a.mjs', 'src/a.cts']) {
        assert.deepEqual(sizesIn(file, `${lines(399).join('\n')}\n`), []);
        assert.deepEqual(sizesIn(file, `${lines(400).join('\n')}\n`), [
          `${file}: 400 lines, 399 at most`,
        ]);
      }
    });

    it('a line of 101 columns is a finding, one of 100 is none', () => {
      for (const file of ['src/a.ts', 'native/a.h', 'scripts/a.mjs']) {
        assert.deepEqual(sizesIn(file, `x = 1;\n// ${'y'.repeat(97)}\n`), []);
        assert.deepEqual(sizesIn(file, `x = 1;\n// ${'y'.repeat(98)}\n`), [
          `${file}:2: 101 characters, 100 at most`,
        ]);
      }
    });

    it('a C++ function of 70 lines is a finding, one of 69 is none', () => {
      assert.deepEqual(sizesIn('native/a.cc', body('void a() {', 69, '}')), []);
      assert.deepEqual(sizesIn('native/a.cc', body('void a() {', 70, '}')), [
        'native/a.cc:1: a function of 70 lines, 69 at most',
      ]);
    });

    it('so is one of TypeScript or JavaScript, but not the callback of a describe()', () => {
      const directory = mkdtempSync(path.join(os.tmpdir(), 'holdfast-sizes-'));
      try {
        const write = (file: string, text: string) =>
          writeFileSync(path.join(directory, file), text);
        write('a.ts', body('function a() {', 70, '}'));
        write('b.mjs', body("it('b', () => {", 70, '});'));
        write('c.cts', body('function c() {', 69, '}'));
        write('d.ts', body("describe('d', () => {", 300, '});'));
        assert.deepEqual(longFunctions(['.'], directory).toSorted(), [
          'a.ts:1: a function of 70 lines, 69 at most',
          'b.mjs:1: a function of 70 lines, 69 at most',
        ]);
      } finally {
        rmSync(directory, { recursive: true });
      }
    });
  });
});
