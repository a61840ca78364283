// Must show: views of resizable ArrayBuffers arrive as structuredClone() makes them. Those that
// follow the length of theirs go on following it.
import assert from 'node:assert/strict';
import { Queue } from 'holdfast';
import { track } from '../../support/index.js';

// TypeScript's libraries for ES2023 do not know them.
interface Resizable extends ArrayBuffer {
  readonly maxByteLength: number;
  resize(length: number): void;
}
const ResizableBuffer = ArrayBuffer as unknown as new (
  length: number,
  options: { maxByteLength: number },
) => Resizable;

function buffer(length: number, maxByteLength: number): Resizable {
  const made = new ResizableBuffer(length, { maxByteLength });
  for (const [i] of new Uint8Array(made).entries()) new Uint8Array(made)[i] = i + 1;
  return made;
}

type View = Uint8Array | DataView | Float64Array;

const views: Record<string, () => View> = {
  'a view that follows': () => new Uint8Array(buffer(8, 16)),
  'one that begins later': () => new Uint8Array(buffer(8, 16), 3),
  'one of a fixed length': () => new Uint8Array(buffer(8, 16), 3, 5),
  'one of a fixed length, of all': () => new Uint8Array(buffer(8, 16), 0, 8),
  'one that follows, of a buffer at its longest': () => new Uint8Array(buffer(8, 8), 2),
  'one of a fixed length, of a buffer at its longest': () => new Uint8Array(buffer(8, 8), 2, 6),
  'one that follows and is empty': () => new Uint8Array(buffer(8, 16), 8),
  'an empty one of a fixed length': () => new Uint8Array(buffer(8, 16), 8, 0),
  'a DataView that follows': () => new DataView(buffer(8, 16), 1),
  'a DataView of a fixed length': () => new DataView(buffer(8, 16), 1, 7),
  'wide elements that follow': () => new Float64Array(buffer(16, 33)),
  'wide elements of a fixed length': () => new Float64Array(buffer(16, 33), 0, 1),
  'wide elements, none yet': () => new Float64Array(buffer(8, 33), 8),
};

/** What can be seen of a view at each length of its ArrayBuffer. */
function seenOf(view: View): unknown[] {
  const bytes = view.buffer as Resizable;
  const seen: unknown[] = [view.constructor.name, bytes.maxByteLength];
  for (let length = 0; length <= bytes.maxByteLength; length++) {
    bytes.resize(length);
    try {
      // Throws where the view reaches beyond the end.
      const contents = view instanceof DataView ? view.byteLength : [...view.values()];
      seen.push([length, view.byteOffset, contents]);
    } catch {
      seen.push([length, 'beyond the end']);
    }
  }
  return seen;
}

describe('views of resizable ArrayBuffers in queues', () => {
  for (const [title, make] of Object.entries(views)) {
    it(`${title}: as structuredClone() makes it`, async () => {
      const queue = track(new Queue<unknown>());
      await queue.put(make());
      await queue.put({ deep: [make()] });
      const expected = seenOf(structuredClone(make()));
      assert.deepEqual(seenOf((await queue.get()) as View), expected);
      const { deep } = (await queue.get()) as { deep: View[] };
      assert.deepEqual(seenOf(deep[0]!), expected);
    });
  }

  it('two views share the buffer that they follow', async () => {
    const queue = track(new Queue<[Uint8Array, DataView]>());
    const bytes = buffer(8, 16);
    await queue.put([new Uint8Array(bytes), new DataView(bytes, 4)]);
    const [all, rest] = await queue.get();
    assert.equal(all.buffer, rest.buffer);
    (all.buffer as Resizable).resize(16);
    assert.deepEqual([all.length, rest.byteLength], [16, 12]);
  });

  for (const [title, make] of [
    ['a typed array', (bytes: Resizable) => new Uint8Array(bytes, 4, 4)],
    ['a DataView', (bytes: Resizable) => new DataView(bytes, 4, 4)],
    ['one that follows', (bytes: Resizable) => new Uint8Array(bytes, 7)],
  ] as const) {
    it(`${title} that reaches beyond the end is refused`, async () => {
      const queue = track(new Queue<unknown>());
      const bytes = buffer(8, 16);
      const view = make(bytes);
      bytes.resize(5);
      assert.throws(() => structuredClone(view), { name: 'DataCloneError' });
      await assert.rejects(queue.put({ view }), {
        name: 'EncodeError',
        message: /item\.view .* beyond the end of its ArrayBuffer/,
      });
      assert.equal(queue.size(), 0);
    });
  }

  for (const codec of ['structured', 'buffer', 'own'] as const) {
    it(`a Buffer whose bytes are gone is refused (codec ${codec})`, async () => {
      const own = { encode: (bytes: Uint8Array) => bytes, decode: (bytes: Buffer) => bytes };
      const queue = track(new Queue<Uint8Array>({ codec: codec === 'own' ? own : codec }));
      const short = buffer(8, 16);
      const beyond = Buffer.from(short, 4, 4);
      short.resize(2);
      const detached = Buffer.from(new ArrayBuffer(8));
      structuredClone(detached.buffer, { transfer: [detached.buffer as ArrayBuffer] });
      for (const gone of [beyond, detached]) {
        await assert.rejects(queue.put(gone), { name: 'EncodeError', message: /detached/ });
        if (codec !== 'structured') continue;
        const deep = { deep: gone } as unknown as Uint8Array;
        await assert.rejects(queue.put(deep), { name: 'EncodeError', message: /item\.deep/ });
      }
      await queue.put(Buffer.alloc(0));
      assert.equal((await queue.get()).length, 0);
    });
  }
});
