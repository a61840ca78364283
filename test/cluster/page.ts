// The blocks of docs/cluster.md, which tests run as they stand there.
import { readFileSync } from 'node:fs';
import path from 'node:path';

const page = path.resolve(import.meta.dirname, '../../docs/cluster.md');

/** The blocks of one language, in their order. */
export function blocksOfPage(language: string): string[] {
  const fence = new RegExp(`^\`\`\`${language}\\n([^]*?)^\`\`\`$`, 'gm');
  return [...readFileSync(page, 'utf8').matchAll(fence)].map(([, text]) => text!);
}
