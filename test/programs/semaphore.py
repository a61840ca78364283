"""The other side of python.test.ts: CPython's own SemLock on a semaphore of holdfast.

semaphore.py <posix name> count <file> <rounds>   adds to a number in a file, in two steps
semaphore.py <posix name> hold                    acquires, says so, and releases at end of input
semaphore.py <posix name> wait                    says that it waits, and then that it has acquired
"""

import os
import struct
import sys
import time

import _multiprocessing

SEMAPHORE = 1
name, what, *rest = sys.argv[1:]
# _rebuild(handle, kind, maxvalue, name): sem_open(name, 0). maxvalue 1: a second permit is an error.
semaphore = _multiprocessing.SemLock._rebuild(0, SEMAPHORE, 1, name)


def say(line):
    print(line, flush=True)


def now():
    return time.clock_gettime(time.CLOCK_MONOTONIC) * 1000


if what == "count":
    fd = os.open(rest[0], os.O_RDWR)
    say("ready")
    for _ in range(int(rest[1])):
        semaphore.acquire()
        (value,) = struct.unpack("<I", os.pread(fd, 4, 0))
        os.pwrite(fd, struct.pack("<I", value + 1), 0)
        semaphore.release()
    say("done")
elif what == "hold":
    semaphore.acquire()
    say("holds")
    sys.stdin.read()
    at = now()
    semaphore.release()
    say(f"released {at}")
elif what == "wait":
    say(f"waits {semaphore.acquire(False)}")
    semaphore.acquire()
    say(f"acquired {now()}")
    semaphore.release()
