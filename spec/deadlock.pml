// Deadlocks (src/deadlocks/detector.ts, told.ts, native/core/agents/told_waits.h): threads tell of
// their waits, look for a circle, and the youngest wait of it ends.
//
// Three agents, each with one wait and the hold that the wait pins. The first two wait for each other.
// RING: the third one stands between them: all three are one circle, or there is none.
// PAIR: there is no third one. Without both: the third and the first wait for each other, too. So there
// are two circles with one wait in common, and the one of the first two may be there before the third
// wait begins. When the youngest wait of both has ended, one of the circles may be left: its wait ends
// by what was noted of both.
//
// A wait begins at any time. ENDS of them end in another way, by a time-out or an abort: the hold is
// given up, and only then is what was told taken back. A wait acquires when the holds in its way are
// gone. Then it gives its own hold up, and what was told is never taken back. FOREIGN holds are
// released by somebody else while their waits go on. The first two agents may die between any two
// steps. The versions of texts are two numbers for each pair: how often has `j` told anew since `i`
// noted its version (`anew`, at most 2)? Does it tell the same (`told`)?
//
// A reader may come upon a text that is half written. Then the version of that thread is not noted, and
// the circle has to be noted again at the next look.
//
// BUDGET: deaths; ENDS: waits that end in another way; FOREIGN: releases by somebody else; UNHEARD:
// versions that are not noted.

#ifndef BUDGET
#define BUDGET 1
#endif
#ifndef ENDS
#define ENDS 1
#endif
#ifndef FOREIGN
#define FOREIGN 0
#endif
#ifndef UNHEARD
#define UNHEARD 0
#endif
// LOOKS: of each agent after all waits have begun. While nothing else has happened, nobody is a look
// ahead of the others. In the first one not all have told yet, the next one notes; in the two after
// it not all may have told anew twice. So 6 suffice to end a wait, and 4 to end one wrongly. A version
// that is not noted costs one look more.
#define ENOUGH (6 + UNHEARD)
#ifndef LOOKS
#define LOOKS ENOUGH
#endif

bool waiting[4];       // what is so
bool gone[4];          // the hold is released
byte since[4];         // told once, and never changed
bool told[4];          // what is told
bool alive[4];
typedef Notes { byte by[4] };
Notes anew[4];         // anew[i].by[j]: how often j has told since i noted its version
byte locked;           // the directory's lock
byte clock = 1;
byte budget, ends = ENDS, foreign = FOREIGN, noisy = 2;
byte begun;            // ghost: waits that have begun or will not
byte left[4];          // ghost: looks
bool met[4];           // ghost: were both there at one time: the first and `i`; met[1]: all three
byte failed[4];        // ghost
bool over[4];          // ghost: its wait has ended in another way, and its caller goes on
bool quiet = true;     // ghost: nobody died, no wait ended in another way, no hold by somebody else

#define S(x) if :: atomic { x } :: atomic { mortal && budget > 0 -> goto dead } fi

#ifdef RING
#define CLOSED(a, b, c) (a && b && c)
#define CAN_ACQUIRE gone[(me % 3) + 1]
#else
#define CLOSED(a, b, c) (a && (b || c))
#ifdef PAIR
#define CAN_ACQUIRE gone[3 - me]
#else
#define CAN_ACQUIRE ((me == 1 && gone[2] && gone[3]) || (me != 1 && gone[1]))
#endif
#endif
#define OWN(a, b, c) ((me == 1 && a) || (me == 2 && b) || (me == 3 && c))
#define THERE(i) (waiting[i] && !gone[i])

#ifdef FAULT_counts_what_was_under_way
#define NEWS 1
#else
#define NEWS 2
#endif
#if UNHEARD > 0
byte unheard = UNHEARD;
#ifdef FAULT_counts_the_unheard
#define IS_NEW(i) (missed == i || anew[me].by[i] >= NEWS)
#else
#define IS_NEW(i) (missed != i && anew[me].by[i] >= NEWS)
#endif
#else
#define IS_NEW(i) (anew[me].by[i] >= NEWS)
#endif

inline meet() {
  if :: THERE(1) && THERE(2) -> met[2] = true :: else fi;
  if :: THERE(1) && THERE(3) -> met[3] = true :: else fi;
  if :: THERE(1) && THERE(2) && THERE(3) -> met[1] = true :: else fi
}

// write_wait_record, with a higher version
inline count(i) { if :: anew[i].by[me] < NEWS -> anew[i].by[me]++ :: else fi }
inline tell() {
#if FOREIGN > 0
  S(holds = !gone[me]);
#endif
  S(told[me] = holds; count(1); count(2); count(3))
}
// The same without a higher version
inline take_back() {
#ifndef FAULT_leaves_what_has_failed
  S(told[me] = false);
#endif
  skip
}

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
#if UNHEARD > 0
#define NOTE(i) S(if :: i != me && unheard > 0 -> unheard--; missed = i :: anew[me].by[i] = 0 fi)
#else
#define NOTE(i) S(anew[me].by[i] = 0)
#endif
inline note() {
#if UNHEARD > 0
  missed = 0;
#endif
  NOTE(1);
  NOTE(2);
  NOTE(3)
}

// What has failed in another way, and is known to have, ends nobody's wait.
inline compare(i) {
  S(same = (same && told[i] && alive[i]); assert(!same || !over[i]))
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
  bool a, b, c, a0, b0, c0, noted, same, counts, holds = true;
  byte youngest;
#if UNHEARD > 0
  byte missed;
#endif
begin:
  S(waiting[me] = true; since[me] = clock; clock++; begun++; meet());
  goto again;
next:
  atomic { if :: counts -> left[me]--; counts = false :: else fi };
again:
  if
  // In another way
  :: atomic { ends > 0 -> ends--; quiet = false; waiting[me] = false; gone[me] = true }; goto ended
#ifdef FAULT_takes_back_as_news
  // Another wait of the thread fails: the text is written once more, and the hold is not looked at.
  :: atomic { noisy > 0 -> noisy--; count(1); count(2); count(3) }; goto again
#endif
  // It has acquired, and tells nothing more.
  :: atomic { CAN_ACQUIRE -> waiting[me] = false; gone[me] = true; goto done }
  :: atomic { mortal && budget > 0 -> goto dead }
  :: atomic {
       left[me] > 0 && (begun < 3 || !quiet || (left[1] <= left[me] && left[2] <= left[me] && left[3] <= left[me])) ->
       counts = (begun == 3)
     }
  :: atomic { left[me] == 0 -> goto done }
  fi;
  tell();
  hear();
  // What is left of a noted circle was noted, too.
  atomic {
#ifdef FAULT_notes_anew_what_is_left
    same = (noted && a == a0 && b == b0 && c == c0);
#else
    same = (noted && (a0 || !a) && (b0 || !b) && (c0 || !c));
#endif
    if :: !CLOSED(a, b, c) || !OWN(a, b, c) -> noted = false; goto next :: else fi;
    if :: same -> a0 = a; b0 = b; c0 = c :: else fi;
    choose()
  };
#ifdef FAULT_looks_once
  same = true;
#endif
  if
  :: same -> if :: youngest != me -> goto next :: else fi
  :: else ->
     note();
     a0 = a; b0 = b; c0 = c; noted = true;
#if UNHEARD > 0
#ifndef FAULT_waits_for_the_unheard
#ifndef FAULT_counts_the_unheard
     noted = !((a && missed == 1) || (b && missed == 2) || (c && missed == 3));
#endif
#endif
#endif
     goto next
  fi;
#ifndef FAULT_does_not_wait_for_news
#ifndef FAULT_looks_once
  atomic {
    if
    :: (a && !IS_NEW(1)) || (b && !IS_NEW(2)) || (c && !IS_NEW(3)) -> goto next
    :: else
    fi
  };
#endif
#endif
  // Store::exchange_wait_record
  S(same = (locked == 0); if :: same -> locked = me :: else fi);
  if :: !same -> goto next :: else fi;
#ifndef FAULT_without_comparing
  if :: a && me != 1 -> compare(1) :: else fi;
  if :: b && me != 2 -> compare(2) :: else fi;
  if :: c && me != 3 -> compare(3) :: else fi;
  if :: !same -> S(if :: locked == me -> locked = 0 :: else fi); goto next :: else fi;
#else
  assert(!(a && over[1]) && !(b && over[2]) && !(c && over[3]));
#endif
  S(told[me] = false; judge());
  S(if :: locked == me -> locked = 0 :: else fi);
  S(waiting[me] = false; gone[me] = true);
  goto done;
ended:
  take_back();
  S(over[me] = true);
  goto done;
dead:
  atomic {
    budget--; alive[me] = false; quiet = false; waiting[me] = false; gone[me] = true;
    if :: locked == me -> locked = 0 :: else fi;
    if :: since[me] == 0 -> begun++ :: else fi
  };
done:
  left[me] = 0
}

// Somebody else, who may release a lock that is not his.
#if FOREIGN > 0
active proctype Foreign() {
  atomic { foreign > 0 -> foreign--; quiet = false; gone[1] = true }
}
#endif

// Nobody can move. If nothing else has ended the circles, a wait of each has failed.
#if defined(RING) || defined(PAIR)
#define ALL_FAILED (failed[1] + failed[2] + failed[3] > 0)
#else
#define ALL_FAILED (failed[1] + (failed[2] && failed[3]) > 0)
#endif
active proctype Quiet() {
end_quiet:
  timeout -> assert(LOOKS < ENOUGH || !quiet || ALL_FAILED)
}

init {
  atomic {
    if :: budget = 0 :: BUDGET > 0 -> budget = 1 :: BUDGET > 1 -> budget = 2 fi;
    alive[1] = true; alive[2] = true; alive[3] = true;
    left[1] = LOOKS; left[2] = LOOKS;
    run Agent(1, true); run Agent(2, true);
#ifdef PAIR
    begun = 1
#else
    left[3] = LOOKS;
    run Agent(3, false)
#endif
  }
}
