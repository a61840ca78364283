"""CPython's multiprocessing: what an object costs to have open. memory/objects.mjs says what is measured."""

import gc
import json
import multiprocessing
import os
import sys
from time import monotonic_ns

KINDS = {
    "lock": multiprocessing.Lock,
    "rlock": multiprocessing.RLock,
    "semaphore": lambda: multiprocessing.Semaphore(1),
    "event": multiprocessing.Event,
    "queue": multiprocessing.SimpleQueue,
}
PAGE = os.sysconf("SC_PAGE_SIZE")


def weigh():
    gc.collect()
    weight = {}
    if os.path.exists("/proc/self/statm"):
        with open("/proc/self/statm") as file:
            weight["resident"] = int(file.read().split()[1]) * PAGE
        weight["descriptors"] = len(os.listdir("/proc/self/fd"))
    if os.path.exists("/dev/shm"):
        system = os.statvfs("/dev/shm")
        weight["shared"] = (system.f_blocks - system.f_bfree) * system.f_frsize
    return weight


def main():
    make = KINDS[sys.argv[1]]
    figures, opened = {}, []
    for n in map(int, sys.argv[2:]):
        before, start = weigh(), monotonic_ns()
        for _ in range(n):
            opened.append(make())
        figures[f"open-{n}"] = [(monotonic_ns() - start) / n]
        after = weigh()
        for what, weight in before.items():
            figures[f"{what}-{n}"] = [max(0, after[what] - weight) / n]
    print(json.dumps(figures))


if __name__ == "__main__":
    main()
