// What a process can prove of a lock that it holds.

/** True if check() does not throw. */
export function checks(lock) {
  try {
    lock.check();
    return true;
  } catch {
    return false;
  }
}
