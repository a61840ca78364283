// Parking (native/core/waiting/parking.h): threads that sleep at a word until a lock is free, around a
// lock that is its owner word alone.
//
// Three agents acquire and release ROUNDS times each. A wake-up of the kernel is one step, as is a sleep:
// the kernel looks at the word and puts the thread to sleep in one. The first two agents may die between
// any two steps. The owner word of a dead agent is free for all.
//
// BUDGET: deaths. Without a death no sleep ends by itself, so a run that gets stuck has lost a wake-up.
// Each death gives each agent one time-out.

#ifndef BUDGET
#define BUDGET 1
#endif
#ifndef ROUNDS
#define ROUNDS 2
#endif

byte owner;       // OwnedBody::owner
mtype = { nobody, somebody, woken };
mtype asked = nobody;  // OwnedBody::asleep: 0, 1, or when somebody was woken
bool asleep[4];   // the kernel's queue of those who sleep at the word
bool alive[4];
byte looks[4];    // time-outs that deaths have earned
byte budget;
byte waiting;     // ghost: live agents that are not through

// One access to shared memory or one system call, or the end.
#define S(x) if :: atomic { x } :: atomic { mortal && budget > 0 -> goto dead } fi

// The lock is free, or its holder is dead.
inline try_once() {
  S(got = (owner == 0 || !alive[owner]); if :: got -> owner = me :: else fi)
}

inline ask() { S(asked = somebody) }

// The kernel wakes one of those who sleep; which one does not matter. `had`: did it?
inline wake_in_kernel() {
  S(if
    :: asleep[1] -> asleep[1] = false
    :: asleep[2] -> asleep[2] = false
    :: asleep[3] -> asleep[3] = false
    :: else -> had = false
    fi)
}

// Parking::wake_one. Whether the last one was woken long ago is left open.
inline wake_one() {
  S(seen = asked);
  if
  :: seen == woken -> if :: seen = nobody :: skip fi
  :: else
  fi;
  if
  :: seen != nobody ->
#ifdef FAULT_wakes_without_swap
     had = true;
     wake_in_kernel();
     S(asked = (had -> woken : nobody))
#else
     S(had = (asked == seen); if :: had -> asked = woken :: else fi);
     if
     :: had ->
        wake_in_kernel();
        if
        :: !had -> S(if :: asked == woken -> asked = nobody :: else fi)
        :: else
        fi
     :: else
     fi
#endif
  :: else
  fi;
  had = false; seen = nobody
}

proctype Agent(byte me; bool mortal) {
  bool got, had;
  mtype seen = nobody;
  byte rounds = ROUNDS;
next:
progress_next:
  if :: rounds == 0 -> goto done :: else -> rounds-- fi;
  // JavaScript tries before it waits.
  try_once();
  if :: got -> goto held :: else fi;
again:
#ifdef FAULT_tries_before_it_asks
  try_once();
  if :: got -> goto held :: else fi;
  ask();
#else
  ask();
  try_once();
  if :: got -> goto held :: else fi;
#endif
  S(asleep[me] = (asked == somebody));
  if
  :: atomic { !asleep[me] }
  :: atomic { looks[me] > 0 -> looks[me]--; asleep[me] = false }
  :: atomic { mortal && budget > 0 -> goto dead }
  fi;
  try_once();
  if :: !got -> goto again :: else fi;
#ifndef FAULT_does_not_ask_for_others
  ask();
#endif
held:
progress_held:
  got = false;
#ifdef FAULT_wakes_before_it_releases
  wake_one();
  S(assert(owner == me) /* INV_1 */; owner = 0);
#else
  S(assert(owner == me) /* INV_1 */; owner = 0);
  wake_one();
#endif
  goto next;
dead:
  atomic {
    budget--; alive[me] = false; asleep[me] = false;
#ifndef FAULT_no_time_out
    looks[1] = 1; looks[2] = 1; looks[3] = 1
#endif
  };
done:
  atomic { waiting--; rounds = 0; got = false; had = false; seen = nobody }
}

// Nobody can move. Who still waits has been forgotten.
active proctype Quiet() {
end_quiet:
  timeout -> assert(waiting == 0)
}

init {
  atomic {
    if :: budget = 0 :: BUDGET > 0 -> budget = 1 :: BUDGET > 1 -> budget = 2 fi;
    waiting = 3;
    alive[1] = true; alive[2] = true; alive[3] = true;
    run Agent(1, true); run Agent(2, true); run Agent(3, false)
  }
}
