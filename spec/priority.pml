// Priorities of a JoinableQueue (native/core/primitives/queue_priorities.cc): the list of one
// priority beside records without one, and what is made anew after a death in the critical section.
// INV-29, INV-14.
//
// AGENTS agents put N records, with or without the priority, small or large: the place of a large one
// is reserved first, and it is published in a second critical section. They take a record, and then
// are done with it or give it back, RETRIES times in all. A critical section is one step for the
// others; its agent may die before each write in it, and between two sections. All agents but
// the last one are mortal.
//
// An agent takes only if there is something to take. So it must find something, and it must be the
// right one. In the end all records have left the ring.
//
// BUDGET: deaths.

#ifndef BUDGET
#define BUDGET 1
#endif
#ifndef RETRIES
#define RETRIES 2
#endif
#ifndef AGENTS
#define AGENTS 3
#endif
#ifndef N
#define N 3
#endif
#define READY 0
#define WRITING 10   // and the agent: its bytes are not there yet
#define DONE 20
#define VOID 21
#define NONE 99

byte owner[N];       // RecordHead's owner word: an agent, or one of the above
bool urgent[N];      // has the priority
byte link[N];
byte head, tail;
byte plain;          // QueueBody's `ready`
bool used;           // the bit of the priority
byte ready, last;    // its list
bool abandoned;      // the mutex
bool alive[4];
byte budget = BUDGET;
byte retries = RETRIES;

// What an agent has in mind only in a critical section.
#define FORGET i = 0; n = 0; o = 0; from = 0; got = 0; u = false; b = false

// One write in the critical section, or the end before it.
#define W(x) if :: x :: mortal && budget > 0 -> abandoned = true; goto dead fi

#define in_ring(x) (head <= x && x < tail)
#define over(x) (owner[x] == DONE || owner[x] == VOID)
#define of_dead(x) ((owner[x] >= 1 && owner[x] <= 3 && !alive[owner[x]]))
#define to_take(x) (in_ring(x) && (owner[x] == READY || of_dead(x)))
#define is_void(x) (in_ring(x) && owner[x] > WRITING && owner[x] < DONE && !alive[owner[x] - WRITING])
#define finished(x) (x < tail && over(x))
#if N == 3
#define any_to_take (to_take(0) || to_take(1) || to_take(2))
#define all_finished (finished(0) && finished(1) && finished(2))
#define any_void (is_void(0) || is_void(1) || is_void(2))
#else
#define any_to_take (to_take(0) || to_take(1) || to_take(2) || to_take(3))
#define all_finished (finished(0) && finished(1) && finished(2) && finished(3))
#define any_void (is_void(0) || is_void(1) || is_void(2) || is_void(3))
#endif

// Queue::enlist: `u` is `used`
inline enlist(x) {
  W(link[x] = NONE);
  if
  :: u -> assert(last < x && last >= head); W(link[last] = x)
  :: else
  fi;
  if :: !u || ready == NONE -> W(ready = x) :: else fi;
  W(last = x);
  u = true
}

// Queue::follow: from `o` to the next
inline follow() {
  from = o;
  o = link[from];
  do
#ifdef FAULT_leaves_out_the_last
  :: o != NONE && over(o) -> o = link[o]
#else
  :: o != NONE && over(o) && link[o] != NONE -> o = link[o]
#endif
  :: else -> break
  od;
  assert(o == NONE || (o > from && in_ring(o) && urgent[o]));
  if :: o != link[from] -> W(link[from] = o) :: else fi
}

// Queue::hint_ready
inline hint(x) {
  if
#ifdef FAULT_retry_without_hint
  :: urgent[x] -> if :: ready == NONE -> W(ready = x) :: else fi
#else
  :: urgent[x] -> if :: ready == NONE || x < ready -> W(ready = x) :: else fi
#endif
  :: else -> if :: x < plain -> W(plain = x) :: else fi
  fi
}

// Queue::reclaim
inline reclaim() {
  for (i : 0 .. N - 1) {
    if
    :: in_ring(i) && of_dead(i) -> hint(i); W(owner[i] = READY)
    :: is_void(i) -> W(owner[i] = VOID)
    :: else
    fi
  }
}

// Queue::pop_done and leave_lists
inline pop() {
  n = head;
  do :: n < tail && over(n) -> n++ :: else -> break od;
  if
  :: n > head && used ->
    if
    :: last < n ->
#ifndef FAULT_list_stays
      W(used = false)
#else
      skip
#endif
    :: else ->
#ifndef FAULT_ready_stays
      if
      :: ready != NONE && ready < n ->
        o = ready;
        do :: o != NONE && o < n -> follow() :: else -> break od;
        W(ready = o)
      :: else
      fi
#else
      skip
#endif
    fi
  :: else
  fi;
  if :: n > head -> W(head = n) :: else fi
}

// Queue::recover_and_read
inline enter() {
  if
  :: abandoned ->
#ifndef FAULT_no_recompute
    u = false;
    for (i : 0 .. N - 1) {
      if :: in_ring(i) && !over(i) && urgent[i] -> enlist(i) :: else fi
    }
    W(used = u);
    W(plain = head);
#endif
    pop();
    reclaim();
    abandoned = false
  :: else
  fi
}

proctype Agent(byte me; bool mortal) {
  byte i, n, o, from, got, mine;
  bool u, b, large;
  do
  // put
  :: atomic {
      tail < N ->
      enter();
      if :: large = false :: large = true fi;
      if :: b = false :: b = true fi;
      o = tail;
      urgent[o] = b;
      owner[o] = (large -> WRITING + me : READY);
      mine = o;
      if :: b -> u = used; enlist(mine); W(used = u) :: else fi;
      W(tail = tail + 1);
      FORGET
    };
    if
    :: large ->
      if :: atomic { mortal && budget > 0 -> goto dead } :: true fi;
      atomic {
        enter();
#ifdef FAULT_published_without_hint
        if :: !urgent[mine] -> hint(mine) :: else fi;
#else
        hint(mine);
#endif
        W(owner[mine] = READY);
        large = false;
        mine = 0;
        FORGET
      }
    :: else -> mine = 0
    fi
  // take
  :: atomic {
      any_to_take ->
      enter();
      b = false;
      for (i : 0 .. N - 1) { if :: in_ring(i) && owner[i] == READY -> b = true :: else fi }
      if :: !b -> reclaim() :: else fi;
      got = NONE;
      if
      :: used && ready != NONE ->
        o = ready;
        do
        :: o != NONE && got == NONE ->
          assert(in_ring(o));
          if :: owner[o] == READY -> got = o :: else fi;
          follow()
        :: else -> break
        od;
        W(ready = o)
      :: else
      fi;
      if
      :: got == NONE ->
        o = (plain < head -> head : plain);
        do
        :: o < tail && got == NONE ->
          if :: owner[o] == READY && !urgent[o] -> got = o :: else fi;
          o++
        :: else -> break
        od;
        W(plain = o)
      :: else
      fi;
      assert(got != NONE);  // INV_14
      for (i : 0 .. N - 1) {
        if
        :: in_ring(i) && owner[i] == READY && i != got ->
          assert(urgent[i] < urgent[got] || (urgent[i] == urgent[got] && i > got))  // INV_29
        :: else
        fi
      }
      W(owner[got] = me);
      mine = got;
      FORGET
    };
    if :: atomic { mortal && budget > 0 -> goto dead } :: true fi;
    if
    :: atomic { true -> enter(); W(owner[mine] = DONE); pop(); mine = 0; FORGET }
    :: atomic {
        retries > 0 ->
        enter();
        retries--;
        hint(mine);
        W(owner[mine] = READY);
        mine = 0;
        FORGET
      }
    fi
  // a look in vain finds what was not written to the end
  :: atomic { any_void -> enter(); reclaim(); pop(); FORGET }
  :: all_finished -> break
  od;
  goto over_;
dead:
  atomic { budget--; alive[me] = false; FORGET; mine = 0; large = false };
over_:
  skip
}

// Nothing moves any more.
proctype Quiet() {
  timeout ->
  assert(all_finished);
  assert(abandoned || (head == tail && !used))
}

init {
  atomic {
    alive[1] = true; alive[2] = true; alive[3] = true;
    run Agent(1, true);
#if AGENTS == 3
    run Agent(2, true);
#endif
    run Agent(3, false);
    run Quiet()
  }
}
