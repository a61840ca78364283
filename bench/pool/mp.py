"""CPython's Pool and ProcessPoolExecutor: an empty task, and 1,000 bytes objects of 1 MiB."""

import json
import multiprocessing
import sys
from concurrent.futures import ProcessPoolExecutor
from time import monotonic_ns

WORKERS = 2
MIB = 1 << 20
LATENCY = (5, 400, 400)
THROUGHPUT = (5, 2000, 2000)
BUFFERS = (1, 1000, 16)


def nothing():
    pass


class OfPool:
    def __init__(self, context):
        self.pool = context.Pool(WORKERS)

    def one(self):
        self.pool.apply(nothing)

    def many(self, count):
        for result in [self.pool.apply_async(nothing) for _ in range(count)]:
            result.get()

    def lengths(self, items):
        return self.pool.map(len, items)

    def close(self):
        self.pool.terminate()


class OfExecutor:
    def __init__(self, context):
        self.pool = ProcessPoolExecutor(WORKERS, mp_context=context)

    def one(self):
        self.pool.submit(nothing).result()

    def many(self, count):
        for future in [self.pool.submit(nothing) for _ in range(count)]:
            future.result()

    def lengths(self, items):
        return list(self.pool.map(len, items))

    def close(self):
        self.pool.shutdown()


def measure(plan, play):
    batches, tasks, warm_up = plan
    play(warm_up)
    times = []
    for _ in range(batches):
        began = monotonic_ns()
        play(tasks)
        times.append((monotonic_ns() - began) / tasks)
    return times


def main():
    pool = {"pool": OfPool, "executor": OfExecutor}[sys.argv[1]](
        multiprocessing.get_context("fork")
    )
    # They must differ, because pickle sends the same one once.
    buffers = [bytearray(b"x" * MIB) for _ in range(1000)]

    def latency(count):
        for _ in range(count):
            pool.one()

    def lengths(count):
        assert pool.lengths(buffers[:count]) == [MIB] * count

    results = {
        "latency": measure(LATENCY, latency),
        "throughput": measure(THROUGHPUT, pool.many),
        "buffers": measure(BUFFERS, lengths),
    }
    print(json.dumps(results))
    pool.close()


if __name__ == "__main__":
    main()
