// Strict alternation with mutual exclusion alone. Three locks in a ring: whoever has the turn holds
// two, the other holds the third and waits for the older of those two. Passing the turn is
// releasing that one; getting it back is acquiring the third. So one hand-over is exactly one
// contended release and acquisition, nobody ever releases what another took, and any lock can play:
// there is no second waiter to barge in.
//
//   turn of   first holds   second holds   who waits for what     the turn passes by
//   first     0 and 1       2              second waits for 0     release 0
//   second    1             2 and 0        first waits for 2      release 2
//   first     1 and 2       0              second waits for 1     release 1
//   ...

/** `give(i)` releases lock i; `take(i)` acquires it; its promise, if any, is passed on. */
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
    // INVARIANT between turn() and pass(): I hold `mine` and `wanted`, the other waits for `mine`
    // and holds the third.
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
