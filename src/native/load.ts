// The only file that loads the addon.
import path from 'node:path';
import { HoldfastError } from '../errors.js';
import type { NativeAddon } from './bindings.js';
import { whyMissing, whyRefused } from './refusals.js';

interface NodeGypBuild {
  /** The path of the binary for this machine; throws if there is none. */
  path(directory: string): string;
}

function fail(message: string, cause: unknown): never {
  throw new HoldfastError('ERR_HOLDFAST_ADDON', message, { cause });
}

function find(): string {
  const root = path.resolve(__dirname, '../..');
  try {
    return (require('node-gyp-build') as NodeGypBuild).path(root);
  } catch (cause) {
    return fail(whyMissing(root), cause);
  }
}

function load(): NativeAddon {
  // A program may choose another build of the addon: the posix platform, or one with a sanitizer.
  const chosen = process.env['HOLDFAST_NATIVE'];
  const file = chosen ? path.resolve(chosen) : find();
  try {
    return require(file) as NativeAddon;
  } catch (cause) {
    return fail(whyRefused(file, cause), cause);
  }
}

export const addon = load();
