// Items that contain their producer and their number. Every byte of them is checked.
import { crc32 } from 'node:zlib';

export const stampLength = 16;

/**
 * Makes an item: 16 bytes for producer, sequence, length and checksum, and `length` bytes of its
 * own.
 */
export function stamped(producer, sequence, length) {
  const item = Buffer.allocUnsafe(stampLength + length);
  // The bytes depend on their place and on the item, so that a piece of another item is found.
  const from = (sequence * 131 + producer * 7919) % (patternLength >> 1);
  for (let done = 0; done < length; done += patternLength - from) {
    pattern.copy(item, stampLength + done, from, Math.min(patternLength, from + length - done));
  }
  item.writeUInt32LE(producer, 0);
  item.writeUInt32LE(sequence, 4);
  item.writeUInt32LE(length, 8);
  item.writeUInt32LE(crc32(item.subarray(stampLength), sequence), 12);
  return item;
}

/** What the item contains; undefined if it is torn. */
export function readStamp(item) {
  if (item.length < stampLength) return undefined;
  const producer = item.readUInt32LE(0);
  const sequence = item.readUInt32LE(4);
  const length = item.readUInt32LE(8);
  if (item.length !== stampLength + length) return undefined;
  if (item.readUInt32LE(12) !== crc32(item.subarray(stampLength), sequence)) return undefined;
  return { producer, sequence, length };
}

const patternLength = 1 << 20;
const pattern = Buffer.alloc(patternLength);
for (let i = 0, x = 1; i < patternLength; i++) {
  x = (Math.imul(x, 1103515245) + 12345) >>> 0;
  pattern[i] = x >>> 16;
}
