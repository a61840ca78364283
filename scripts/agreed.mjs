// Writes the numbers of native/agreed.mjs into C++ and TypeScript.
//
//   node scripts/agreed.mjs            writes native/core/agreed.h and src/native/enums.ts
//   node scripts/agreed.mjs --check    which of the two differ; exit code 1 if any

import { readFileSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { constants, enums } from '../native/agreed.mjs';
import { isMain, knowOnly, option, root } from './common.mjs';

const longestLine = 98;
const camel = (name) => name.replace(/_(\w)/g, (_, letter) => letter.toUpperCase());

/** `text` in lines that each begin with `prefix`. */
function wrap(text, prefix) {
  const lines = [];
  for (const word of text.split(' ')) {
    const longer = lines.length > 0 ? `${lines.at(-1)} ${word}` : undefined;
    if (longer !== undefined && prefix.length + longer.length <= longestLine) {
      lines[lines.length - 1] = longer;
    } else {
      lines.push(word);
    }
  }
  return lines.map((line) => prefix + line);
}

function cppEnum({ name, comment, values }) {
  const lines = [...wrap(comment, '// '), `enum class ${name} : uint32_t {`];
  for (const value of values) {
    if (value.comment) lines.push(...wrap(value.comment, '  // '));
    lines.push(`  ${value.name} = ${value.number},`);
  }
  return [...lines, '};', ''];
}

function header() {
  return [
    '// Written by scripts/agreed.mjs from native/agreed.mjs: change that.',
    '#ifndef HOLDFAST_CORE_AGREED_H',
    '#define HOLDFAST_CORE_AGREED_H',
    '',
    '#include <cstddef>',
    '#include <cstdint>',
    '',
    'namespace holdfast::core {',
    '',
    ...enums.flatMap(cppEnum),
    ...constants.flatMap(({ name, type = 'int64_t', number, comment }) => [
      ...wrap(comment, '// '),
      `constexpr ${type} ${name} = ${number};`,
      '',
    ]),
    '}  // namespace holdfast::core',
    '',
    '#endif',
    '',
  ].join('\n');
}

function docComment(text, indent = '') {
  const one = `${indent}/** ${text} */`;
  if (one.length <= longestLine) return [one];
  return [`${indent}/**`, ...wrap(text, `${indent} * `), `${indent} */`];
}

function tsEnum({ name, table, comment, values }) {
  const lines = [...docComment(comment), `export const ${table} = {`];
  for (const value of values.filter(({ cppOnly }) => !cppOnly)) {
    if (value.comment) lines.push(...docComment(value.comment, '  '));
    lines.push(`  ${value.ts ?? camel(value.name)}: ${value.number},`);
  }
  return [
    ...lines,
    '} as const;',
    `export type ${name} = (typeof ${table})[keyof typeof ${table}];`,
    '',
  ];
}

function typescript() {
  const lines = [
    '// Written by scripts/agreed.mjs from native/agreed.mjs: change that.',
    '',
    ...enums.flatMap(tsEnum),
    ...constants.flatMap(({ ts, number, comment }) => [
      ...docComment(comment),
      `export const ${ts} = ${number};`,
      '',
    ]),
  ];
  return lines.join('\n');
}

/** The files that differ from the table. `write` writes them. */
export function agreed({ write = false } = {}) {
  const files = { 'native/core/agreed.h': header(), 'src/native/enums.ts': typescript() };
  const differ = Object.entries(files).filter(([file, text]) => {
    try {
      return readFileSync(path.join(root, file), 'utf8') !== text;
    } catch {
      return true;
    }
  });
  if (write) for (const [file, text] of differ) writeFileSync(path.join(root, file), text);
  return differ.map(([file]) => file);
}

if (isMain(import.meta)) {
  knowOnly('check');
  const check = option('check') !== undefined;
  const differ = agreed({ write: !check });
  for (const file of differ) {
    console.error(check ? `${file}: differs from native/agreed.mjs` : `${file}: written`);
  }
  process.exitCode = check && differ.length > 0 ? 1 : 0;
}
