"""CPython's multiprocessing: what a release costs with so many processes waiting (waiters.mjs), and what
waiting costs (idle.mjs)."""

import json
import multiprocessing
import resource
import sys
import time
from time import monotonic_ns

# With a thousand forked interpreters this would measure the memory of the machine.
STEPS = (1, 10, 100)
RELEASES = 30
WARM_UP = 10
PAUSE_S = 0.001
ASIDE_S = 0.01
IDLE_S = 1.0

mp = multiprocessing.get_context("fork")


def queue_up(lock):
    while True:
        lock.acquire()
        lock.release()
        time.sleep(ASIDE_S)


def releases(lock, n):
    acquire, release = lock.acquire, lock.release
    took = []
    for _ in range(n):
        start = monotonic_ns()
        release()
        took.append(monotonic_ns() - start)
        back = acquire(False)
        if not back:
            acquire()
        time.sleep(PAUSE_S if back else ASIDE_S + PAUSE_S)
    return took


def waiters():
    lock = mp.Lock()
    lock.acquire()
    figures, peers = {}, []
    for waiting in STEPS:
        while len(peers) < waiting:
            peer = mp.Process(target=queue_up, args=(lock,), daemon=True)
            peer.start()
            peers.append(peer)
        time.sleep(0.1)
        releases(lock, WARM_UP)
        figures[f"waiters-{waiting}"] = releases(lock, RELEASES)
    # None of them holds the lock, because this process does.
    for peer in peers:
        peer.kill()
    for peer in peers:
        peer.join()
    return figures


def idle_side(lock, pipe):
    def spent():
        usage = resource.getrusage(resource.RUSAGE_SELF)
        return (usage.ru_utime + usage.ru_stime) * 1e9, usage.ru_nvcsw

    pipe.send("waiting")
    (cpu, switches), start = spent(), time.monotonic()
    lock.acquire()
    seconds = time.monotonic() - start
    cpu_then, switches_then = spent()
    lock.release()
    pipe.send(((cpu_then - cpu) / seconds, (switches_then - switches) / seconds))


def idle():
    lock = mp.Lock()
    lock.acquire()
    mine, theirs = mp.Pipe()
    peer = mp.Process(target=idle_side, args=(lock, theirs))
    peer.start()
    mine.recv()
    time.sleep(IDLE_S)
    lock.release()
    cpu, switches = mine.recv()
    peer.join()
    return {"cpu": [cpu], "switches": [switches]}


if __name__ == "__main__":
    print(json.dumps({"waiters": waiters, "idle": idle}[sys.argv[1]]()))
