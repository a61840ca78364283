// Delayed records of a JoinableQueue (native/core/primitives/queue_delays.cc): delay, look, make ready,
// and what is made anew after a death in the critical section. INV-26, INV-14.
//
// Two records and three agents. An agent takes a record that is ready, and then is done with it or
// gives it back for later; DELAYS times in all. A critical section is one step for the others; its
// agent may die before each write in it, and between two sections. The first two agents are mortal.
//
// Who finds nothing looks again after each tick of the clock, after each death, and after each end of a
// lease. When nothing moves any more, both records must be done.
//
// BUDGET: deaths. END: the last tick of the clock.

#ifndef BUDGET
#define BUDGET 1
#endif
#ifndef DELAYS
#define DELAYS 2
#endif
#define END 3
#define READY 0
#define DELAYED 8
#define DONE 9
#define NEVER 99

byte owner[2];       // RecordHead's owner word: an agent, or one of the above
byte due[2];         // in `deliveries`
byte next_due = NEVER;
byte delayed;
bool abandoned;      // the mutex
byte clock;
bool alive[4];
byte budget = BUDGET;
byte delays = DELAYS;
bool fresh[4];       // ghost: something has happened since the agent's last look
byte earliest[2];    // ghost: before that the record must not be ready
bool through[4];     // ghost

// Everybody may look again.
#define TELL fresh[1] = true; fresh[2] = true; fresh[3] = true
// What an agent has in mind only in a critical section.
#define FORGET i = 0; left = 0; first = 0; when = 0

#define all_done (owner[0] == DONE && owner[1] == DONE)

// One write in the critical section, or the end before it.
#define W(x) if :: x :: mortal && budget > 0 -> abandoned = true; goto dead fi

inline note_delayed(when) {
  if :: when < next_due -> W(next_due = when) :: else fi;
  W(delayed++)
}

// Queue::recover and reclaim
inline enter() {
  if
  :: abandoned ->
    left = 0; first = NEVER;
    for (i : 0 .. 1) {
      if
      :: owner[i] == DELAYED -> left++; if :: due[i] < first -> first = due[i] :: else fi
      :: else
      fi
    }
#ifndef FAULT_no_recompute
    W(delayed = left);
    W(next_due = first);
#endif
    for (i : 0 .. 1) {
      if
      :: owner[i] >= 1 && owner[i] <= 3 ->
        if :: !alive[owner[i]] -> W(owner[i] = READY) :: else fi
      :: else
      fi
    }
    abandoned = false
  :: else
  fi
}

// A taker that finds nothing asks whether those who have records are alive.
inline reclaim() {
  for (i : 0 .. 1) {
    if
    :: owner[i] >= 1 && owner[i] <= 3 ->
      if :: !alive[owner[i]] -> W(owner[i] = READY) :: else fi
    :: else
    fi
  }
}

inline promote() {
  left = 0; first = NEVER;
  for (i : 0 .. 1) {
    if
    :: owner[i] == DELAYED ->
      if
#ifdef FAULT_promotes_early
      :: true ->
#else
      :: due[i] <= clock ->
#endif
        W(owner[i] = READY);
        assert(clock >= earliest[i])  // INV_26
#ifndef FAULT_promotes_early
      :: else -> left++; if :: due[i] < first -> first = due[i] :: else fi
#endif
      fi
    :: else
    fi
  }
  W(delayed = left);
#ifdef FAULT_forgets_the_rest
  W(next_due = NEVER)
#else
  W(next_due = first)
#endif
}

proctype Agent(byte me; bool mortal) {
  byte i, left, first, got, when;
look:
  atomic {
    fresh[me] = false;
    enter();
    if :: next_due != NEVER && clock >= next_due -> promote() :: else fi;
    reclaim();
    got = 2;
    for (i : 0 .. 1) { if :: owner[i] == READY && got == 2 -> got = i :: else fi }
    if :: got < 2 -> W(owner[got] = me) :: else fi;
    FORGET
  }
  if
  :: got < 2
  :: else ->
    if
    :: atomic { all_done -> through[me] = true; goto over }
    :: atomic { fresh[me] -> goto look }
    fi
  fi;
  if
  :: atomic { mortal && budget > 0 -> goto dead }
  :: true
  fi;
  if
  :: atomic { true -> enter(); W(owner[got] = DONE); FORGET; TELL }
  :: atomic {
      delays > 0 && clock < END ->
      enter();
      delays--;
      if :: when = clock + 1 :: clock + 2 <= END -> when = clock + 2 fi;
#ifdef FAULT_no_recompute
      W(due[got] = when);
      W(owner[got] = DELAYED; earliest[got] = when);
      note_delayed(when);
#else
      note_delayed(when);
      W(due[got] = when);
      W(owner[got] = DELAYED; earliest[got] = when);
#endif
      FORGET;
      TELL
    }
  fi;
  goto look;
dead:
  atomic { budget--; alive[me] = false; FORGET; got = 0; TELL };
over:
  skip
}

proctype Clock() {
  do
  :: atomic { clock < END -> clock++; TELL }
  :: clock == END -> break
  od
}

// Nothing moves any more.
proctype Quiet() {
  timeout ->
  assert(through[3]);
  assert(all_done);          // INV_14, INV_26: nothing is left delayed
  assert(!abandoned -> delayed == 0 : true)
}

init {
  atomic {
    alive[1] = true; alive[2] = true; alive[3] = true;
    run Agent(1, true); run Agent(2, true); run Agent(3, false);
    run Clock(); run Quiet()
  }
}
