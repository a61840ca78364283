// The only file that loads the addon.
import { existsSync, readdirSync } from 'node:fs';
import path from 'node:path';
import { HoldfastError } from '../errors.js';
import { libcHere } from './binary.js';
import type { NativeAddon } from './bindings.js';
import { missingIn } from './offered.js';
import { operationsOf } from './operations.js';
import { whyCutOff, whyMissing, whyOther, whyRefused, whyTooOld } from './refusals.js';

function fail(message: string, cause?: unknown): never {
  throw new HoldfastError('ERR_HOLDFAST_ADDON', message, cause === undefined ? {} : { cause });
}

/** The directory of the package. */
function findRoot(): string {
  try {
    return path.resolve(__dirname, '../..');
  } catch {
    // No CommonJS module has this code any more.
    return fail('a bundler has moved the code of holdfast: declare holdfast external');
  }
}

const root = findRoot();

/** The binary that was compiled here, or else the one that the package has for this machine. */
function find(): string | undefined {
  const compiled = path.join(root, 'build/Release/holdfast.node');
  if (existsSync(compiled)) return compiled;
  const directory = path.join(root, 'prebuilds', `${process.platform}-${process.arch}`);
  const names = namesIn(directory);
  const foreign = libcHere() === 'musl' ? '.glibc.' : '.musl.';
  // Other programs leave files of their own: .DS_Store, .nfs0001, node.napi.glibc.node.bak.
  const isBinary = (one: string) => one.endsWith('.node') && !one.startsWith('.');
  const name = names.find((one) => isBinary(one) && !one.includes(foreign));
  return name && path.join(directory, name);
}

/** Empty if it is not there; throws if it may not be read. */
function namesIn(directory: string): string[] {
  try {
    return readdirSync(directory);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return [];
    throw error;
  }
}

function findOrFail(): string {
  let cause: unknown;
  try {
    const found = find();
    if (found !== undefined) return found;
  } catch (error) {
    cause = error; // the permission model, or a directory that this user may not read
  }
  return fail(whyMissing(root, cause), cause);
}

function load(): NativeAddon {
  const old = whyTooOld();
  if (old !== undefined) fail(old);
  // A program may choose another build of the addon: the posix platform, or one with a sanitizer.
  const chosen = process.env['HOLDFAST_NATIVE'];
  const file = chosen ? path.resolve(chosen) : findOrFail();
  const cutOff = whyCutOff(file);
  if (cutOff !== undefined) fail(cutOff);
  const loaded = requireOrFail(file);
  const missing = missingIn(loaded);
  if (missing.length > 0) fail(whyOther(file, missing));
  loaded.kept ??= new Map();
  // Not in place: another copy of this package may be over the same addon.
  return { ...loaded, ...operationsOf(loaded) };
}

function requireOrFail(file: string): NativeAddon {
  try {
    return require(file) as NativeAddon;
  } catch (cause) {
    return fail(whyRefused(file, cause), cause);
  }
}

export const addon = load();
