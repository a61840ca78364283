"""CPython's Process, from just before `Process(...).start()` to the first thing that the target does."""

import json
import multiprocessing
import sys
from time import monotonic_ns


def target(stamps):
    stamps.put(monotonic_ns())


def main():
    mp = multiprocessing.get_context(sys.argv[1])
    stamps = mp.SimpleQueue()
    start = []
    # The first is the warm-up; it also starts the fork server.
    for i in range(int(sys.argv[2]) + 1):
        began = monotonic_ns()
        child = mp.Process(target=target, args=(stamps,))
        child.start()
        ran = stamps.get()
        child.join()
        if i > 0:
            start.append(ran - began)
    print(json.dumps({"start": start}))


if __name__ == "__main__":
    main()
