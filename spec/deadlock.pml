// Deadlocks (src/deadlocks/detector.ts, native/core/agents/told_waits.h): threads tell of their waits,
// look for a circle, and the youngest wait of it ends.
//
// Three agents, each with one wait and the hold that the wait pins. The first two wait for each other.
// RING: the third one stands between them: all three are one circle, or there is none.
// Without it: the third and the first wait for each other, too. So there are two circles with one wait
// in common, and the one of the first two may be there before the third wait begins.
//
// A wait begins at any time. ENDS of them end in another way, by a time-out or an abort: the hold is
// given up, and only then is what was told taken back. The first two may die between any two steps.
// The versions of texts are two bits for each pair: has `j` told anew since `i` noted its version
// (`anew`)? Does it tell the same (`told`)?
//
// BUDGET: deaths; ENDS: waits that end in another way.

#ifndef BUDGET
#define BUDGET 1
#endif
#ifndef ENDS
#define ENDS 1
#endif
// LOOKS: of each agent after all waits have begun. While nothing else has happened, nobody is a look
// ahead of the others. In the first one not all have told yet, the next one notes; in the one after
// it not all may have told anew. So 5 suffice to end a wait, and 3 to end one wrongly.
#ifndef LOOKS
#define LOOKS 5
#endif

bool waiting[4];       // what is so
byte since[4];         // told once, and never changed
bool told[4];          // what is told
bool alive[4];
typedef Notes { bool by[4] };
Notes anew[4];         // anew[i].by[j]: j has told since i noted its version
byte locked;           // the directory's lock
byte clock = 1;
byte budget, ends = ENDS;
byte begun;            // ghost: waits that have begun or will not
byte left[4];          // ghost: looks
bool met[4];           // ghost: were both there at one time: the first and `i`; met[1]: all three
byte failed[4];        // ghost
bool quiet = true;     // ghost: nobody died, and no wait ended in another way

#define S(x) if :: atomic { x } :: atomic { mortal && budget > 0 -> goto dead } fi

#ifdef RING
#define CLOSED(a, b, c) (a && b && c)
#else
#define CLOSED(a, b, c) (a && (b || c))
#endif

inline meet() {
  if :: waiting[1] && waiting[2] -> met[2] = true :: else fi;
  if :: waiting[1] && waiting[3] -> met[3] = true :: else fi;
  if :: waiting[1] && waiting[2] && waiting[3] -> met[1] = true :: else fi
}

// write_wait_record
inline write(what) {
  told[me] = what; anew[1].by[me] = true; anew[2].by[me] = true; anew[3].by[me] = true
}
inline tell(what) { S(write(what)) }

// Store::wait_records, a step for each agent. What is told of the dead is left out.
inline hear() {
  S(a = told[1] && alive[1]);
  S(b = told[2] && alive[2]);
  S(c = told[3] && alive[3])
}

// youngestOf
inline choose() {
  youngest = 1;
  if :: b && since[2] > since[youngest] -> youngest = 2 :: else fi;
  if :: c && since[3] > since[youngest] -> youngest = 3 :: else fi
}

// The second reading, in which the versions are noted
inline note() {
  S(anew[me].by[1] = false);
  S(anew[me].by[2] = false);
  S(anew[me].by[3] = false)
}

// The wait is as good as ended.
inline judge() {
  assert(failed[me] == 0);
  // INV_27: a circle of this wait was there at one time, and no other wait of it has failed.
#ifdef RING
  assert(met[1]);
  assert(failed[1] + failed[2] + failed[3] == 0);
#else
  assert(failed[1] == 0);
  assert((me != 3 && met[2] && failed[2] == 0) || (me != 2 && met[3] && failed[3] == 0));
#endif
  failed[me]++
}

proctype Agent(byte me; bool mortal) {
  bool a, b, c, a0, b0, c0, noted, same, counts;
  byte youngest;
begin:
  S(waiting[me] = true; since[me] = clock; clock++; begun++; meet());
  goto again;
next:
  atomic { if :: counts -> left[me]--; counts = false :: else fi };
again:
  // In another way
  if
  :: atomic { ends > 0 -> ends--; quiet = false; waiting[me] = false }; goto ended
  :: atomic { mortal && budget > 0 -> goto dead }
  :: atomic {
       left[me] > 0 && (begun < 3 || !quiet || (left[1] <= left[me] && left[2] <= left[me] && left[3] <= left[me])) ->
       counts = (begun == 3)
     }
  :: atomic { left[me] == 0 -> goto done }
  fi;
  tell(true);
  hear();
  atomic {
    same = (noted && a == a0 && b == b0 && c == c0);
    if :: !CLOSED(a, b, c) -> noted = false; goto next :: else fi;
    choose();
    if :: youngest != me -> noted = false; goto next :: else fi
  };
#ifdef FAULT_looks_once
  same = true;
#endif
  if
  :: same -> skip
  :: else ->
     note();
     a0 = a; b0 = b; c0 = c; noted = true;
     goto next
  fi;
#ifndef FAULT_does_not_wait_for_news
#ifndef FAULT_looks_once
  atomic {
    if
    :: (a && !anew[me].by[1]) || (b && !anew[me].by[2]) || (c && !anew[me].by[3]) -> goto next
    :: else
    fi
  };
#endif
#endif
  // Store::exchange_wait_record
  S(same = (locked == 0); if :: same -> locked = me :: else fi);
  if :: !same -> goto next :: else fi;
#ifndef FAULT_without_comparing
  if :: a && me != 1 -> S(same = (same && told[1] && alive[1])) :: else fi;
  if :: b && me != 2 -> S(same = (same && told[2] && alive[2])) :: else fi;
  if :: c && me != 3 -> S(same = (same && told[3] && alive[3])) :: else fi;
  if :: !same -> S(if :: locked == me -> locked = 0 :: else fi); goto next :: else fi;
#endif
  S(write(false); judge());
  S(if :: locked == me -> locked = 0 :: else fi);
  S(waiting[me] = false);
  goto done;
ended:
  tell(false);
  goto done;
dead:
  atomic {
    budget--; alive[me] = false; quiet = false; waiting[me] = false;
    if :: locked == me -> locked = 0 :: else fi;
    if :: since[me] == 0 -> begun++ :: else fi
  };
done:
  left[me] = 0
}

// Nobody can move. If nothing else has ended the circle, a wait has failed.
active proctype Quiet() {
end_quiet:
  timeout -> assert(LOOKS < 5 || !quiet || failed[1] + failed[2] + failed[3] > 0)
}

init {
  atomic {
    if :: budget = 0 :: BUDGET > 0 -> budget = 1 :: BUDGET > 1 -> budget = 2 fi;
    alive[1] = true; alive[2] = true; alive[3] = true;
    left[1] = LOOKS; left[2] = LOOKS; left[3] = LOOKS;
    run Agent(1, true); run Agent(2, true); run Agent(3, false)
  }
}
