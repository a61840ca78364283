// Giving way to an overdue agent (native/core/waiting/giving_way.h), around a lock that is its owner
// word alone. What wait_set.pml models is one step here: an agent is enrolled, and is woken or not.
//
// Three agents acquire and release; the first is greedy, and takes the lock again at once. One that sleeps may announce
// that it is overdue, or may give up. The first two may die between any two steps, or be stopped for
// good at any step in which they do not hold the lock.
//
// The time for which others leave the lock free is a slice here. In the code it may be shorter, which
// only makes it end before the stopped agent comes back.
//
// BUDGET: deaths and stops; ROUNDS: acquisitions of the greedy agent; ANNOUNCES, ABORTS: how often, in all.
// Without a death or a stop there is no slice, so a run that gets stuck has lost a wake-up. Each of
// them gives each agent LOOKS slices.

#ifndef BUDGET
#define BUDGET 1
#endif
#ifndef ROUNDS
#define ROUNDS 2
#endif
#ifndef ANNOUNCES
#define ANNOUNCES 1
#endif
#ifndef ABORTS
#define ABORTS 1
#endif
// One finds the object free and gives way; a slice later the other one's time is over. Then there is the
// wake-up that goes to one that is stopped.
#define LOOKS 4

byte owner;          // the lock
byte acq;            // acquisitions, for Patience
byte overdue;        // WaitSet::overdue
bool given;          // WaitSet::given_way: is there an earlier find,
byte given_acq;      // ... and of how many acquisitions
bool enrolled[4];    // an entry of the wait set, with its bit
bool called[4];        // a wake-up is on its way
bool alive[4];       // Registry::alive
byte looks[4];       // slices that deaths and stops have earned
bool slept[4];       // ghost: has slept through a slice since the find
byte budget, announces = ANNOUNCES, aborts = ABORTS;
byte announced;      // ghost: the agent that the others have to let by
bool passed[4];      // ghost: has acquired since the announcement
byte waiting;        // ghost: live agents that are not through

// One access to shared memory, or the end: a mortal agent may die before any step, or be stopped.
#define S(x) if \
  :: atomic { x } \
  :: atomic { mortal && budget > 0 -> goto dead } \
  :: atomic { mortal && budget > 0 && owner != me -> goto stopped } \
  fi

inline earn() { looks[1] = LOOKS; looks[2] = LOOKS; looks[3] = LOOKS }
inline nobody_passed() { passed[1] = false; passed[2] = false; passed[3] = false }

// wake_one: the overdue agent if it is enrolled, otherwise any.
inline wake_one() {
  woke = false;
  S(w = overdue);
#ifdef FAULT_wake_anybody
  w = 0;
#endif
  if
  :: w != 0 -> S(if :: enrolled[w] -> enrolled[w] = false; woke = alive[w]; called[w] = woke :: else fi)
  :: else
  fi;
  do
  :: woke -> break
  :: else ->
     S(if
       :: enrolled[1] -> enrolled[1] = false; woke = alive[1]; called[1] = woke
       :: enrolled[2] -> enrolled[2] = false; woke = alive[2]; called[2] = woke
       :: enrolled[3] -> enrolled[3] = false; woke = true; called[3] = true
       :: else -> woke = true  // nobody
       fi)
  od;
  w = 0; woke = false
}

// GivingWay::end
inline end() {
#ifdef FAULT_end_of_anybody
  S(had = (overdue != 0); overdue = 0)
#else
  S(had = (overdue == me); if :: had -> overdue = 0 :: else fi)
#endif
}

// try_acquire
inline try_acquire() {
  S(w = overdue);
#ifdef FAULT_no_giving_way
  w = 0;
#endif
#ifdef FAULT_gives_way_to_itself
  if :: w == me -> w = 4 :: else fi;
#endif
  if
  :: w != 0 && w != me
  :: else ->
     S(if
       :: owner == 0 ->
          owner = me; got = true; acq++;
          if
          :: announced != 0 && announced != me ->
             assert(!passed[me]) /* INV_23 */; passed[me] = true
          :: announced == me -> announced = 0
          :: else
          fi
       :: else
       fi)
  fi;
  w = 0;
  if :: got -> end(); had = false :: else fi
}

// GivingWay::has_lapsed
inline has_lapsed() {
  had = false;
  S(w = overdue);
  if
  :: w == 0 || w == me -> had = true
  :: else ->
     S(had = !alive[w]);
     if
     :: had
     :: else ->
        S(had = (given && given_acq == acq && slept[me]);
          if
          :: !had && given && given_acq == acq
          :: else -> given = true; given_acq = acq; slept[1] = false; slept[2] = false; slept[3] = false
          fi)
     fi;
#ifdef FAULT_no_lapse
     had = false;
#endif
     if
     :: had -> S(had = (overdue == w); if :: had -> overdue = 0; announced = 0 :: else fi)
     :: else
     fi
  fi;
  w = 0
}

// try_acquire_or_rescue
inline try_acquire_or_rescue() {
  try_acquire();
  if
  :: got
  :: else ->
     S(o = owner);
     if
     :: o == 0 ->
        S(w = overdue);
        if
        :: w != 0 && w != me -> has_lapsed(); if :: had -> had = false; try_acquire() :: else fi
        :: else -> w = 0  // free by now: its release wakes
        fi
     :: o != 0 && o != me ->
        S(had = alive[o]);
        if
        :: !had ->
           S(if
             :: owner == o ->
                owner = me; got = true; acq++;
                if :: announced == me -> announced = 0 :: else fi
             :: else
             fi);
           if :: got -> end() :: else fi
        :: else
        fi;
        had = false
     :: o == me
     fi;
     o = 0
  fi
}

proctype Agent(byte me; bool mortal) {
  byte o, w, rounds;
  bool got, had, woke, has_announced;

next:
  if :: rounds == (me == 1 -> ROUNDS : 1) -> goto done :: else -> rounds++ fi;
  has_announced = false;
look:
  try_acquire_or_rescue();
  if :: got -> goto held :: else fi;
  S(enrolled[me] = true);
  try_acquire_or_rescue();
  if :: got -> goto held :: else fi;
asleep:
  if
  :: atomic { called[me] -> called[me] = false }; goto look
  // A slice that ends while a live agent holds the lock changes nothing.
  :: atomic { looks[me] > 0 && (owner == 0 || !alive[owner]) -> looks[me]--; slept[me] = true }; goto look
  :: atomic { !has_announced && announces > 0 -> announces--; has_announced = true };
     // announce_overdue
     S(w = overdue);
     if
     :: w == 0 -> had = true
     :: w != 0 && w != me -> S(had = !alive[w])
     :: w == me -> had = false
     fi;
     if
     :: had -> had = false;
        S(if :: overdue == w -> overdue = me; announced = me; nobody_passed() :: else fi)
     :: else
     fi;
     w = 0;
#ifdef FAULT_no_look_after_announcing
     goto asleep
#else
     goto look
#endif
  :: atomic { aborts > 0 -> aborts-- };
     // The wait ends: cancel, pass on, withdraw.
     S(had = !enrolled[me]; enrolled[me] = false);
     if :: had -> had = false; called[me] = false; wake_one() :: else fi;
     S(had = (overdue == me); if :: had -> overdue = 0; announced = 0 :: else fi);
#ifndef FAULT_withdraw_in_silence
     if :: had -> had = false; wake_one() :: else fi;
#endif
     goto next
  :: atomic { mortal && budget > 0 -> goto dead }
  :: atomic { mortal && budget > 0 -> goto stopped }
  fi;

held:
progress_held:
  got = false;
  // A wake-up that came too late is another's.
  S(had = called[me]; called[me] = false; enrolled[me] = false);
  if :: had -> had = false; wake_one() :: else fi;
  S(owner = 0);
  wake_one();
  goto next;

dead:
  atomic { budget--; alive[me] = false; if :: announced == me -> announced = 0 :: else fi; earn() };
  goto done;
stopped:
  atomic { budget--; if :: announced == me -> announced = 0 :: else fi; earn() };
done:
  atomic { waiting--; o = 0; w = 0; rounds = 0; got = 0; had = 0; woke = 0; has_announced = 0 }
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
