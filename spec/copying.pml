// Large records of a queue (native/core/primitives/queue.cc, queue_put.cc, queue_records.cc): their
// bytes are copied outside the critical section. INV-12, INV-14.
//
// Agents 1 and 2 put a record each, and that of 2 may be a small one, which goes behind the tail without
// the critical section. 3 and 4 get until the queue has ended and is empty. 1 and 3 may die between any
// two steps. A record's place is its number, because places are used once here. Bytes are two cells, so
// that a copy which is not whole is seen.
//
// An agent that cannot enter the critical section for the second time goes on without it: whenever
// another one is inside, it may say that it could not wait. The same is true of the tail.
//
// A getter that finds nothing looks again when something has happened. The code looks at each slice
// (wait_set.pml has the wake-ups).
//
// BUDGET: deaths. GIVES: how often getter 3 has no memory for the bytes. SMALL: the record of agent 2 is
// a small one.

#ifndef BUDGET
#define BUDGET 2
#endif
#ifndef GIVES
#define GIVES 1
#endif
#define READY 0
#define COPYING 8            // and the agent
#define GIVEN_BACK 8         // of agent 0, whom nobody is
#define DELETED 16           // from here on nobody's
#define VOID 16
#define GONE 17
#define DONE 18
#define AGENT(owner) ((owner) - COPYING)
#define CLAIMED(owner) ((owner) >= COPYING && (owner) < DELETED)

byte owner[2];
bool unwritten[2];           // kUnwritten, in `deliveries`
byte written[2];             // cells that are there
byte tail, items;            // QueueBody::tail: one word, one store
byte head, head_items;       // QueueBody::head
byte done, leased;           // QueueBody::counts; `done` counts all that ever were
bool must_recount;
byte mutex;
bool marked;                 // its FUTEX_OWNER_DIED
byte tail_mutex;             // who has it; a death with it leaves nothing to put right
bool alive[5];
byte putters = 2;            // ghost: the queue ends with the last of them
byte budget = BUDGET;
byte gives = GIVES;
byte got[2];                 // ghost: how often a get has had the item
bool fresh[5];               // ghost: something has happened since the getter's last look
bool through[5];             // ghost
#define TELL fresh[3] = true; fresh[4] = true
#define ended (putters == 0)
#define counted (items - done - leased)

// One access to shared memory, or the end: a mortal agent may die before any step.
#define S(x) if :: atomic { x } :: atomic { mortal && budget > 0 -> goto dead } fi

inline lock() {
  S(mutex == 0 -> mutex = me; died = marked);
  if :: died -> S(marked = false); S(must_recount = true) :: else fi;
  died = false
}

// Queue::recover_and_read
inline put_right() {
#ifndef FAULT_recounts_without_tail
  lock_tail();
#endif
#ifndef FAULT_no_recount
  recover();
#else
  S(must_recount = false);
#endif
#ifndef FAULT_recounts_without_tail
  unlock_tail();
#endif
  reclaim()
}

inline enter() {
  lock();
  if :: must_recount -> put_right() :: else fi
}

// False in `in`: the critical section is not to be had for a while.
inline try_to_enter() {
  if
  :: S(mutex != 0 -> in = false)
  :: lock();
    in = true;
    if
    :: must_recount ->
      if
      :: S(tail_mutex != 0 -> in = false); leave()
      :: put_right()
      fi
    :: else
    fi
  fi
}

inline lock_tail() { S(tail_mutex == 0 -> tail_mutex = me) }
inline unlock_tail() { S(tail_mutex = 0) }

inline leave() { S(mutex = 0) }

// Queue::measure_run: the records from the head on that are done or void. `k` is behind them.
inline measure_run() {
  k = head; n = 0;
  do
  :: k == tail -> break
  :: else ->
    S(o = owner[k]);
    if
    :: o == GONE ->          // count_gone
      S(owner[k] = DONE);
      S(done++; leased--)
    :: else
    fi;
    if
    :: o == DONE || o == GONE -> n++; k++
    :: o == VOID -> k++
    :: else -> break
    fi
  od;
  o = 0
}

inline pop_done() {
  measure_run();
  if :: k > head -> S(head_items = head_items + n; head = k) :: else fi;
  k = 0; n = 0
}

inline recover() {
  measure_run();
  left = 0; claimed = 0; with = n;
  do
  :: k == tail -> break
  :: else ->
    S(o = owner[k]);
    if
    :: o == GONE -> S(owner[k] = DONE); S(done++; leased--); with++
    :: o == DONE -> with++
    :: o == VOID
    :: o == READY -> left++
    :: CLAIMED(o) && unwritten[k]
    :: CLAIMED(o) && !unwritten[k] -> left++; claimed++
    fi;
    k++
  od;
  with = head_items + with;
  S(items = with + left);
  S(done = with; leased = claimed);
  S(must_recount = false);
  left = 0; claimed = 0; with = 0; o = 0;
  pop_done()
}

// The record `k` is ready again.
inline offer() {
  S(leased--);
  S(owner[k] = READY)
}

inline reclaim() {
  k = head;
  do
  :: k == tail -> break
  :: else ->
    S(o = owner[k]);
    if
    :: CLAIMED(o) ->
      S(lives = alive[AGENT(o)]);
      if
      :: lives -> lives = false
      :: else ->
#ifdef FAULT_no_second_look
        skip;
#else
        S(if :: owner[k] != o -> o = DELETED :: else fi);
#endif
        if
        :: o == DELETED      // it finished before it died: GONE, VOID
        :: o != DELETED && unwritten[k] -> S(owner[k] = VOID)
        :: else -> offer()
        fi
      fi
    :: else
    fi;
    k++
  od;
  k = 0; o = 0
}

proctype Putter(byte me; bool mortal) {
  byte place, k, n, o, left, claimed, with;
  bool died, in, lives;

#ifdef SMALL
  if
  :: !mortal ->              // Queue::append
    lock_tail();
    place = tail;
    S(owner[place] = READY; unwritten[place] = false; written[place] = 2);
    S(tail++; items++);
    unlock_tail();
    goto over
  :: else
  fi;
#endif
  enter();                   // Queue::put_in_section
  lock_tail();
  place = tail;
  S(owner[place] = COPYING + me; unwritten[place] = true);
#ifdef FAULT_counts_at_once
  S(tail++; items++);
#else
  S(tail++);                 // no item yet
#endif
  unlock_tail();
  leave();
#ifndef FAULT_publishes_first
  S(written[place] = 1);
  S(written[place] = 2);
#endif
  try_to_enter();            // Queue::publish
  if
  :: in ->
    assert(owner[place] == COPYING + me);
    if
    :: S(owner[place] = VOID)  // the queue is full by now, or the tail is not to be had for a while
    :: lock_tail();
      S(unwritten[place] = false);
      S(owner[place] = READY);
#ifndef FAULT_counts_at_once
      S(o = items);
      S(items = o + 1; o = 0);  // INV-12: here it comes into being
#endif
      unlock_tail()
    fi;
    leave()
  :: else ->
#ifdef FAULT_done_instead_of_void
    S(owner[place] = GONE)
#else
    S(owner[place] = VOID)
#endif
  fi;
#ifdef FAULT_publishes_first
  S(written[place] = 1);
  S(written[place] = 2);
#endif
  goto over;
dead:
  atomic {
    budget--; alive[me] = false;
    if :: mutex == me -> mutex = 0; marked = true :: else fi;
    if :: tail_mutex == me -> tail_mutex = 0 :: else fi
  };
over:
  atomic { putters--; place = 0; k = 0; n = 0; o = 0; left = 0; claimed = 0; with = 0; TELL }
}

proctype Getter(byte me; bool mortal) {
  byte place, k, n, o, left, claimed, with;
  bool died, in, lives, last;

look:
  atomic { fresh[me] = false; last = ended };
  enter();                   // Queue::get_in_section
  last = ended;
  if :: counted == 0 && (leased != 0 || last) -> reclaim() :: else fi;
  k = head;
  do
  :: k == tail -> break
  :: else -> S(o = owner[k]); if :: o == READY -> break :: else -> k++ fi
  od;
  o = 0; place = k;
  if
  :: place == tail ->
    pop_done();
    place = 0;
    if
    :: last && head == tail -> leave(); through[me] = true; goto over
    :: else -> leave()
    fi;
    S(fresh[me]);
    goto look
  :: else
  fi;
  k = 0;
  S(owner[place] = COPYING + me);
  S(leased++);
  leave();
  if
  :: atomic { mortal && gives > 0 -> gives-- };  // Queue::give_back
    try_to_enter();
    if
    :: in ->
      if :: owner[place] == COPYING + me -> k = place; offer(); k = 0 :: else fi;
      leave()
    :: else ->
      S(assert(owner[place] == COPYING + me); owner[place] = GIVEN_BACK);
      S(must_recount = true)
    fi;
    S(TELL);
    place = 0;
    goto look
  :: true
  fi;
  S(assert(written[place] == 2) /* INV_12 */);
  S(assert(written[place] == 2) /* INV_12 */);
  try_to_enter();            // Queue::finish
  if
  :: in ->
    S(assert(owner[place] == COPYING + me); owner[place] = DONE; got[place]++);
    assert(got[place] == 1); /* INV_14 */
    S(done++; leased--);
    pop_done();
    leave()
  :: else ->
#ifdef FAULT_done_uncounted
    S(owner[place] = DONE; got[place]++);
#else
    S(assert(owner[place] == COPYING + me); owner[place] = GONE; got[place]++);
#endif
    assert(got[place] == 1) /* INV_14 */
  fi;
  S(TELL);
  place = 0;
  goto look;
dead:
  atomic {
    budget--; alive[me] = false;
    if :: mutex == me -> mutex = 0; marked = true :: else fi;
    if :: tail_mutex == me -> tail_mutex = 0 :: else fi
  };
over:
  atomic { place = 0; k = 0; n = 0; o = 0; left = 0; claimed = 0; with = 0; TELL }
}

// size() is right whenever nobody is, or has died, in the critical section.
#define ready(i) (head <= i && i < tail && owner[i] == READY)
proctype Size() {
  do
  :: atomic { mutex == 0 && !marked && !must_recount && !through[4] ->
      assert(counted == ready(0) + ready(1)) /* INV_12 */ }
  :: through[4] -> break
  od
}

// Nothing moves any more.
proctype Quiet() {
  byte i;
  timeout ->
  assert(through[4]);
  assert(head == tail);
  assert(marked || must_recount || (leased == 0 && done == items));
  for (i : 0 .. 1) {
    assert(i >= tail || owner[i] == VOID || (owner[i] == DONE && got[i] == 1)) /* INV_14 */
  }
}

init {
  atomic {
    alive[1] = true; alive[2] = true; alive[3] = true; alive[4] = true;
    run Putter(1, true); run Putter(2, false);
    run Getter(3, true); run Getter(4, false);
    run Size(); run Quiet()
  }
}
