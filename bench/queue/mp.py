"""CPython's multiprocessing queues, the stream of stream.mjs: some producers, some consumers, forked."""

import json
import multiprocessing
import sys
from time import monotonic_ns

BATCHES = 3

mp = multiprocessing.get_context("fork")

OBJECT = {"id": 123456, "name": "a small object", "list": [1, 2, 3]}
ITEMS = {
    "string": "sixteen bytes, 1",
    "object": OBJECT,
    "kib": b"x" * 1024,
    "kib64": b"x" * 65536,
    "mib": b"x" * (1 << 20),
    "roundTrip": OBJECT,
}
VARIANTS = {"queue": mp.Queue, "simple": mp.SimpleQueue}


def produce(there, item, pipe):
    pipe.send("ready")
    put = there.put
    while n := pipe.recv():
        for _ in range(n):
            put(item)


def consume(there, back, batches, round_trip, pipe):
    get, put = there.get, back.put
    pipe.send("ready")
    for n in batches:
        pipe.recv()
        if round_trip:
            for _ in range(n):
                put(get())
        else:
            for _ in range(n):
                get()
            pipe.send(monotonic_ns())


def start(target, *args):
    mine, theirs = mp.Pipe()
    peer = mp.Process(target=target, args=(*args, theirs))
    peer.start()
    mine.recv()
    return mine, peer


def main():
    variant, payload = sys.argv[1:3]
    producers, consumers, warm_up, messages = map(int, sys.argv[3:7])
    batches = [warm_up] + BATCHES * [messages]
    item, round_trip = ITEMS[payload], payload == "roundTrip"
    there, back = VARIANTS[variant](), VARIANTS[variant]()
    shares = [n // consumers for n in batches]
    takers = [start(consume, there, back, shares, round_trip) for _ in range(consumers)]
    helpers = [start(produce, there, item) for _ in range(producers - 1)]
    put, get = there.put, back.get
    per_message = []
    for n in batches:
        for pipe, _ in takers:
            pipe.send("begin")
        begin = monotonic_ns()
        for pipe, _ in helpers:
            pipe.send(n // producers)
        if round_trip:
            for _ in range(n):
                put(item)
                get()
            end = monotonic_ns()
        else:
            for _ in range(n // producers):
                put(item)
            end = max(pipe.recv() for pipe, _ in takers)
        per_message.append((end - begin) / n)
    for pipe, _ in helpers:
        pipe.send(0)
    for _, peer in takers + helpers:
        peer.join()
    print(json.dumps({"perMessage": per_message[1:]}))


if __name__ == "__main__":
    main()
