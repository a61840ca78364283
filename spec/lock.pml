// Lock (native/core/primitives/lock.cc): a semaphore to wait on, an owner word to hold.
//
// Three agents acquire and release, asleep in the semaphore between their looks. The first two may die
// between any two steps, or end in good order while they hold. Any agent may release for another.
//
// BUDGET: deaths; ROUNDS: acquisitions of each agent; THIRD: releases by somebody else; ENDS: agents
// that end while holding. Without a death there is no slice at all, so a run that gets stuck has lost
// a wake-up; each death gives each agent LOOKS of them and no more.

#ifndef BUDGET
#define BUDGET 2
#endif
#ifndef ROUNDS
#define ROUNDS 1
#endif
#ifndef THIRD
#define THIRD 1
#endif
#ifndef ENDS
#define ENDS 1
#endif
// What finds a lost token: the look that first sees the word 0, and those of the two slices of Patience.
// Each look is one of a fresh handle: what was found before is in the object (`patience`), and nowhere else.
// One whose hold was ended by another while it was still acquiring counts itself late, and Patience
// begins anew.
#define LOOKS (3 + 2 * THIRD)
#define TOKENS_MAX 2  // the one of the lock, and one surplus

byte sem = 1;       // the POSIX semaphore
byte owner;         // OwnedBody::owner
byte acq;           // OwnedBody::acquisitions
bool patience;      // OwnedBody::patience: is there an earlier find,
byte patience_acq;  // ... and of how many acquisitions
byte since[4];      // ghost: the time since then in slices, by each agent's own looks
bool alive[4];      // Registry::alive
byte looks[4];      // slices that deaths have earned
byte budget, deaths, third = THIRD, ends = ENDS;
bool holds[4];      // ghost: has acquired, and nobody has ended that hold
byte waiting;       // ghost: live agents that are not through

// One access to shared memory, or the end: a mortal agent may die before any step.
#define S(x) if :: atomic { x } :: atomic { mortal && budget > 0 -> goto dead } fi

inline earn(n) { looks[1] = looks[1] + n; looks[2] = looks[2] + n; looks[3] = looks[3] + n }

inline post() { S(sem++; assert(sem <= TOKENS_MAX) /* tokens bounded */) }

inline swapped_in() {  // ghost
  assert(!holds[1] && !holds[2] && !holds[3]) /* INV_1 */;
  holds[me] = true; got = true
}

// Lock::claim
inline claim(from) {
#ifdef FAULT_claim_without_swap
  S(seen = owner);
  S(if :: seen == from -> owner = me; swapped_in() :: else -> got = false fi);
#else
  S(if :: owner == from -> owner = me; swapped_in() :: else -> got = false fi);
#endif
  if
  :: got ->
     S(x = acq);
     S(acq = x + 1);
#ifdef FAULT_shared_hold_number
     hold = x + 1;
#else
     last++; hold = last;
#endif
     x = 0
  :: else  // the token was surplus: dropped (INV-2)
  fi
}

// Lock::try_acquire
inline try_acquire() {
  S(if :: sem > 0 -> sem--; had = true :: else -> had = false fi);  // sem_trywait
  if :: had -> had = false; claim(0) :: else -> got = false fi
}

// Patience::exhausted. Time is counted in slices since the find: none has gone by for sure until some agent
// has slept through one, and two for sure when this agent has. In between, perhaps: earlier is safe (INV-2).
// The clock in the word is not modelled, so the swap of the word is one step with the read before it.
inline is_exhausted() {
  S(x = acq);
  S(if
    :: patience && patience_acq == x && since[1] + since[2] + since[3] > 0 ->
       if
       :: since[me] < 2 -> had = false
       :: true -> had = true
       fi
    :: else -> had = false
    fi;
    if
    :: !had && patience && patience_acq == x
    :: else ->  // found anew, or told: the two slices begin anew
       patience = true; patience_acq = x; since[1] = 0; since[2] = 0; since[3] = 0
    fi);
#ifdef FAULT_patience_in_the_handle
  patience = false;
#endif
  x = 0
}

// Lock::try_acquire_or_rescue
inline try_acquire_or_rescue() {
  try_acquire();
  if
  :: got
  :: else ->
     S(o = owner);
     if
     :: o == me
     :: o != 0 && o != me ->
#ifdef FAULT_rescue_of_living
        had = false;
#else
        S(had = alive[o]);
#endif
        if
        :: had -> had = false
        :: else -> claim(o)
        fi
     :: o == 0 ->
        is_exhausted();
        if
        :: had ->
           had = false;
#ifndef FAULT_no_rescue
           post();  // INV-3
#endif
           try_acquire()
        :: else
        fi
     fi;
     o = 0
  fi
}

// Lock::release_hold
inline release_hold(number) {
#ifdef FAULT_shared_hold_number
  S(x = acq);
  had = (x == number); x = 0;
#else
#ifdef FAULT_hold_without_number
  had = true;
#else
  had = (number == last);
#endif
#endif
  if
  :: had ->
#ifdef FAULT_release_without_swap
     had = true; S(owner = 0; holds[me] = false)
#else
     S(if
       :: owner == me ->
          assert(number == hold) /* a guard ends its own hold only */;
          owner = 0; holds[me] = false
       :: else -> had = false
       fi)
#endif
  :: else
  fi;
  if
  :: had -> had = false; post()
  :: else -> assert(!holds[me] || number != hold) /* not_locked: somebody else ended that hold */
  fi
}

// Lock::release
inline release_any() {
  S(o = owner);
  do
  :: o == 0 -> break  // not_locked
  :: else ->
     S(if
       :: owner == o -> owner = 0; holds[o] = false; had = true
       :: else -> o = owner
       fi);
     if :: had -> had = false; post(); break :: else fi
  od;
  o = 0
}

proctype Agent(byte me; bool mortal) {
  byte o, x, hold, last, old, seen, rounds;
  bool got, had;

next:
  if
  :: rounds == ROUNDS -> goto done
  :: else -> rounds++
  fi;
  if
  :: true
  :: atomic { third > 0 -> third-- }; release_any()  // somebody else's hold, or an abandoned one
  fi;
acquire:
  try_acquire_or_rescue();
  if :: got -> goto held :: else fi;
asleep:
  // Lock::wait. The kernel's wait takes a token as it returns.
  if
  :: atomic { sem > 0 -> sem-- };
     claim(0);
     if
     :: got -> goto held
#ifdef FAULT_surplus_posted_back
     :: else -> post(); goto asleep
#else
     :: else -> goto acquire  // a token beside an owner may be the alarm of an agent that ended
#endif
     fi
  :: atomic { looks[me] > 0 -> looks[me]--; since[me] = since[me] + (since[me] < 2 -> 1 : 0) }; goto acquire  // the slice is over
  :: atomic { mortal && budget > 0 -> goto dead }
  fi;

held:
progress_held:
  got = false;
  if
  :: old != 0 ->  // the guard of a hold that somebody else ended
     release_hold(old); old = 0
  :: else ->
     if
     :: true
     :: atomic { !holds[me] -> old = hold; hold = 0 }; goto acquire
     fi
  fi;
  if
  :: release_hold(hold); hold = 0
  :: atomic {  // Environment::end: dead to everybody first, then the alarm
       mortal && ends > 0 && holds[me] -> ends--; alive[me] = false; holds[me] = false;
       // A rescue that is under way may draw the alarm in its last try: one slice more.
       if :: deaths > 0 -> earn(1) :: else fi
     };
#ifndef FAULT_end_without_alarm
     post();  // Lock::abandon
#endif
     goto done
  fi;
  goto next;

dead:
  atomic {
    budget--; deaths++; alive[me] = false; holds[me] = false; earn(LOOKS)
  };
done:
  atomic {
    waiting--;
    o = 0; x = 0; hold = 0; last = 0; old = 0; seen = 0; rounds = 0; got = 0; had = 0
  }
}

// Nobody can move. Who still waits has been forgotten: INV_3, or a lost wake-up.
active proctype Quiet() {
end_quiet:
  timeout -> assert(waiting == 0) /* INV_3 */
}

init {
  atomic {
    if :: budget = 0 :: BUDGET > 0 -> budget = 1 :: BUDGET > 1 -> budget = 2 fi;
    waiting = 3;
    alive[1] = true; alive[2] = true; alive[3] = true;
    run Agent(1, true); run Agent(2, true); run Agent(3, false)
  }
}
