"""CPython's multiprocessing, the match of match.mjs: two processes, a turn that goes to and fro.

Locks play in a ring of three (ring.mjs says how), semaphores as a pair with initial value 0. The
second side is forked, because multiprocessing's objects have no name to open. As in the uncontended
loops, bound methods are looked up before the loop.
"""

import json
import multiprocessing
import os
import sys
from time import monotonic_ns

BATCHES = 5
DWELL_NS = 200_000

mp = multiprocessing.get_context("fork")


class Ring:
    """INVARIANT between turn() and pass_(): this side holds `mine` and `wanted`, the other side
    waits for `mine` and holds the third."""

    def __init__(self, make):
        locks = [make() for _ in range(3)]
        self.take = [lock.acquire for lock in locks]
        self.give = [lock.release for lock in locks]

    def start(self, side):
        if side == 0:
            self.mine, self.wanted = 0, 1
            self.take[0]()
            self.take[1]()
        else:
            self.mine, self.wanted = 2, 0
            self.take[2]()

    def turn(self):
        self.take[self.wanted]()

    def pass_(self):
        mine = self.mine
        self.give[mine]()
        self.mine, self.wanted = self.wanted, 3 - mine - self.wanted


class Pair:
    def __init__(self):
        self.semaphores = [mp.Semaphore(0), mp.Semaphore(0)]

    def start(self, side):
        self.turn = self.semaphores[side].acquire
        self.pass_ = self.semaphores[1 - side].release


class Events:
    def __init__(self):
        self.events = [mp.Event(), mp.Event()]

    def start(self, side):
        mine = self.events[side]
        wait, clear = mine.wait, mine.clear

        def turn():
            wait()
            clear()

        self.turn = turn
        self.pass_ = self.events[1 - side].set


class Turn:
    """The turn is a word in shared memory, and the condition says that it has changed."""

    def __init__(self):
        self.changed = mp.Condition(mp.Lock())
        self.word = mp.RawValue("i", 0)

    def start(self, side):
        changed, word = self.changed, self.word

        def turn():
            changed.acquire()
            while word.value != side:
                changed.wait()

        def pass_():
            word.value = 1 - side
            changed.notify()
            changed.release()

        self.turn, self.pass_ = turn, pass_
        if side == 0:
            turn()


class Meeting:
    """Two parties meet when the turn goes over, and again when it comes back: holdfast.mjs."""

    def __init__(self):
        self.both = mp.Barrier(2)

    def start(self, side):
        wait = self.both.wait
        self.owes = side == 0

        def turn():
            if self.owes:
                wait()
            wait()

        def pass_():
            self.owes = True

        self.turn, self.pass_ = turn, pass_
        if side == 1:
            self.finish = wait


VARIANTS = {
    "lock": lambda: Ring(mp.Lock),
    "rlock": lambda: Ring(mp.RLock),
    "bounded": lambda: Ring(lambda: mp.BoundedSemaphore(1)),
    "semaphore": Pair,
    "event": Events,
    "condition": Turn,
    "barrier": Meeting,
}


def dwell(ns):
    if ns == 0:
        return
    end = monotonic_ns() + ns
    while monotonic_ns() < end:
        pass


def second(player, turns, parts, pipe):
    if cpu := os.environ.get("HOLDFAST_BENCH_PEER_CPU"):
        os.sched_setaffinity(0, {int(cpu)})
    pipe.recv()
    player.start(1)
    pipe.send("ready")
    turn, pass_ = player.turn, player.pass_
    for _ in range(turns):
        turn()
        pass_()
    stamps = []
    for n, dwell_ns in parts:
        passed, got = [], []
        for _ in range(n):
            turn()
            got.append(monotonic_ns())
            dwell(dwell_ns)
            passed.append(monotonic_ns())
            pass_()
        stamps.append((passed, got))
    getattr(player, "finish", lambda: None)()
    pipe.send(stamps)


def exchange(player, turns):
    turn, pass_ = player.turn, player.pass_
    start = monotonic_ns()
    for _ in range(turns):
        pass_()
        turn()
    return (monotonic_ns() - start) / (2 * turns)


def stamped(player, n, dwell_ns):
    turn, pass_ = player.turn, player.pass_
    passed, got = [], []
    for _ in range(n):
        dwell(dwell_ns)
        passed.append(monotonic_ns())
        pass_()
        turn()
        got.append(monotonic_ns())
    return passed, got


def latencies(mine, theirs):
    (passed, got), (their_passed, their_got) = mine, theirs
    there = [b - a for a, b in zip(passed, their_got)]
    return there + [b - a for a, b in zip(their_passed, got)]


def main():
    variant = sys.argv[1]
    warm_up, turns, single, asleep = (int(argument) for argument in sys.argv[2:6])
    parts = ((single, 0), (asleep, DWELL_NS))
    player = VARIANTS[variant]()
    mine, theirs = mp.Pipe()
    peer = mp.Process(target=second, args=(player, warm_up + BATCHES * turns, parts, theirs))
    peer.start()
    # Not before the fork: the child would inherit an RLock's count and take it for its own.
    player.start(0)
    mine.send("go")
    mine.recv()

    exchange(player, warm_up)
    ping_pong = [exchange(player, turns) for _ in range(BATCHES)]
    stamps = [stamped(player, n, dwell_ns) for n, dwell_ns in parts]

    figures = [latencies(*both) for both in zip(stamps, mine.recv())]
    peer.join()
    print(json.dumps({"pingPong": ping_pong, "single": figures[0], "asleep": figures[1]}))


if __name__ == "__main__":
    main()
