// Forged files, made from whole ones. They are grouped by the error that they must lead to.
import { header } from '../support/index.js';

export type Forge = (bytes: Buffer) => Buffer;

export const edit =
  (change: (bytes: Buffer) => void): Forge =>
  (bytes) => {
    change(bytes);
    return bytes;
  };

export const corrupt: [title: string, forge: Forge][] = [
  ['one byte', (bytes) => bytes.subarray(0, 1)],
  ['the magic number and no more', (bytes) => bytes.subarray(0, 8)],
  ['cut in its header', (bytes) => bytes.subarray(0, 100)],
  ['cut a byte before its header ends', (bytes) => bytes.subarray(0, header.length - 1)],
  ['cut where its header ends', (bytes) => bytes.subarray(0, header.length)],
  ['cut a byte before it ends', (bytes) => bytes.subarray(0, -1)],
  ['a byte too long', (bytes) => Buffer.concat([bytes, Buffer.alloc(1)])],
  ['twice as long', (bytes) => Buffer.concat([bytes, bytes])],
  ['text', () => Buffer.from('hello\n')],
  ['another magic number', edit((bytes) => bytes.write('SQLite', 0))],
  ['a length that is not its own', edit((bytes) => bytes.writeBigUInt64LE(2n ** 60n, 24))],
  ['a state that there is not', edit((bytes) => bytes.writeUInt32LE(7, header.state))],
  ['a kind that there is not', edit((bytes) => bytes.writeUInt32LE(99, header.kind))],
  ['a name longer than names', edit((bytes) => bytes.writeUInt32LE(4097, header.nameLength))],
  ['a long name without room', edit((bytes) => bytes.writeUInt32LE(300, header.nameLength))],
  ['a name elsewhere', edit((bytes) => bytes.writeUInt32LE(1, header.nameOffset))],
  ['owners elsewhere', edit((bytes) => bytes.writeUInt32LE(2 ** 32 - 8, header.ownersOffset))],
  [
    'a semaphore’s name without an end',
    edit((bytes) => bytes.fill('a', header.posixName, header.posixName + 32)),
  ],
];

/** In the file of a Semaphore, whose semaphore may have to be made again. */
export const tooMuch: [title: string, forge: Forge] = [
  'a value that no semaphore has',
  edit((bytes) => bytes.writeUInt32LE(40_000, header.initial)),
];

/** Files as another version would make them, or a program with another word size or C library. */
export const foreign: [title: string, forge: Forge][] = [
  [
    'a newer format',
    edit((bytes) => bytes.writeUInt32LE(bytes.readUInt32LE(header.version) + 1, header.version)),
  ],
  ['format 4294967295', edit((bytes) => bytes.writeUInt32LE(2 ** 32 - 1, header.version))],
  [
    'another layout signature',
    edit((bytes) => bytes.writeUInt8(bytes[header.signature]! ^ 1, header.signature)),
  ],
];
