// A waiter that dozes (native/core/registry/dozing.h), around a lock that is its owner word alone.
//
// Two agents acquire and release. They may die, or stop for ever, between any two steps, and look
// every slice. The third one waits and may doze. While it does not doze it has slices without end;
// while it dozes it has none at all: so a run that gets stuck has forgotten it, and INV-28 is
// broken.
//
// A slice is longer than what a running agent does between two sleeps. So before the waiter goes on
// to its second slice, all releases and wake-ups that had begun at its first one are through, or their agents
// dead or stopped.
//
// BUDGET: deaths; STOPS: 1 if an agent may stop; ROUNDS: acquisitions of the first agent; DOZES:
// how often the waiter may doze; GIVES_UP: 1 if the second agent may give up its wait, and pass a
// wake-up on; FOREIGN: 1 if it may release the lock for its holder, as the semaphore of a Lock
// allows.

#ifndef BUDGET
#define BUDGET 1
#endif
#ifndef STOPS
#define STOPS 0
#endif
#ifndef ROUNDS
#define ROUNDS 1
#endif
#ifndef DOZES
#define DOZES 1
#endif
#ifndef GIVES_UP
#define GIVES_UP 0
#endif
#ifndef FOREIGN
#define FOREIGN 0
#endif

#define DOZER 3

byte owner;        // the lock
byte dozing;       // WaitSet::dozing
bool entry[4];     // WaitSet::entry
bool asks[4];      // WaitSet::wake_bits
bool called;       // a wake-up is on its way to the waiter; the others look anyhow
byte watched;      // Agent::heard_of_ of the waiter
bool news;         // the death of that agent is on its way
bool alive[4];     // Registry::alive
bool stopped[4];
bool forgotten;    // ghost: the waiter dozes
byte budget, stops;
byte busy;         // ghost: bit i: agent i releases, or wakes others
byte older;        // ghost: those of them who were when the waiter began to doze

// One access to shared memory, or the end: an agent may die or stop before any step.
#define S(x) \
  if \
  :: atomic { x } \
  :: atomic { budget > 0 -> goto dead } \
  :: atomic { stops > 0 -> goto stop } \
  fi

inline is_through() {
  busy = busy & ~(1 << me);
  older = older & ~(1 << me)
}

inline take_bit(i) { asks[i] = false; w = i }

// wake_one: takes one out whom it finds alive.
inline wake_one() {
  do
  :: S(w = 0;
       if
       :: asks[1] -> take_bit(1)
       :: asks[2] -> take_bit(2)
       :: asks[3] -> take_bit(3)
       :: !asks[1] && !asks[2] && !asks[3]
       fi);
     if :: w == 0 -> break :: else fi;
     S(hit = entry[w]; entry[w] = false);
     if
     :: hit ->
        S(called = called || w == DOZER; hit = alive[w]);
        if :: hit -> break :: else fi
     :: else
     fi
  od;
  w = 0; hit = false
}

inline ring(i) {
  if
  :: !(seen & (1 << i))
  :: atomic { (seen & (1 << i)) && !entry[i] }
  :: else ->
#ifdef FAULT_taken_out_to_ring
     S(hit = asks[i] && entry[i]; asks[i] = false);
     if :: hit -> S(entry[i] = false); S(called = called || i == DOZER) :: else fi;
     hit = false
#else
     S(asks[i] = false);
     S(called = called || i == DOZER)
#endif
  fi
}

// wake_dozers, once it has found bit 0
inline ring_all() {
#ifdef FAULT_word_taken_away_early
  S(dozing = dozing & ~1);
#endif
#ifdef FAULT_one_is_woken
  wake_one();
#else
  // First who is there.
  S(seen = entry[1] << 1);
  S(seen = seen | (entry[2] << 2));
  S(seen = seen | (entry[3] << 3));
  ring(1); ring(2); ring(3);
  seen = 0;
#endif
#ifndef FAULT_word_taken_away_early
#ifdef FAULT_word_without_a_count
  S(dozing = dozing & ~1);
#else
  S(if :: dozing == o -> dozing = o & ~1 :: else fi);
#endif
#endif
  o = 0
}

inline wake() {
  S(o = dozing; busy = busy | (1 << me));
  if
  :: o & 1 -> ring_all()
  :: else -> o = 0; wake_one()
  fi;
  atomic { is_through() }
}

inline wake_dozers_first() {
#ifndef FAULT_only_afterwards
  S(o = dozing; busy = busy | (1 << me));
  if
  :: o & 1 -> ring_all()
  :: else -> o = 0
  fi
#else
  skip
#endif
}

// Takes the owner word back from `whom`.
inline release(whom) {
  wake_dozers_first();
  S(hit = (whom != 0 && owner == whom); owner = (hit -> 0 : owner); whom = 0);
  if
  :: hit -> hit = false; wake()
  :: else -> atomic { is_through() }
  fi
}

proctype Agent(byte me) {
  byte o, w, whose, rounds, seen;
  bool hit;

next:
  if :: rounds == (me == 1 -> ROUNDS : 1) -> goto done :: else -> rounds++ fi;
  if
  :: true
  :: FOREIGN && me == 2 -> S(whose = (owner == 1 -> owner : 0)); release(whose); goto done
  fi;
look:
  // It enrols, too: then it may be woken instead of the waiter.
  S(entry[me] = true; asks[me] = true;
    if :: owner == 0 || !alive[owner] -> owner = me; hit = true :: else fi);
  if
  :: hit -> hit = false
  :: else ->
     if
     :: true -> goto look  // woken, or a slice has passed
     :: GIVES_UP && me == 2 -> goto leave
     fi
  fi;
  S(hit = entry[me]; entry[me] = false);
  if :: !hit -> wake() :: else fi;  // the wake-up that came too late is another's
  hit = false; whose = me;
  release(whose);
  goto next;

leave:
  S(hit = entry[me]; entry[me] = false);
  if :: !hit -> wake() :: else fi;
  goto done;

stop:
  atomic { stops--; stopped[me] = true; is_through() };
end_stopped:
  false;

dead:
  atomic { budget--; alive[me] = false; is_through(); news = news || watched == me };
done:
  atomic { o = 0; w = 0; whose = 0; rounds = 0; seen = 0; hit = 0 }
}

// OwnedWaits::may_doze
inline may_doze() {
  atomic { dozes = false; o = owner };
#ifdef FAULT_doze_without_a_watch
  if
  :: o != 0 ->
#else
  if
  :: o != 0 && watched == o ->
#endif
     atomic { dozing = (dozing + 2) | 1 };
     atomic { dozes = (owner == o) };
#ifndef FAULT_entry_not_looked_at
     atomic { dozes = dozes && entry[DOZER] && asks[DOZER] };
#endif
     atomic { older = busy }
  :: else
  fi;
  o = 0
}

active proctype Dozer() {
  byte o, dozes_left = DOZES;
  bool dozes;

look:
  if :: atomic { owner == 0 || !alive[owner] -> goto done } :: else fi;
  atomic { entry[DOZER] = true };
  atomic { asks[DOZER] = true };
  // Agent::watch: of an agent that is dead already there is no news, and no watch.
  atomic {
    if
    :: owner != 0 && watched != owner -> watched = (alive[owner] -> owner : 0); news = false
    :: else
    fi
  };
  if :: atomic { owner == 0 || !alive[owner] -> goto done } :: else fi;
  if
  :: true
  :: atomic { dozes_left > 0 -> dozes_left-- };  // a slice has passed
     may_doze();
#ifndef FAULT_no_second_slice
     if
     :: dozes ->
        if
        :: atomic { called || news -> dozes = false }
        :: atomic { older == 0 }; may_doze()  // another one has
        fi
     :: else
     fi
#endif
  fi;
  forgotten = dozes;
end_asleep:
  if
  :: atomic { called -> called = false; entry[DOZER] = false }
  :: atomic { news -> news = false; watched = 0 }
  :: atomic { !dozes }
  fi;
  atomic { forgotten = false; dozes = false };
  goto look;
done:
  skip
}

// Nobody can move. A waiter that dozes then, and not beside an agent that is stopped, has been
// forgotten.
active proctype Quiet() {
end_quiet:
  timeout -> assert(!forgotten || (owner != 0 && stopped[owner])) /* INV_28 */
}

init {
  atomic {
    if :: budget = 0 :: BUDGET > 0 -> budget = 1 :: BUDGET > 1 -> budget = 2 fi;
    if :: stops = 0 :: STOPS > 0 -> stops = 1 fi;
    alive[1] = true; alive[2] = true; alive[3] = true;
    run Agent(1); run Agent(2)
  }
}
