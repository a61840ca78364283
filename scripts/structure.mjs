// Checks the structure of the sources: which room may use which one, and how long files, functions
// and lines may be.
//
//   node scripts/structure.mjs          the findings, one a line; exit code 1 if there are any
//   node scripts/structure.mjs --show   files of each folder, longest file and function
//
// Imports and includes are read from the files themselves. An import that only types use counts.

import { spawnSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import path from 'node:path';
import { filesUnder, isMain, knowOnly, option, root } from './common.mjs';

const maxFileLines = 399;
const functionRules = 'scripts/long-functions.json';
const maxFunctionLines = JSON.parse(read(functionRules)).rules['max-lines-per-function'][1].max;
const maxLineLength = 100;

const generated = ['**/node_modules', '**/build', 'bench/plots'];

/**
 * The rooms of each layer, from the bottom up. A room uses its own files and rooms above it in this
 * list, never one below. A file that no room names belongs to the room of its folder.
 */
const layers = {
  src: [
    [
      'src/brand.ts',
      'src/uncloneable.ts',
      'src/errors.ts',
      'src/native-errors.ts',
      'src/options.ts',
      'src/spelling.ts',
      'src/identity.ts',
      'src/channels.ts',
      'src/native/enums.ts',
    ],
    ['src/native'],
    ['src/waiting/clock.ts', 'src/holds/nested.ts', 'src/holds/context.ts'],
    ['src/deadlocks'],
    ['src/waiting'],
    ['src/holds'],
    ['src/records'],
    ['src/objects/shared.ts'],
    ['src/locks'],
    ['src/objects'],
    ['src/cluster'],
    ['src/process'],
    ['src/pool'],
    ['src/index.ts', 'src/index.mts', 'src/navigator-locks.ts'],
    ['src/observe'],
    ['src/cli'],
    // The program of a child process. Nothing imports it.
    ['src/process/child.ts'],
  ],
  native: [
    ['native/platform'],
    ['native/core'],
    ['native/core/registry'],
    ['native/core/store'],
    ['native/core/agents'],
    ['native/core/waiting'],
    ['native/core/primitives'],
    ['native/core/locks'],
    ['native/addon'],
    ['native/test'],
  ],
};

/** The layer of a file. The longest entry counts that names the file or a folder around it. */
function layerOf(file, list) {
  let found = { level: -1, length: 0 };
  list.forEach((rooms, level) => {
    for (const room of rooms) {
      const inside = file === room || file.startsWith(`${room}/`);
      if (inside && room.length > found.length) found = { level, length: room.length };
    }
  });
  return found.level;
}

/** The text without comments, so that an example in a comment is not an import. */
function withoutComments(text) {
  return text.replace(/\/\*[\s\S]*?\*\//g, '').replace(/^\s*\/\/.*$/gm, '');
}

/** The files of src/ that a file imports: by import, export from, import() and import types. */
export function importsOf(file, text) {
  const found = [];
  const pattern = /(?:\bfrom\s*|\bimport\s*\(?\s*)(['"])(\.{1,2}\/[^'"]+)\1/g;
  for (const [, , specifier] of withoutComments(text).matchAll(pattern)) {
    const target = path.normalize(path.join(path.dirname(file), specifier));
    found.push(target.replace(/\.([cm]?)js$/, '.$1ts'));
  }
  return found;
}

/** The headers of native/ that a file includes. A source file stands for its header, too. */
export function includesOf(text) {
  return [...text.matchAll(/^#include "([\w/]+\.h)"/gm)].map(([, name]) => `native/${name}`);
}

/**
 * Groups of files that import each other in a cycle, each once. Uses Tarjan's strongly connected
 * components.
 */
export function cycles(graph) {
  const found = [];
  const state = new Map();
  const stack = [];
  const visit = (node) => {
    const own = { index: state.size, low: state.size, onStack: true };
    state.set(node, own);
    stack.push(node);
    for (const next of graph.get(node) ?? []) {
      const other = state.get(next) ?? visit(next);
      if (other.onStack) own.low = Math.min(own.low, other.low);
    }
    if (own.low !== own.index) return own;
    const ring = stack.splice(stack.indexOf(node));
    for (const member of ring) state.get(member).onStack = false;
    if (ring.length > 1 || graph.get(node)?.includes(node)) found.push(ring.toSorted());
    return own;
  };
  for (const node of graph.keys()) if (!state.has(node)) visit(node);
  return found;
}

function graphs() {
  const src = new Map();
  for (const file of filesUnder('src').filter((name) => /\.m?ts$/.test(name))) {
    src.set(file, importsOf(file, read(file)));
  }
  const native = new Map();
  for (const file of filesUnder('native').filter((name) => /\.(cc|h)$/.test(name))) {
    // Headers in a platform's own folder ("traits.h") are found by the include path, and not by
    // room.
    native.set(
      file,
      includesOf(read(file)).filter((name) => !/^native\/\w+\.h$/.test(name)),
    );
  }
  return { src, native };
}

function read(file) {
  return readFileSync(path.join(root, file), 'utf8');
}

/** What breaks the rules of the layers in these graphs. */
export function layerFindings(found = graphs()) {
  const findings = [];
  for (const [name, graph] of Object.entries(found)) {
    for (const ring of cycles(graph)) findings.push(`cycle: ${ring.join(' -> ')}`);
    const roomGraph = new Map();
    for (const [file, targets] of graph) {
      const own = layerOf(file, layers[name]);
      if (own < 0) findings.push(`${file}: stands in no room of scripts/structure.mjs`);
      for (const target of targets) {
        const other = layerOf(target, layers[name]);
        if (other > own) findings.push(`${file}: uses ${target}, which is a layer above it`);
        const [from, to] = [path.dirname(file), path.dirname(target)];
        if (from !== to && own === other) roomGraph.set(from, [...(roomGraph.get(from) ?? []), to]);
      }
    }
    for (const ring of cycles(roomGraph)) findings.push(`cycle of rooms: ${ring.join(' -> ')}`);
  }
  return findings;
}

/**
 * The bodies of C++ functions. In the layout of clang-format a `}` ends a body if its indentation
 * is that of the line that begins the function.
 */
export function cppFunctions(text) {
  const lines = text.split('\n');
  const found = [];
  const open = [];
  lines.forEach((line, index) => {
    const indent = line.length - line.trimStart().length;
    const last = open.at(-1);
    if (last && indent === last.indent && line.trimStart().startsWith('}')) {
      open.pop();
      if (last.isFunction) found.push({ line: last.line + 1, length: index - last.line + 1 });
    }
    if (!/\{(\s*\/\/.*)?$/.test(line)) return;
    // The head may have several lines. It begins at the first line with its indentation.
    let head = index;
    while (head > 0 && lines[head].search(/\S/) > (open.at(-1)?.indent ?? -2) + 2) head--;
    const start = lines[head];
    const isContainer = /^\s*(namespace|class|struct|union|enum|extern|template)\b/.test(start);
    const within = open.at(-1);
    const isFunction =
      !isContainer && start.includes('(') && (within === undefined || within.isContainer);
    const own = lines[head].search(/\S/);
    open.push({ line: head, indent: own, isFunction, isContainer });
  });
  return found;
}

/** What is too long in a file. The linter measures functions of TypeScript: longFunctions(). */
export function sizesIn(file, text) {
  const findings = [];
  const lines = text.split('\n');
  const length = lines.length - Number(lines.at(-1) === '');
  if (length > maxFileLines) findings.push(`${file}: ${length} lines, ${maxFileLines} at most`);
  lines.forEach((line, index) => {
    // A link, or the text of a test, cannot be broken into two lines.
    if (line.length <= maxLineLength || /https?:\/\/|^\s*['"`]|(it|describe)\(/.test(line)) return;
    findings.push(`${file}:${index + 1}: ${line.length} characters, ${maxLineLength} at most`);
  });
  if (!/\.(cc|h)$/.test(file)) return findings;
  for (const fn of cppFunctions(text)) {
    if (fn.length > maxFunctionLines) findings.push(tooLong(file, fn.line, fn.length));
  }
  return findings;
}

function tooLong(file, line, length) {
  return `${file}:${line}: a function of ${length} lines, ${maxFunctionLines} at most`;
}

/**
 * Functions of TypeScript and JavaScript that are too long, as the linter measures them. The
 * callback of describe(), forEachCase(), forEachSubject() or forEachServer() does not count,
 * because it is the frame of a suite.
 */
export function longFunctions(directories, from = root) {
  const args = ['node_modules/oxlint/bin/oxlint', functionRules].map((file) =>
    path.join(root, file),
  );
  const { stdout, stderr } = spawnSync(
    process.execPath,
    [args[0], '--config', args[1], '--format', 'json', ...directories],
    { cwd: from, encoding: 'utf8', maxBuffer: 64 * 2 ** 20 },
  );
  let report;
  try {
    report = JSON.parse(stdout);
  } catch (cause) {
    throw new Error(`oxlint did not measure the functions: ${stderr}${stdout}`, { cause });
  }
  const findings = [];
  for (const { message, filename, labels } of report.diagnostics) {
    const { line } = labels[0].span;
    const head = readFileSync(path.resolve(from, filename), 'utf8').split('\n')[line - 1];
    if (/\b(describe(\.\w+)?|forEachCase|forEachSubject|forEachServer)\(/.test(head)) continue;
    findings.push(tooLong(filename, line, /\((\d+)\)/.exec(message)?.[1]));
  }
  return findings;
}

/** Where a file, a function or a line is too long, in these folders. */
export function sizeFindings(directories) {
  return [
    ...sources(directories).flatMap((file) => sizesIn(file, read(file))),
    ...longFunctions(directories),
  ];
}

/** The folders of the project's own sources. */
export const everything = ['src', 'native', 'test', 'scripts', 'demos', 'bench'];

function sources(directories) {
  return directories
    .flatMap((directory) => filesUnder(directory, generated))
    .filter((file) => /\.(ts|cts|mts|mjs|cjs|cc|c|h)$/.test(file));
}

function show() {
  for (const room of ['src', 'native', 'test']) {
    const files = filesUnder(room).filter((file) => /\.(ts|cts|mjs|cc|h)$/.test(file));
    const byFolder = {};
    for (const file of files) {
      const folder = path.dirname(file);
      byFolder[folder] = (byFolder[folder] ?? 0) + 1;
    }
    console.log(`${room}: ${files.length} files`);
    for (const [folder, count] of Object.entries(byFolder)) console.log(`  ${count}\t${folder}`);
    const [longest] = files
      .map((file) => ({ file, lines: read(file).split('\n').length - 1 }))
      .toSorted((a, b) => b.lines - a.lines);
    console.log(`  longest file: ${longest.file}, ${longest.lines} lines`);
    const functions = files
      .filter((file) => /\.(cc|h)$/.test(file))
      .flatMap((file) => cppFunctions(read(file)).map((fn) => ({ file, ...fn })))
      .toSorted((a, b) => b.length - a.length);
    if (functions.length > 0) {
      const [{ file, line, length }] = functions;
      console.log(`  longest function: ${file}:${line}, ${length} lines (of ${functions.length})`);
    }
  }
  console.log(`cycles: ${Object.values(graphs()).flatMap(cycles).length}`);
}

if (isMain(import.meta)) {
  knowOnly('show');
  if (option('show') !== undefined) show();
  const findings = [...layerFindings(), ...sizeFindings(everything)];
  for (const finding of findings) console.log(finding);
  process.exitCode = findings.length > 0 ? 1 : 0;
}
