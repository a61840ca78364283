// Queue (native/core/primitives/queue.cc, queue_put.cc): a ring of records. A put locks the tail. A get is in the
// critical section. The ring grows under both, and who gets locks the tail to see the end.
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
byte mutex[2];             // the robust mutexes: who has them
bool marked[2];            // their FUTEX_OWNER_DIED
#define SECTION 0          // QueueBody::mutex
#define TAIL 1             // QueueBody::tail_mutex
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
inline lock(m) {
  S(mutex[m] == 0 -> mutex[m] = me; died = marked[m]);
  if
#ifdef FAULT_no_consistent
  :: died -> broken[m] = true
#else
  :: died -> S(marked[m] = false)  // pthread_mutex_consistent
#endif
  :: else
  fi;
  died = false
}

// CriticalSection::~CriticalSection
inline unlock(m) {
#ifdef FAULT_no_consistent
  S(mutex[m] = (broken[m] -> NOT_RECOVERABLE : 0))
#else
  S(mutex[m] = 0)
#endif
}

// The kernel walks the dead thread's list of robust mutexes.
inline bury() {
  if :: mutex[SECTION] == me -> mutex[SECTION] = 0; marked[SECTION] = true :: else fi;
  if :: mutex[TAIL] == me -> mutex[TAIL] = 0; marked[TAIL] = true :: else fi
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

inline consume() {
  S(head = ADVANCE(h, NEEDED(item));
    assert(order[consumed] == item) /* INV_12: first in first out, exactly once */;
    consumed++)
}

proctype Putter(byte me; bool mortal; byte item, left) {
  byte h, t, c, k;
  bool died, room, over, broken[2], whole;

again:                                // Queue::put
  S(over = ended);
  if :: over -> goto done :: else fi;
  whole = false;                      // Queue::append
locked:
#ifndef FAULT_grows_without_section
  if :: whole -> lock(SECTION) :: else fi;  // Queue::put_in_section
#endif
#ifdef FAULT_puts_without_tail
#define PUTS_WITH_TAIL whole
#else
#ifdef FAULT_grows_without_tail
#define PUTS_WITH_TAIL !whole
#else
#define PUTS_WITH_TAIL true
#endif
#endif
  if :: PUTS_WITH_TAIL -> lock(TAIL) :: else fi;
  read_view();
  S(over = ended);
  if
  :: !over && !whole && USED(h, t) + NEEDED(item) > c ->
     h = 0; t = 0; c = 0;
     if :: PUTS_WITH_TAIL -> unlock(TAIL) :: else fi;
     whole = true;
     goto locked
  :: over -> room = false
  :: else -> make_room(NEEDED(item))
  fi;
  if
  :: room ->
     room = false;
#ifdef FAULT_tail_before_bytes
     publish();
#endif
     k = 0;
     do                               // copy_in
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
     publish();                       // INV-12: here it comes into being
#endif
     left--; item++
  :: else -> k = 1                    // not put
  fi;
  h = 0; t = 0; c = 0;
  if :: PUTS_WITH_TAIL -> unlock(TAIL) :: else fi;
#ifndef FAULT_grows_without_section
  if :: whole -> unlock(SECTION) :: else fi;
#endif
  if
  :: over -> goto done
  :: !over && k == 1 ->
     k = 0;
     S(ended || USED(head, tail) + NEEDED(item) <= CAP_MAX);  // wait_to_put
     goto again
  :: else
  fi;
progress_put:
  if :: left > 0 -> goto again :: else fi;
  if :: me == 2 -> S(ended = true) :: else fi;  // Queue::end
  goto done;

dead:
  atomic { budget--; bury() };
done:
  atomic {
    waiting--; h = 0; t = 0; c = 0; k = 0; left = 0; item = 0; died = 0; room = 0; over = 0; whole = 0
  }
}

proctype Getter(byte me; bool mortal; byte left) {
  byte h, t, c, k, item;
  bool died, over, broken[2];

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
  lock(SECTION);
  read_view();
  if
  :: COUNT(h, t) == 0 ->
     S(over = ended);
     if
     :: over ->                       // Queue::nothing_ready
#ifndef FAULT_sees_the_end_without_tail
        lock(TAIL);
#endif
        S(over = (tail == t));
        if :: over -> S(closed = true) :: else fi;
#ifndef FAULT_sees_the_end_without_tail
        unlock(TAIL)
#endif
     :: else
     fi;
     h = 0; t = 0; c = 0;
     unlock(SECTION);
     if :: over -> goto done :: else -> goto again fi
  :: else
  fi;
  S(item = ring[PLACE(OFFSET(h))] / 4; assert(ring[PLACE(OFFSET(h))] % 4 == 0) /* INV_12 */);
#ifdef FAULT_head_before_bytes
  consume();
#endif
  k = 1;
  do                                  // copy_out
  :: k >= NEEDED(item) -> break
  :: else -> S(assert(ring[PLACE(OFFSET(h) + k)] == CELL(item, k)) /* INV_12: not torn */; k++)
  od;
  k = 0;
#ifndef FAULT_head_before_bytes
  consume();                          // INV-12: here it is gone
#endif
  h = 0; t = 0; c = 0; item = 0;
  unlock(SECTION);
progress_got:
  if :: mortal -> left-- :: else fi;
  if :: left > 0 -> goto again :: else -> goto done fi;

dead:
  atomic { budget--; bury() };
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
