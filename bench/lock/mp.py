"""CPython's multiprocessing locks, uncontended: nanoseconds per acquire/release pair.

Each loop is the tightest a user can write: a `for` over `range` inside a function (local variables),
and for the call forms the bound methods are looked up once, before the loop. Nothing is subtracted:
the loop itself is part of the figure, as it is on the JavaScript side. With a second argument it runs
that many pairs and prints nothing: instructions/count.mjs counts what they cost.
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


def is_set(event):
    event.set()
    check = event.is_set

    def body(n):
        for _ in range(n):
            check()

    return body


def put_get(queue, item):
    put, get = queue.put, queue.get

    def body(n):
        for _ in range(n):
            put(item)
            get()

    return body


OBJECT = {"id": 123456, "name": "a small object", "list": [1, 2, 3]}

VARIANTS = {
    "lock": lambda: calls(multiprocessing.Lock()),
    "lock-16": lambda: sixteen([multiprocessing.Lock() for _ in range(16)]),
    "with": lambda: with_statement(multiprocessing.Lock()),
    "rlock": lambda: calls(multiprocessing.RLock()),
    "rlock-nested": lambda: nested(multiprocessing.RLock()),
    "semaphore": lambda: calls(multiprocessing.Semaphore(1)),
    "isSet": lambda: is_set(multiprocessing.Event()),
    "queue-object": lambda: put_get(multiprocessing.SimpleQueue(), OBJECT),
    "queue-string": lambda: put_get(multiprocessing.SimpleQueue(), "sixteen bytes, 1"),
}


def timed(body, n):
    start = time.monotonic_ns()
    body(n)
    return time.monotonic_ns() - start


def main():
    body = VARIANTS[sys.argv[1]]()
    if len(sys.argv) > 2:
        body(int(sys.argv[2]))
        return
    n = 1
    while timed(body, n) < BATCH_MIN_NS:
        n *= 2
    print(json.dumps({"pair": [timed(body, n) / n for _ in range(BATCHES)]}))


if __name__ == "__main__":
    main()
