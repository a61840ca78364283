"""CPython's multiprocessing, the games of contend.mjs: many processes, one lock."""

import json
import mmap
import multiprocessing
import sys
import time
from time import monotonic_ns

COUNTS = (2, 4, 8, 16)
SECTIONS = {"empty": 0, "work": 10_000}
HEADSTART_NS = 20_000_000

mp = multiprocessing.get_context("fork")

VARIANTS = {"lock": mp.Lock, "rlock": mp.RLock}


def contend(lock, word, pipe):
    acquire, release = lock.acquire, lock.release
    while game := pipe.recv():
        start, end, section_ns = game
        time.sleep(max(0, start - monotonic_ns()) / 1e9)
        count, longest, last = 0, 0, start
        while True:
            acquire()
            now = monotonic_ns()
            word[0] += 1
            if section_ns > 0:
                until = now + section_ns
                while monotonic_ns() < until:
                    pass
            release()
            count += 1
            if now - last > longest:
                longest = now - last
            last = now
            if now >= end:
                break
        pipe.send((count, longest, last))


def main():
    variant, game_ms = sys.argv[1], float(sys.argv[2])
    lock = VARIANTS[variant]()
    word = memoryview(mmap.mmap(-1, 4096)).cast("q")
    players = []
    for _ in range(max(COUNTS)):
        mine, theirs = mp.Pipe()
        peer = mp.Process(target=contend, args=(lock, word, theirs))
        peer.start()
        players.append((mine, peer))

    figures = {}
    for section, section_ns in SECTIONS.items():
        for n in COUNTS:
            before = word[0]
            start = monotonic_ns() + HEADSTART_NS
            for pipe, _ in players[:n]:
                pipe.send((start, start + int(game_ms * 1e6), section_ns))
            shares = [pipe.recv() for pipe, _ in players[:n]]
            counts = [count for count, _, _ in shares]
            total = sum(counts)
            if word[0] - before != total:
                sys.exit("two players were in a section at once")
            jain = total**2 / (n * sum(count**2 for count in counts))
            figures[f"{section}-{n}"] = [(max(last for _, _, last in shares) - start) / total]
            figures[f"{section}-{n}-jain"] = [jain]
            figures[f"{section}-{n}-longest"] = [max(longest for _, longest, _ in shares)]
    for pipe, peer in players:
        pipe.send(None)
        peer.join()
    print(json.dumps(figures))


if __name__ == "__main__":
    main()
