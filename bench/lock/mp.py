"""CPython's multiprocessing locks, uncontended: nanoseconds per acquire/release pair.

Each loop is the tightest a user can write: a `for` over `range` inside a function (local variables),
and for the call forms the bound methods are looked up once, before the loop. Nothing is subtracted:
the loop itself is part of the figure, as it is on the JavaScript side.
"""

import json
import multiprocessing
import sys
import time

BATCH_MIN_NS = 20_000_000
BATCHES = 5


def calls(lock):
    acquire, release = lock.acquire, lock.release

    def body(n):
        for _ in range(n):
            acquire()
            release()

    return body


def with_statement(lock):
    def body(n):
        for _ in range(n):
            with lock:
                pass

    return body


def sixteen(locks):
    def body(n):
        for _ in range(0, n, len(locks)):
            for lock in locks:
                lock.acquire()
                lock.release()

    return body


def nested(rlock):
    rlock.acquire()
    return calls(rlock)


VARIANTS = {
    "lock": lambda: calls(multiprocessing.Lock()),
    "lock-16": lambda: sixteen([multiprocessing.Lock() for _ in range(16)]),
    "with": lambda: with_statement(multiprocessing.Lock()),
    "rlock": lambda: calls(multiprocessing.RLock()),
    "rlock-nested": lambda: nested(multiprocessing.RLock()),
    "semaphore": lambda: calls(multiprocessing.Semaphore(1)),
}


def timed(body, n):
    start = time.monotonic_ns()
    body(n)
    return time.monotonic_ns() - start


def main():
    body = VARIANTS[sys.argv[1]]()
    n = 1
    while timed(body, n) < BATCH_MIN_NS:
        n *= 2
    print(json.dumps({"pair": [timed(body, n) / n for _ in range(BATCHES)]}))


if __name__ == "__main__":
    main()
