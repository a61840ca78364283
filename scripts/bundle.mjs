// Puts the modules of lib/ into two files, because a program that loads more than a hundred files
// spends most of that time on finding and reading them (docs/adr/0072-one-file.md):
//
//   modules.js        what the package itself loads, and the programs of its processes
//   other-modules.js  the rest: the command, and the engines of a cluster
//
// Each module is a function in that file, with the code that the compiler wrote, and runs when
// somebody asks for it first. What was its file only asks for it. So every path in lib/ works as
// before, and a module exists once, whoever asks for it and by whichever path.

import { readFileSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { joinMaps } from './source-map.mjs';

const bundleName = 'modules.js';
const othersName = 'other-modules.js';

// `__load` is as Node's require(): who asks for a module that is being loaded gets what it has so
// far, and a module that failed is loaded again for the next who asks.
const head = `"use strict";
const loaded = new Map();
function __load(name) {
  const known = loaded.get(name);
  if (known !== undefined) return known;
  const exports = {};
  loaded.set(name, exports);
  try {
    if (!(name in definitions)) Object.assign(definitions, require("./${othersName}")(__load));
    definitions[name](exports);
  } catch (error) {
    loaded.delete(name);
    throw error;
  }
  return exports;
}
const definitions = {
`;
const othersHead = `"use strict";
module.exports = (__load) => ({
`;

/** The names of all modules below `directory`, such as `cli/main`. */
function modulesIn(directory) {
  return readdirSync(directory, { recursive: true })
    .filter((name) => name.endsWith('.js'))
    .map((name) => name.slice(0, -3))
    .toSorted();
}

/** The name of the module that another one asks for. */
function nameOf(specifier, from) {
  const [, name] = /^(.+)\.js$/.exec(path.posix.join(path.posix.dirname(from), specifier)) ?? [];
  if (!name) throw new Error(`${from}: '${specifier}' is no module of the package`);
  return name;
}

function linesOf(text) {
  return text.split('\n').length - 1;
}

/** The code of a module, as the body of a function. Each line stays where it is in the line. */
function bodyOf(name, code) {
  const directory = JSON.stringify(`/${path.posix.dirname(name)}`);
  return code
    .replace(/^#!.*/, '')
    .replace(/\n\/\/# sourceMappingURL=.*\s*$/, '\n')
    .replaceAll(/\brequire\((["'])(\..+?)\1\)/g, (_, _quote, other) => {
      return `__load("${nameOf(other, name)}")`;
    })
    .replaceAll(/\b__dirname\b/g, `(__dirname + ${directory})`);
}

/** What a module exports, as the compiler wrote it. */
function exportsOf(name, codes) {
  const code = codes.get(name);
  const names = new Set();
  for (const [, one] of code.matchAll(/\bexports\.(\w+) = /g)) names.add(one);
  for (const [, one] of code.matchAll(/\bdefineProperty\(exports, "(\w+)"/g)) names.add(one);
  for (const [, other] of code.matchAll(/\b__exportStar\(require\("(.+?)"\)/g)) {
    for (const one of exportsOf(nameOf(other, name), codes)) names.add(one);
  }
  names.delete('__esModule');
  return names;
}

/**
 * What takes the place of a module's file. TypeScript reads the types from it, because tests import
 * modules that have no declarations, and Node reads the names of exports from the last lines. They
 * do nothing.
 */
function stubOf(name, codes) {
  const up = '../'.repeat(name.split('/').length - 1);
  const code = codes.get(name);
  return [
    ...(code.startsWith('#!') ? [code.slice(0, code.indexOf('\n'))] : []),
    '"use strict";',
    `const load = require("${up || './'}${bundleName}");`,
    `module.exports = /** @type {typeof import("../${up}src/${name}.js")} */ (load("${name}"));`,
    ...[...exportsOf(name, codes)].map(
      (exported) => `0 && Object.defineProperty(exports, "${exported}", { value: 0 });`,
    ),
    '',
  ].join('\n');
}

/** The modules that are loaded with one of those, at once and not on demand. */
function loadedWith(roots, codes) {
  const found = new Set();
  const add = (name) => {
    if (found.has(name)) return;
    found.add(name);
    for (const [, other] of codes.get(name).matchAll(/^\S.*?\brequire\("(\..+?)"\)/gm)) {
      add(nameOf(other, name));
    }
  };
  roots.forEach(add);
  return found;
}

/** Writes a file that has those modules between the two texts, and its map. */
function writeBundle(directory, file, [first, last], codes) {
  const parts = [];
  const texts = [first];
  let line = linesOf(first);
  for (const [name, code] of codes) {
    const map = readFileSync(path.join(directory, `${name}.js.map`), 'utf8');
    const { mappings, sources } = JSON.parse(map);
    const source = path.posix.join(path.posix.dirname(name), sources[0]);
    parts.push({ line: line + 1, mappings, source });
    const text = `${JSON.stringify(name)}(exports) {\n${bodyOf(name, code)}},\n`;
    texts.push(text);
    line += linesOf(text);
  }
  const text = `${texts.join('')}${last}//# sourceMappingURL=${file}.map\n`;
  // V8 keeps a text with one such character in twice the memory, and reads it more slowly.
  const wide = /^.*[\u0100-\uffff].*$/m.exec(text);
  if (wide) throw new Error(`write this with escapes: ${wide[0]}`);
  writeFileSync(path.join(directory, file), text);
  writeFileSync(path.join(directory, `${file}.map`), JSON.stringify(joinMaps(file, parts)));
}

/** Bundles the modules of `directory`, which the TypeScript compiler has just written. */
export function bundle(directory) {
  const fileOf = (name) => path.join(directory, `${name}.js`);
  const names = modulesIn(directory);
  const codes = new Map(names.map((name) => [name, readFileSync(fileOf(name), 'utf8')]));
  const programs = names.filter((name) => /^(process|pool)\//.test(name));
  const loaded = loadedWith(['index', ...programs], codes);
  const [here, others] = [[], []];
  for (const [name, code] of codes) (loaded.has(name) ? here : others).push([name, code]);
  writeBundle(directory, bundleName, [head, '};\nmodule.exports = __load;\n'], here);
  writeBundle(directory, othersName, [othersHead, '});\n'], others);
  for (const name of names) {
    writeFileSync(fileOf(name), stubOf(name, codes));
    rmSync(`${fileOf(name)}.map`);
  }
}
