// What native/core reports, as an error of a class: its code, and the words for it.
import { getSystemErrorName } from 'node:util';
import {
  ClosedError,
  CorruptError,
  DeadlockError,
  EndedError,
  ExistsError,
  HoldfastError,
  type HoldfastErrorOptions,
  IncompatibleError,
  NoSpaceError,
  NotFoundError,
  NotLockedError,
  NotOwnerError,
  OverReleaseError,
  PermissionError,
  RemovedError,
  label,
} from './errors.js';
import { type Code, errorCodes } from './native/enums.js';

type ErrorClass = new (message: string, options?: HoldfastErrorOptions) => HoldfastError;

function plain(code: string): ErrorClass {
  return class extends HoldfastError {
    constructor(message: string, options?: HoldfastErrorOptions) {
      super(code, message, options);
    }
  };
}

/** The class of each error code, and the message that is used if the core gives no detail. */
const byCode: Readonly<Record<Code, readonly [ErrorClass, string]>> = {
  [errorCodes.ok]: [plain('ERR_HOLDFAST_SYSTEM'), 'nothing went wrong'],
  [errorCodes.closed]: [ClosedError, 'it was closed'],
  [errorCodes.notLocked]: [NotLockedError, 'it is not locked, or no longer by this hold'],
  [errorCodes.notOwner]: [NotOwnerError, 'this thread does not hold it'],
  [errorCodes.overRelease]: [OverReleaseError, 'its value would pass the limit'],
  [errorCodes.deadlock]: [DeadlockError, 'this thread holds it and would wait for itself'],
  [errorCodes.exists]: [ExistsError, 'it exists already'],
  [errorCodes.notFound]: [NotFoundError, 'it does not exist'],
  [errorCodes.incompatible]: [IncompatibleError, 'it cannot be shared with this program'],
  [errorCodes.corrupt]: [CorruptError, 'it is corrupt'],
  [errorCodes.noSpace]: [NoSpaceError, 'no space'],
  [errorCodes.permission]: [PermissionError, 'not permitted'],
  [errorCodes.busy]: [plain('ERR_HOLDFAST_BUSY'), 'the directory is locked by another process'],
  [errorCodes.ended]: [EndedError, 'it was ended'],
  [errorCodes.system]: [plain('ERR_HOLDFAST_SYSTEM'), 'the operating system refused'],
  [errorCodes.removed]: [RemovedError, 'its files were removed while it was in use'],
};

/** The same for one kind of object, where the words above are not about it. */
const byCodeAndKind: Partial<Record<Code, Readonly<Record<string, string>>>> = {
  [errorCodes.overRelease]: {
    BoundedSemaphore: 'none of its permits is taken',
    JoinableQueue: 'taskDone() was called more often than get() took items out',
  },
};

/** @internal Turns what native/core reports into an error. The addon calls this. */
export function errorFromNative(
  code: number,
  kind: string,
  name: string,
  detail: string,
  errno: number,
  syscall: string,
): HoldfastError {
  const [Class, otherwise] = byCode[code as Code] ?? byCode[errorCodes.system];
  const options: HoldfastErrorOptions = { kind, objectName: name };
  const words = detail || byCodeAndKind[code as Code]?.[kind] || otherwise;
  let message = `${label(kind, name)}: ${words}`;
  if (errno !== 0) {
    const systemName = getSystemErrorName(-errno);
    message += ` (${systemName}, ${syscall})`;
    options.errno = errno;
    options.syscall = syscall;
    options.cause = Object.assign(new Error(`${systemName}: ${syscall}`), {
      code: systemName,
      errno: -errno,
      syscall,
    });
  }
  return new Class(message, options);
}
