// Views of ArrayBuffers that change their length. `new Uint8Array(buffer)` follows the length of a
// resizable buffer, and `new Uint8Array(buffer, 0, 4)` does not. No property tells them apart. So a
// copy that structured clone makes is put to the test.
import { types } from 'node:util';
import { MessageChannel, receiveMessageOnPort } from 'node:worker_threads';

// TypeScript's libraries for ES2023 do not know these.
interface Resizable extends ArrayBuffer {
  readonly resizable: boolean;
  readonly maxByteLength: number;
  resize(length: number): void;
}

const { keys } = Object.getPrototypeOf(Uint8Array.prototype) as Uint8Array;

/** True if the view is over an ArrayBuffer that can be resized. */
export function isResizable(view: ArrayBufferView): boolean {
  return Boolean((view.buffer as Resizable).resizable);
}

/**
 * Does a view that isResizable() follow the length of its ArrayBuffer?
 *
 * @throws DataCloneError if it reaches beyond the end of its ArrayBuffer.
 */
export function followsLength(view: ArrayBufferView): boolean {
  const copy = cloneOf(view);
  const buffer = copy.buffer as Resizable;
  if (copy.byteLength === 0) {
    buffer.resize(buffer.maxByteLength);
    return copy.byteLength > 0;
  }
  buffer.resize(copy.byteOffset);
  return !hasNoBytes(copy);
}

/**
 * Was its ArrayBuffer detached, or resized so that the view reaches beyond the end? Such a typed
 * array looks like an empty one.
 */
export function hasNoBytes(view: ArrayBufferView): boolean {
  try {
    if (types.isDataView(view)) void view.byteLength;
    else keys.call(view as Uint8Array);
    return false;
  } catch {
    return true;
  }
}

/** As structuredClone() does, which is missing where a test runner plays a browser. */
function cloneOf(view: ArrayBufferView): ArrayBufferView {
  const { port1, port2 } = new MessageChannel();
  try {
    port1.postMessage(view);
    return (receiveMessageOnPort(port2) as { message: ArrayBufferView }).message;
  } finally {
    port1.close();
  }
}
