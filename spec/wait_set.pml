// The wait set (native/core/registry/wait_set.cc) and those who sleep in it (src/waiting/pending-waits.ts, waiting.h).
//
// The users wait for a unit, as for the permit of a Semaphore of 1. Each acquires once, sleeps in the
// wait set if it must, gives the unit back and wakes one waiter. Users may die between any two steps.
//
// Configurations: USERS agents; GARBAGE: the set begins with what earlier deaths left in it.
// BUDGET: how many may die. Without a death there is no slice at all, so a run that gets stuck has
// lost a wake-up; each death gives each user one slice.

#ifndef USERS
#define USERS 3
#endif
#ifndef BUDGET
#define BUDGET 2
#endif
#ifndef ABORTS
#define ABORTS 1
#endif
#define SLOTS USERS
#define NONE 9
#define DEAD (USERS + 1)  // an agent that died before the model begins

byte entry[SLOTS];        // WaitSet::entry
byte bits;                // WaitSet::wake_bits
byte avail;               // the units that can be had
bool doorbell[USERS + 2];     // a wake-up that is not read yet
bool alive[USERS + 2];
byte slices[USERS + 2];   // looks that a death has earned
byte budget, aborts;
bool open_[USERS + 2];    // ghost: enrolled and not woken
byte waiting;             // ghost: live users that are not through

// One access to shared memory, or the end: a mortal agent may die before any step.
#define S(x) if :: atomic { x } :: atomic { mortal && budget > 0 -> goto dead } fi
#define BIT(i) (1 << (i))
#define LOWEST(x) (((x) & 1) -> 0 : (((x) & 2) -> 1 : 2))
#define FROM(start) (7 & ~(BIT(start) - 1))

inline any_slot(x) {
  // next_enrol and next_wake are hints, so any start is as good as another.
  if :: x = 0 :: x = 1
#if SLOTS > 2
  :: x = 2
#endif
  fi
}

// take_free_entry
inline take_free_entry() {
  any_slot(i); step = 0;
  do
  :: step == SLOTS -> break
  :: else ->
     S(if  // the load and the swap: entry 0 -> me
       :: entry[i] == 0 -> entry[i] = me; index = i; assert(!open_[me]); open_[me] = true; step = SLOTS
       :: else -> i = (i + 1) % SLOTS; step++
       fi)
  od;
  i = 0; step = 0
}

// remove_dead
inline remove_dead() {
  i = 0; had = false;
  do
  :: i == SLOTS -> break
  :: else ->
     S(id = entry[i]);
     S(was_alive = (id == 0 || alive[id]));  // Registry::alive
     if
     :: was_alive
     :: else -> S(if :: entry[i] == id -> entry[i] = 0; had = true :: else fi)
     fi;
     i++
  od;
  i = 0; id = 0; was_alive = false
}

// enrol(..., WaitHow::at_doorbell)
inline enrol() {
  index = NONE;
#ifdef FAULT_bit_before_entry
  any_slot(seen);
  S(id = entry[seen]);
  if
  :: id == 0 ->
     S(bits = bits | BIT(seen));
     S(if :: entry[seen] == 0 -> entry[seen] = me; index = seen; open_[me] = true :: else fi)
  :: else
  fi;
  id = 0; seen = 0;
  if :: index == NONE -> goto serve :: else fi
#else
  take_free_entry();
  if
  :: index == NONE -> remove_dead(); if :: had -> had = false; take_free_entry() :: else fi
  :: else
  fi;
  if
  :: index != NONE -> S(bits = bits | BIT(index))  // ask_to_be_woken
  :: else
  fi
#endif
}

// enrol_again
inline enrol_again() {
  if
  :: index == NONE -> has = false
  :: else -> S(has = (entry[index] == me))
  fi;
  if
  :: has -> has = false; S(bits = bits | BIT(index))  // ask_to_be_woken
  :: else -> enrol()
  fi
}

// cancel: `ok` false if a waker was faster
inline cancel() {
  if
  :: index == NONE -> ok = true
  :: else ->
#ifdef FAULT_cancel_clears_bit
     S(bits = bits & ~BIT(index));
#endif
     S(ok = (entry[index] == me); if :: ok -> entry[index] = 0; open_[me] = false :: else fi)
  fi
}

// wake_one
inline wake_one() {
  S(seen = bits);
  if
  :: seen == 0
  :: else ->
     any_slot(start); step = 0;
     do
     :: step >= 2 -> break
     :: else ->
        // word.load() & mask: from `start` on, and then what is before it
        S(seen = bits & (step == 0 -> FROM(start) : 7 & ~FROM(start)));
        do
        :: seen == 0 -> step++; break
        :: else ->
           i = LOWEST(seen); seen = seen & (seen - 1);
           S(had = ((bits & BIT(i)) != 0); bits = bits & ~BIT(i));  // fetch_and
           if
           :: had ->
#ifdef FAULT_no_exchange
              S(id = entry[i]);
              S(if :: id != 0 -> entry[i] = 0 :: else fi);
              if :: id != 0 -> assert(open_[id]); open_[id] = false :: else fi;
#else
              S(id = entry[i]; entry[i] = 0;  // exchange
                if
                :: id != 0 && id != DEAD -> assert(open_[id]) /* INV_5 */; open_[id] = false
                :: else
                fi);
#endif
              if
              :: id != 0 ->
                 S(if  // Registry::wake: false if nobody reads that doorbell
                   :: alive[id] -> doorbell[id] = true; step = 2; seen = 0
                   :: else
                   fi)
              :: else
              fi;
              had = false; id = 0
           :: else
           fi
        od
     od;
     start = 0; step = 0; i = 0
  fi
}

// Waitable::take
#define TAKE(then) S(if :: avail > 0 -> avail--; holding = true; goto then :: else fi)

proctype User(byte me; bool mortal; bool holding) {
  byte index = NONE, i, id, step, start, seen;
  bool ok, had, has, was_alive;

  if :: holding -> goto held :: else fi;
#ifdef FAULT_look_before_enrol
  TAKE(taken);
  enrol_again();
#else
  TAKE(taken);                // Owned::acquire
serve:
  enrol_again();
  TAKE(leave);                // serve() of pending-waits.ts: once more after enrolling (INV-4)
#endif

asleep:
  if
  :: atomic { doorbell[me] -> doorbell[me] = false };      // onWakeUps
     cancel(); index = NONE;
     TAKE(leave);
#ifdef FAULT_look_before_enrol
     enrol_again(); goto asleep
#else
     goto serve
#endif
  :: atomic { slices[me] > 0 -> slices[me]-- };    // onSlice
     TAKE(leave);
#ifdef FAULT_look_before_enrol
     enrol_again(); goto asleep
#else
     goto serve
#endif
  :: atomic { aborts > 0 -> aborts-- };            // withdraw: timeout, abort, close
     goto leave
  :: atomic { mortal && budget > 0 -> goto dead }
  fi;

leave:                        // leave() of pending-waits.ts
  cancel(); index = NONE;
  if
  :: ok -> ok = false
  :: else ->
#ifndef FAULT_no_pass_on
     wake_one()               // passOn
#else
     skip
#endif
  fi;
  if :: holding :: else -> goto done fi;
taken:
progress_taken:
held:
#ifdef FAULT_wake_before_post
  wake_one();
  S(avail++; holding = false)
#else
  S(avail++; holding = false);  // Semaphore::release
  wake_one()
#endif
  ;
done:
  atomic { waiting--; goto end_user };
dead:
  atomic {
    budget--; waiting--; alive[me] = false; doorbell[me] = false;
    // What it held can be had, and nobody is woken: as the word of a dead owner in a Lock.
    if :: holding -> avail++ :: else fi;
    index = NONE; i = 0; id = 0; step = 0; start = 0; seen = 0; ok = 0; had = 0; has = 0; was_alive = 0; holding = 0;
#ifndef FAULT_no_slice
    slices[1]++; slices[2]++;
#if USERS > 2
    slices[3]++;
#endif
#endif
  };
end_user:
  skip
}

// Nobody can move. Who still waits has been forgotten:
// without a death that is INV_4 (both missed), with deaths INV_6 (one slice was not enough).
active proctype Quiet() {
end_quiet:
  timeout -> assert(waiting == 0) /* INV_4, INV_6 */
}

init {
  atomic {
    if :: budget = 0 :: BUDGET > 0 -> budget = 1 :: BUDGET > 1 -> budget = 2 fi;
    if :: true :: aborts = ABORTS fi;
    waiting = USERS;
#ifdef GARBAGE
    // whatever a death can leave: entry and bit of a dead agent, either alone
    if :: true :: entry[0] = DEAD fi;
    if :: true :: entry[1] = DEAD fi;
    if :: true :: bits = 1 :: bits = 2 :: bits = 3 fi;
#endif
    alive[1] = true; alive[2] = true;
    run User(1, true, true);
    run User(2, true, false);
#if USERS > 2
    alive[3] = true;
    run User(3, false, false);
#endif
  }
}
