// Short text goes in and comes out without a call into C++ (src/records/ascii.ts). It must arrive
// as it would by the long way.
import assert from 'node:assert/strict';
import type { CodecChoice } from 'holdfast';
import { longestShort, readShort, writeAscii } from '../../../lib/records/ascii.js';
import { run } from '../../support/program.js';
import { open } from '../../support/queue.js';
import { through } from './codec-helpers.js';

const lengths = Array.from({ length: longestShort + 3 }, (_, length) => length);
/** Characters that are ASCII, the last of them and the first that is none, and some in UTF-16. */
const characters = ['a', '\0', '\x7f', '\x80', 'é', '€', '\ud800', '😀'];

/** Of that many characters, one of which is the odd one. */
function* textsOf(length: number): Generator<string> {
  for (const odd of characters) {
    for (const at of new Set([0, length >> 1, length - 1])) {
      if (at >= 0 && at < length) yield 'x'.repeat(at) + odd + 'y'.repeat(length - at - 1);
    }
  }
}

const codecs: CodecChoice<unknown>[] = ['structured', 'json'];

describe('Queue: short text', () => {
  for (const codec of codecs) {
    it(`arrives, alone and in objects: ${String(codec)}`, () => {
      const queue = open<unknown>({ codec });
      for (const length of lengths) {
        for (const text of textsOf(length)) {
          assert.equal(through(queue, text), text);
          const item = [text, { text, [text]: 1 }];
          assert.deepEqual(through(queue, item), item);
        }
      }
      assert.equal(through(queue, ''), '');
    });

    it(`arrives in batches: ${String(codec)}`, () => {
      const queue = open<unknown>({ codec });
      const texts = lengths.flatMap((length) => [...textsOf(length)]);
      queue.putManySync(texts);
      assert.deepEqual(queue.getManySync(texts.length), texts);
    });
  }

  it('reads no further than the text', () => {
    const bytes = Buffer.from('before'.padEnd(80, 'b'));
    for (const length of lengths) {
      const text = 't'.repeat(length);
      assert.equal(writeAscii(text, bytes, 6), true);
      const wanted = length > longestShort ? undefined : text;
      assert.equal(readShort(bytes, 6, length), wanted);
    }
    assert.equal(readShort(Buffer.from([65, 200, 66]), 0, 3), undefined);
    assert.equal(writeAscii('aé', bytes, 0), false);
  });

  it('arrives where no code may be made of text', async () => {
    const code = `
      const { Queue } = require('holdfast');
      const queue = new Queue();
      for (let length = 0; length < 40; length++) {
        queue.putSync('x'.repeat(length));
        queue.putSync({ text: 'y'.repeat(length) });
        console.log(queue.getSync().length, queue.getSync().text.length);
      }
      queue.close();`;
    const nodeArgs = ['--disallow-code-generation-from-strings', '--eval', code];
    const { stdout } = await run('', { nodeArgs });
    const wanted = Array.from({ length: 40 }, (_, length) => `${length} ${length}`);
    assert.deepEqual(stdout.trim().split('\n'), wanted);
  });
});
