// The arguments and the results of Processes. They travel in the format of the items of a queue,
// but objects of holdfast arrive as themselves.
import { HeldError, ProcessError } from '../errors.js';
import { attach } from '../objects/attach.js';
import type { Handle } from '../objects/shared.js';
import { Scratch } from '../records/batch.js';
import { ValueReader } from '../records/value-reader.js';
import { ValueWriter } from '../records/value-writer.js';

/** An object of any class of this package. */
interface Traveller {
  toJSON(): Handle;
}

/** A value that is ready to be sent. */
export interface Packed {
  readonly payload: Buffer;
  /** How many objects of holdfast are in it. */
  readonly objects: number;
  /**
   * Closes what keeps the objects open. Until then this process has them open, even if the caller
   * closes its own. Otherwise an anonymous object could end with its last user before the other
   * process opens it.
   */
  release(): void;
}

/**
 * Clones a value for another process. `root` is what errors call it.
 *
 * @throws TypeError for a value that cannot be cloned, with the path to it; ProcessError for an
 * object that is gone.
 */
export function pack(value: unknown, root: string): Packed {
  const objects: Found[] = [];
  const writer = new ValueWriter(root, (object, place) => {
    objects.push({ object: object as Traveller, place });
  });
  writer.write(value, new Scratch());
  const payload = writer.bytes.subarray(writer.start, writer.end);
  return { payload, objects: objects.length, release: keepOpen(objects) };
}

/** An object of holdfast in a value, and what messages call the place where it is. */
export interface Found {
  readonly object: Traveller;
  readonly place: string;
}

/**
 * Keeps objects open in this thread. Returns what closes them.
 *
 * @throws ProcessError for an object that is gone; then none is kept.
 */
export function keepOpen(objects: readonly Found[]): () => void {
  const kept: Disposable[] = [];
  const release = () => {
    for (const object of kept.splice(0)) letGo(object);
  };
  try {
    for (const { object, place } of objects) kept.push(openAgain(object, place));
  } catch (error) {
    release();
    throw error;
  }
  return release;
}

/**
 * Turns the payload of pack() back into a value, and opens the objects in it.
 *
 * @throws NotFoundError if one of the objects is gone.
 */
export function unpack(payload: Uint8Array): unknown {
  const bytes = Buffer.from(payload.buffer, payload.byteOffset, payload.byteLength);
  const reader = new ValueReader((handle) => attach(handle as Handle));
  return reader.read(bytes, 0, bytes.length);
}

function openAgain(object: Traveller, place: string): Disposable {
  const handle = object.toJSON();
  try {
    return attach(handle);
  } catch (cause) {
    const { holdfast: kind, name: objectName } = handle;
    throw new ProcessError(
      `${place} is a ${kind} that no other process can open: it was closed or unlinked`,
      { kind, objectName, cause },
    );
  }
}

function letGo(object: Disposable): void {
  try {
    object[Symbol.dispose]();
  } catch (error) {
    // The caller closed its own object while this thread held the lock, so ours is the last one
    // that is open. If it were closed now, the hold would end while its guard is in use. It is
    // closed when it is collected as garbage.
    if (!(error instanceof HeldError)) throw error;
  }
}
