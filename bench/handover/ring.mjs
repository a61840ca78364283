// Strict alternation by mutual exclusion alone, with three locks in a ring. The side with the turn
// holds two locks. The other side holds the third one, and waits for the older of those two. To
// pass the turn is to release that lock; to get it back is to acquire the third one. So one
// hand-over is exactly one contended release and acquisition. A side releases only locks that it
// acquired, and there is never a second waiter, so every kind of lock can play.
//
//   turn of   first holds   second holds   which side waits       the turn passes by
//   first     0 and 1       2              second waits for 0     release 0
//   second    1             2 and 0        first waits for 2      release 2
//   first     1 and 2       0              second waits for 1     release 1
//   ...

/**
 * `give(i)` releases lock i, and `take(i)` acquires it. If `take` returns a promise, it is awaited.
 */
export async function ring(side, { sync = false, take, give, close = () => {} }) {
  let mine = 0;
  let wanted = 1;
  if (side === 0) {
    await take(0);
    await take(1);
  } else {
    mine = 2;
    wanted = 0;
    await take(2);
  }
  return {
    sync,
    turn: () => take(wanted),
    // Invariant between turn() and pass(): this side holds `mine` and `wanted`. The other side
    // waits for `mine` and holds the third.
    pass() {
      give(mine);
      const third = 3 - mine - wanted;
      mine = wanted;
      wanted = third;
    },
    // Between pass() and turn() a player holds `mine` alone; side 0 ends with the turn, and two.
    async close() {
      await give(mine);
      if (side === 0) await give(wanted);
      await close();
    },
  };
}
