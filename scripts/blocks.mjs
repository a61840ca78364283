// @ts-check The code blocks of README.md and docs/. test/docs/docs.test.ts runs them, and
// types-test.mjs checks their types.

import { readFileSync, readdirSync } from 'node:fs';
import path from 'node:path';
import { root } from './common.mjs';

/**
 * @typedef {object} Block
 * @property {string} document path from the root
 * @property {number} line of the opening fence, the first line being 1
 * @property {string} language with ` no-run` behind it if the block is not to be run
 * @property {string} code
 */

/** README.md and every page under docs/, by their paths from the root. */
export const documents = [
  'README.md',
  ...readdirSync(path.join(root, 'docs'), { recursive: true, encoding: 'utf8' })
    .filter((name) => name.endsWith('.md'))
    .map((name) => `docs/${name}`)
    .sort(),
];

/**
 * @param {string} document
 * @returns {Block[]}
 */
export function blocksOf(document) {
  /** @type {Block[]} */
  const blocks = [];
  /** @type {{ language: string, line: number, code: string[] } | undefined} */
  let open;
  readFileSync(path.join(root, document), 'utf8')
    .split('\n')
    .forEach((text, index) => {
      const fence = /^```(\w*(?: no-run)?)$/.exec(text);
      if (!fence) open?.code.push(text);
      else if (!open) open = { language: fence[1] ?? '', line: index + 1, code: [] };
      else {
        blocks.push({ document, ...open, code: open.code.join('\n') });
        open = undefined;
      }
    });
  if (open) throw new Error(`${document}:${open.line}: this code block has no end`);
  return blocks;
}
