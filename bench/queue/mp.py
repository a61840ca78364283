"""CPython's multiprocessing queues, the stream of stream.mjs: one producer, one consumer, forked."""

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
    "roundTrip": OBJECT,
}
VARIANTS = {"queue": mp.Queue, "simple": mp.SimpleQueue}


def second(there, back, batches, round_trip, pipe):
    get, put = there.get, back.put
    pipe.send("ready")
    for n in batches:
        if round_trip:
            for _ in range(n):
                put(get())
        else:
            for _ in range(n):
                get()
            pipe.send(monotonic_ns())


def main():
    variant, payload, warm_up, messages = sys.argv[1:5]
    batches = [int(warm_up)] + BATCHES * [int(messages)]
    item, round_trip = ITEMS[payload], payload == "roundTrip"
    there, back = VARIANTS[variant](), VARIANTS[variant]()
    mine, theirs = mp.Pipe()
    peer = mp.Process(target=second, args=(there, back, batches, round_trip, theirs))
    peer.start()
    mine.recv()
    put, get = there.put, back.get
    per_message = []
    for n in batches:
        start = monotonic_ns()
        if round_trip:
            for _ in range(n):
                put(item)
                get()
            end = monotonic_ns()
        else:
            for _ in range(n):
                put(item)
            end = mine.recv()
        per_message.append((end - start) / n)
    peer.join()
    print(json.dumps({"perMessage": per_message[1:]}))


if __name__ == "__main__":
    main()
