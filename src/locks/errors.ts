// The errors that the standard names. They are DOMExceptions, not classes of this package.

/** `code` tells it from the AbortError of the caller's own signal. */
export function stolenError(name: string): DOMException {
  const error = new DOMException(
    `the lock ${JSON.stringify(name)} was stolen by another request`,
    'AbortError',
  );
  Object.defineProperty(error, 'code', { value: 'ERR_HOLDFAST_STOLEN', enumerable: true });
  return error;
}

export function fullError(): DOMException {
  return new DOMException(
    'the table of requests is full (maxRequests of LockManager), or the name is too long',
    'QuotaExceededError',
  );
}
