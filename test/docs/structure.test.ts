// The check of the layers finds what it is there for: a rule that nobody sees fail proves nothing.
import assert from 'node:assert/strict';
import * as structure from '../../scripts/structure.mjs';

const { cppFunctions, cycles, importsOf, includesOf, layerFindings } = structure as {
  cppFunctions(text: string): { line: number; length: number }[];
  cycles(graph: Map<string, string[]>): string[][];
  importsOf(file: string, text: string): string[];
  includesOf(text: string): string[];
  layerFindings(graphs?: Record<string, Map<string, string[]>>): string[];
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
    assert.match(layerFindings({ native }).join(), /^cycle: .*b\.h.*uses .*a\.h.*layer above/s);
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
});
