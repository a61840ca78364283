// RLock (native/core/primitives/rlock.cc): an owner word to hold, a robust mutex to wait in.
//
// Agents acquire and release; the first two may die between any two steps. With LONELY agent 3 may not
// lock mutexes (an agent of another pid namespace has its thread number) and waits at its doorbell. Depth
// is not modelled: a nested acquisition touches nothing that others write.
//
// BUDGET: deaths; ROUNDS: acquisitions of each agent. Without a death there is no slice, so a run that
// gets stuck has lost a wake-up; each death gives each agent three looks, as in lock.pml.

#ifndef BUDGET
#define BUDGET 2
#endif
#ifndef ROUNDS
#define ROUNDS 1
#endif
#define LOOKS 3

byte owner;          // OwnedBody::owner
byte mutex;          // the robust mutex: who has it
bool marked;         // its FUTEX_OWNER_DIED
byte mutex_owner;    // OwnedBody::mutex_owner
byte acq;            // OwnedBody::acquisitions
bool alive[4];       // Registry::alive: the doorbell has a reader
bool wants[4];       // the wait set: enrolled and not woken
bool doorbell[4];
byte looks[4], budget;
bool holds[4];       // ghost
byte waiting;        // ghost

// One access to shared memory, or the end: a mortal agent may die before any step.
#define S(x) if :: atomic { x } :: atomic { mortal && budget > 0 -> goto dead } fi
#ifdef LONELY
#define MAY_LOCK (me != 3)
#else
#define MAY_LOCK true
#endif

// RLock::claim
inline claim(from) {
#ifdef FAULT_claim_without_swap
  S(seen = owner);
  S(got = (seen == from);
#else
  S(got = (owner == from);
#endif
    if
    :: got ->
       owner = me;
       assert(!holds[1] && !holds[2] && !holds[3]) /* INV_1 */;
       holds[me] = true
    :: else
    fi);
  if :: got -> S(x = acq); S(acq = x + 1); x = 0; pat = 0 :: else fi
}

// RLock::unlock_mutex. The kernel hands the mutex to a thread that waits in it.
inline unlock() {
  S(x = mutex_owner);
  if
  :: x == me -> S(mutex_owner = 0); S(assert(mutex == me) /* INV_11 */; mutex = 0)
  :: else
  fi;
  x = 0
}

// wake_one, whole: its steps are in wait_set.pml
inline wake_one() {
  S(if
    :: wants[1] && alive[1] -> wants[1] = false; doorbell[1] = true
    :: wants[2] && alive[2] -> wants[2] = false; doorbell[2] = true
    :: wants[3] && alive[3] -> wants[3] = false; doorbell[3] = true
    :: else
    fi)
}

// RLock::claim_with, the mutex just locked; `died`: the kernel said EOWNERDEAD
inline claim_with() {
  S(o = owner);
#ifndef FAULT_death_of_anybody
  S(died = (died && mutex_owner == o));
#endif
  S(mutex_owner = me);
  got = false;
  if
  :: o == 0 || died -> claim(o)
  :: else -> S(up = alive[o]); if :: up :: else -> claim(o) fi; up = 0
  fi;
  o = 0; died = false;
  if
  :: got
  :: else ->
#ifndef FAULT_mutex_kept
     unlock();
#endif
#ifndef FAULT_silent_return
     // Somebody may have found the word free and the mutex taken, by us.
     S(o = owner);
     if :: o == 0 -> o = 0; wake_one() :: else -> o = 0 fi
#endif
  fi
}

// platform::try_lock_mutex and what follows it
inline try_mutex() {
  got = false;
  S(if :: mutex == 0 -> mutex = me; died = marked; marked = false; locked = true :: else fi);
  if :: locked -> locked = false; claim_with() :: else fi
}

// Patience: see lock.pml
inline patience() {
  S(x = acq);
  if
  :: pat == 0 || x != pat_acq -> pat_acq = x; pat = 1; up = false
  :: else -> if :: pat == 1 -> pat = 2; up = false :: true -> up = true fi
  fi;
  x = 0
}

// RLock::try_acquire_or_rescue
inline try_acquire_or_rescue() {
  got = false;
  if :: MAY_LOCK -> try_mutex() :: else fi;
  if
  :: got
  :: else ->
     S(o = owner);
     if
     :: o == 0 ->
        if :: MAY_LOCK -> patience() :: else -> up = true fi;
        if
        :: up -> up = false;
#ifndef FAULT_no_rescue
           claim(0)
#else
           skip
#endif
        :: else
        fi
     :: else ->
        pat = 0; pat_acq = 0;
        S(up = alive[o]);
        if
        :: up -> up = false
        :: else ->
           dead_one = o;
           if :: MAY_LOCK -> try_mutex() :: else fi;
           if :: got :: else -> claim(dead_one) fi;
           dead_one = 0
        fi
     fi;
     o = 0
  fi
}

proctype Agent(byte me; bool mortal) {
  byte o, x, pat, pat_acq, dead_one, seen, rounds;
  bool got, died, locked, up, sync, enrolled;

next:
  // Agent 2 waits at its doorbell, as acquire() does; the others in the mutex, as acquireSync().
  sync = (MAY_LOCK && me != 2);
  if :: sync -> goto in_mutex :: else -> goto enrol fi;

in_mutex:
  if
  :: S(mutex == 0 -> mutex = me; died = marked; marked = false);  // lock_mutex_until
     claim_with();
     sync = false;                   // INV-11: it waits at its doorbell from here on
     if :: got -> goto held :: else -> goto enrol fi
  :: atomic { looks[me] > 0 -> looks[me]-- }; goto looking        // the slice is over
  fi;

enrol:
  S(wants[me] = true);
  enrolled = true;
looking:
  try_acquire_or_rescue();
  if
  :: got -> if :: sync -> goto held :: else -> goto leave fi
  :: else
  fi;
  if
  :: sync -> goto in_mutex
  :: !sync && !enrolled -> goto enrol  // and look once more: INV-4
  :: !sync && enrolled -> enrolled = false
  fi;
  if
  :: atomic { doorbell[me] -> doorbell[me] = false }; goto looking
  :: atomic { looks[me] > 0 -> looks[me]-- }; goto looking
  :: atomic { mortal && budget > 0 -> goto dead }
  fi;

leave:
  enrolled = false;
  S(up = wants[me]; wants[me] = false);
  if :: up -> up = false :: else -> wake_one() fi;  // woken as well: pass it on
held:
progress_held:
  got = false; sync = false;
  S(x = mutex_owner);                // RLock::release
  if
  :: x == me -> x = 0; S(owner = 0; holds[me] = false); unlock()
  :: else -> x = 0; S(owner = 0; holds[me] = false)
  fi;
#ifndef FAULT_no_wake
  wake_one();
#endif
  rounds++;
  if :: rounds < ROUNDS -> goto next :: else -> goto done fi;

dead:
  atomic {  // the kernel: first the list of robust mutexes, then the descriptors, the doorbell among them
    budget--; holds[me] = false;
    if :: mutex == me -> mutex = 0; marked = true :: else fi
  };
  atomic {
    alive[me] = false;
    looks[1] = looks[1] + LOOKS; looks[2] = looks[2] + LOOKS; looks[3] = looks[3] + LOOKS
  };
done:
  atomic {
    waiting--;
    o = 0; x = 0; pat = 0; pat_acq = 0; dead_one = 0; seen = 0; rounds = 0; got = 0; died = 0; locked = 0; up = 0; sync = 0; enrolled = 0
  }
}

// Nobody can move. Who still waits has been forgotten.
active proctype Quiet() {
end_quiet:
  timeout -> assert(waiting == 0) /* INV_3 of an RLock: the rescue */
}

init {
  atomic {
    if :: budget = 0 :: BUDGET > 0 -> budget = 1 :: BUDGET > 1 -> budget = 2 fi;
    waiting = 3;
    alive[1] = true; alive[2] = true; alive[3] = true;
    run Agent(1, true); run Agent(2, true); run Agent(3, false)
  }
}
