// import 'holdfast/navigator-locks': the locks of all processes where a browser has its own.
//
// `navigator.locks` becomes the manager of the default namespace, in place of the one that Node has
// for the threads of one process. The classes of the standard become globals where there are none.
import { Lock } from './locks/lock.js';
import { LockManager, locks } from './locks/lock-manager.js';

const scope = globalThis as { navigator?: object; Lock?: unknown; LockManager?: unknown };

function define(target: object, name: string, value: unknown): void {
  Object.defineProperty(target, name, { value, configurable: true, writable: true });
}

if (scope.navigator === undefined) define(scope, 'navigator', new (class Navigator {})());
const navigator = scope.navigator!;
const prototype = Object.getPrototypeOf(navigator) as object | null;

// As WebIDL has it, an attribute is an accessor of the prototype. But that of plain objects is left
// alone, and a `locks` of navigator's own would hide one of the prototype.
const isPlain = prototype === null || Object.hasOwn(prototype, 'isPrototypeOf');
const home = isPlain || Object.hasOwn(navigator, 'locks') ? navigator : prototype;
Object.defineProperty(home, 'locks', { get: () => locks, configurable: true, enumerable: true });
if (scope.Lock === undefined) define(scope, 'Lock', Lock);
if (scope.LockManager === undefined) define(scope, 'LockManager', LockManager);
