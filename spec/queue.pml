// Queue (native/core/primitives/queue.cc): a ring of records, changed in a critical section.
//
// Agents 1 and 2 put, and 2 ends the queue when it is through; 3 and 4 get. 1 and 3 may die between any
// two steps. A record is a head and two or three cells more, so that records wrap and the ring grows. A
// cell says which record it belongs to and which part it is, so that a torn record is seen.
//
// Sleeping is not modelled here (wait_set.pml). An agent that waits goes on when a look would succeed.
//
// BUDGET: deaths; PUTS1, PUTS2: records of the two putters; GETS: of getter 3 at most.

#ifndef BUDGET
#define BUDGET 2
#endif
#ifndef PUTS1
#define PUTS1 1
#endif
#ifndef PUTS2
#define PUTS2 2
#endif
#ifndef GETS
#define GETS 1
#endif
#define CAP_MIN 4          // kQueueBytesMin, in cells
#define CAP_MAX 8          // Queue::largest_ring
#define OFFSETS 16         // 2^40 there: a multiple of every capacity
#define START 14           // so that offsets pass their end
#define NOT_RECOVERABLE 99

byte ring[CAP_MAX];
byte capacity = CAP_MIN;   // QueueBody::capacity
byte reserved = CAP_MIN;   // storage behind the file: what may be touched
byte tail = START;         // an offset and, times OFFSETS, a count: one word, one store
byte head = START;
bool ended;
byte mutex;                // the robust mutex: who has it
bool marked;               // its FUTEX_OWNER_DIED
byte budget;
byte order[5], published, consumed;  // ghost: records as they came into being
bool closed;               // ghost: a getter has been told that there is no more
byte waiting;              // ghost: live agents that are not through

// One access to shared memory, or the end: a mortal agent may die before any step.
#define S(x) if :: atomic { x } :: atomic { mortal && budget > 0 -> goto dead } fi
#define OFFSET(p) ((p) % OFFSETS)
#define ITEMS(p) ((p) / OFFSETS)
#define ADVANCE(p, units) ((OFFSET(p) + (units)) % OFFSETS + OFFSETS * ((ITEMS(p) + 1) % 16))
#define USED(h, t) ((OFFSET(t) + OFFSETS - OFFSET(h)) % OFFSETS)
#define COUNT(h, t) ((ITEMS(t) + 16 - ITEMS(h)) % 16)
#define NEEDED(item) (3 + (item) % 2)
#define CELL(item, part) (4 * (item) + (part))
#define PLACE(off) ((off) % c)

// CriticalSection::CriticalSection
inline enter_section() {
  S(mutex == 0 -> mutex = me; died = marked);
  if
#ifdef FAULT_no_consistent
  :: died -> broken = true
#else
  :: died -> S(marked = false)  // pthread_mutex_consistent
#endif
  :: else
  fi;
  died = false
}

// CriticalSection::~CriticalSection
inline leave_section() {
#ifdef FAULT_no_consistent
  S(mutex = (broken -> NOT_RECOVERABLE : 0))
#else
  S(mutex = 0)
#endif
}

// Queue::read_view
inline read_view() {
  S(t = tail);
  S(h = head);
  S(c = capacity; assert(USED(h, t) <= c && COUNT(h, t) <= USED(h, t) &&
                         (COUNT(h, t) == 0) == (USED(h, t) == 0)) /* INV_12 */)
}

// Queue::make_room
inline make_room(need) {
  do
  :: USED(h, t) + need <= c -> room = true; break
  :: USED(h, t) + need > c && c == CAP_MAX -> room = false; break
  :: USED(h, t) + need > c && c < CAP_MAX ->
#ifdef FAULT_reserve_late
     skip;
#else
     S(reserved = 2 * c);      // platform::reserve_space
#endif
#ifdef FAULT_capacity_before_copy
     S(capacity = 2 * c);
#endif
     k = 0;
     do                        // memcpy, a cell at a time
     :: k == c -> break
     :: else -> S(assert(c + k < reserved) /* INV_13 */; ring[c + k] = ring[k]; k++)
     od;
     k = 0;
#ifdef FAULT_reserve_late
     S(reserved = 2 * c);
#endif
     S(capacity = 2 * c; c = 2 * c)
  od
}

inline publish() {
  S(tail = ADVANCE(t, NEEDED(item));
    assert(!closed) /* nothing comes after an end that was seen */;
    order[published] = item; published++)
}

proctype Putter(byte me; bool mortal; byte item, left) {
  byte h, t, c, k;
  bool died, room, over, broken;

again:                                // Queue::put
  S(over = ended);
  if :: over -> goto done :: else fi;
#ifndef FAULT_no_critical_section
  enter_section();
#endif
  read_view();
#ifndef FAULT_end_outside_section
  S(over = ended);
#endif
  if
  :: over -> leave_section(); goto done
  :: else
  fi;
  make_room(NEEDED(item));
  if
  :: !room ->
     h = 0; t = 0; c = 0;
     leave_section();
     S(ended || USED(head, tail) + NEEDED(item) <= CAP_MAX);  // wait_to_put
     goto again
  :: else -> room = false
  fi;
#ifdef FAULT_tail_before_bytes
  publish();
#endif
  k = 0;
  do                                  // copy_in
  :: k == NEEDED(item) -> break
  :: else ->
     S(assert(PLACE(OFFSET(t) + k) < reserved) /* INV_13 */;
       ring[PLACE(OFFSET(t) + k)] = CELL(item, k); k++)
  od;
  k = 0;
#ifdef FAULT_two_stores
  S(tail = OFFSETS * ITEMS(t) + OFFSET(ADVANCE(t, NEEDED(item))));
#endif
#ifndef FAULT_tail_before_bytes
  publish();                          // INV-12: here it comes into being
#endif
  h = 0; t = 0; c = 0;
#ifndef FAULT_no_critical_section
  leave_section();
#endif
progress_put:
  left--; item++;
  if :: left > 0 -> goto again :: else fi;
  if :: me == 2 -> S(ended = true) :: else fi;  // Queue::end
  goto done;

dead:
  atomic {                            // the kernel walks the dead thread's list of robust mutexes
    budget--;
    if :: mutex == me -> mutex = 0; marked = true :: else fi
  };
done:
  atomic { waiting--; h = 0; t = 0; c = 0; k = 0; left = 0; item = 0; died = 0; room = 0; over = 0 }
}

proctype Getter(byte me; bool mortal; byte left) {
  byte h, t, c, k, item;
  bool died, over, broken;

again:
  if :: mortal -> S(ended || tail != head); goto locked :: else fi;  // one of them need not ask first
                                      // Queue::size, outside the critical section
#ifdef FAULT_size_of_two_reads
  S(t = tail);
  S(h = head);
#else
  S(h = head);
  S(t = tail);
  S(over = (head == h));
  if :: !over -> goto again :: else -> over = false fi;
#endif
  assert(COUNT(h, t) <= PUTS1 + PUTS2) /* size() is never wrong */;
  if
  :: COUNT(h, t) == 0 ->
     h = 0; t = 0;
     S(over = ended);
     if
     :: over -> over = false
     :: else -> S(ended || tail != head); goto again  // wait_to_get
     fi
  :: else -> h = 0; t = 0
  fi;
locked:                               // Queue::get
  enter_section();
  S(over = ended);
  read_view();
  if
  :: COUNT(h, t) == 0 ->
     h = 0; t = 0; c = 0;
     if :: over -> S(closed = true) :: else fi;
     leave_section();
     if :: over -> goto done :: else -> goto again fi
  :: else -> over = false
  fi;
  S(item = ring[PLACE(OFFSET(h))] / 4; assert(ring[PLACE(OFFSET(h))] % 4 == 0) /* INV_12 */);
  k = 1;
  do                                  // copy_out
  :: k >= NEEDED(item) -> break
  :: else -> S(assert(ring[PLACE(OFFSET(h) + k)] == CELL(item, k)) /* INV_12: not torn */; k++)
  od;
  k = 0;
  S(head = ADVANCE(h, NEEDED(item));  // INV-12: here it is gone
    assert(order[consumed] == item) /* INV_12: first in first out, exactly once */;
    consumed++);
  h = 0; t = 0; c = 0; item = 0;
  leave_section();
progress_got:
  if :: mortal -> left-- :: else fi;
  if :: left > 0 -> goto again :: else -> goto done fi;

dead:
  atomic {
    budget--;
    if :: mutex == me -> mutex = 0; marked = true :: else fi
  };
done:
  atomic { waiting--; h = 0; t = 0; c = 0; k = 0; item = 0; left = 0; died = 0; over = 0 }
}

active proctype Quiet() {
end_quiet:
  timeout -> assert(waiting == 0);
  assert(consumed == published) /* INV_12: what came into being was got */
}

init {
  atomic {
    if :: budget = 0 :: BUDGET > 0 -> budget = 1 :: BUDGET > 1 -> budget = 2 fi;
    waiting = 4;
    run Putter(1, true, 1, PUTS1); run Putter(2, false, 1 + PUTS1, PUTS2);
    run Getter(3, true, GETS); run Getter(4, false, 9)
  }
}
