// What a page and a worker of a browser have in common, in a worker thread of Node: a global object
// with `self`, `location` and `navigator.locks`, and scripts that run as scripts, one after the
// other.
import { readFileSync } from 'node:fs';
import path from 'node:path';
import vm from 'node:vm';
import { workerData } from 'node:worker_threads';
import { LockManager } from 'holdfast';
import 'holdfast/navigator-locks';

const { folder, namespace, script } = workerData;

export function setGlobals(globals) {
  for (const [name, value] of Object.entries(globals)) {
    Object.defineProperty(globalThis, name, { value, configurable: true, writable: true });
  }
}

setGlobals({
  self: globalThis,
  isSecureContext: true,
  location: new URL(script, 'https://holdfast.invalid/web-locks/'),
});

// navigator-locks has put the locks of the default namespace there. In the same place the tests get
// a namespace that nothing else uses.
const { navigator } = globalThis;
const home = Object.hasOwn(navigator, 'locks') ? navigator : Object.getPrototypeOf(navigator);
const { enumerable } = Object.getOwnPropertyDescriptor(home, 'locks');
const manager = new LockManager({ namespace });
Object.defineProperty(home, 'locks', { get: () => manager, configurable: true, enumerable });

/** Runs a script, and first the scripts that its head names. */
export function runScript(url = globalThis.location) {
  const filename = path.join(folder, new URL(url, globalThis.location).pathname);
  const source = readFileSync(filename, 'utf8');
  for (const [, helper] of source.matchAll(/^\/\/ META: script=(.+)$/gm)) runScript(helper);
  vm.runInThisContext(source, { filename });
}
