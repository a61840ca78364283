import { randomUUID } from 'node:crypto';
import { readOptions } from '../options.js';
import { Connection } from './connection.js';

/** How to make a Pipe. */
export interface PipeOptions {
  /**
   * The most bytes of shared memory for the items of each direction, 65536 to 1073741824; 64 MiB by
   * default. When they are used up, send() waits.
   */
  maxBytes?: number | undefined;
}

/**
 * Makes a pipe, and returns its two ends. What one end sends, the other receives, in order. It is
 * Python's `multiprocessing.Pipe`. Give one of them to another process, in the arguments of a
 * Process or by its handle, and close it here. Blocks only while another process has the directory
 * locked.
 *
 * @throws NoSpaceError if the first 64 KiB of each direction cannot be had; TypeError or RangeError
 * for wrong options.
 */
export function Pipe<A = unknown, B = A>(
  options: PipeOptions = {},
): [Connection<A, B>, Connection<B, A>] {
  const { maxBytes } = readOptions(options, ['maxBytes']) as PipeOptions;
  const name = `pipe:${randomUUID()}`;
  const first = new Connection<A, B>(name, 1, { maxBytes });
  try {
    return [first, new Connection<B, A>(name, 2, { mustExist: true })];
  } catch (error) {
    first.close();
    throw error;
  }
}
