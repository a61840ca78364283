// A Pool and its workers (src/pool/page.ts, member.ts, crew.ts, worker.ts): claim words, orders that are
// given ahead and taken back, answers, and what the pool does after a death.
//
// Two workers, each with a queue for orders and one for answers. Another worker follows one that has
// ended. The pool takes an order back for another worker, or because its task is aborted. The abort of a
// task that runs kills its worker. An answer has two records, as one with a large Buffer has.
//
// Each access of a worker to shared memory is one step, and each access of the pool to a claim word. A
// worker may die before each of its steps, also some steps after it was killed.
//
// BUDGET: deaths by nobody's will. ABORTS: aborts. STEALS: orders that are taken back for another worker.

#ifndef BUDGET
#define BUDGET 1
#endif
#ifndef ABORTS
#define ABORTS 1
#endif
#ifndef STEALS
#define STEALS 1
#endif
#define TASKS 3
#define RETRIES 1     // of each task
#define PLACES 3      // mostOrders
#define AHEAD 2       // ordersAhead

#define OFFERED 0
#define BEGUN 1
#define REVOKED 2
#ifdef FAULT_word_without_number
#define WORD(n, state) (state)
#else
#define WORD(n, state) ((n) * 4 + (state))
#endif
#define CLAIM(w, n) claims[(w) * PLACES + (n) % PLACES]

// Where a task is.
#define WAITS 0
#define IS_GIVEN 1
#define DONE 2
#define FAILED 3

#define MOST 3        // entries of one worker
#define ENTRY(w, i) ((w) * MOST + (i))

byte claims[6];                          // the page: PLACES words of each worker
chan orders[2] = [5] of { byte, byte };  // number, task
chan answers[2] = [6] of { byte, bit };  // number, which of the two records

byte task_of[6];                         // the pool's entries, in order
byte number_of[6];
byte entries[2];
byte given[2];
byte half[2];                            // an answer of which one record has been read
bool killed[2];
byte where[TASKS];
byte left[TASKS];                        // retries
byte aborts = ABORTS;
byte steals = STEALS;

bool dead[2];
byte budget = BUDGET;

byte claimed[TASKS];  // ghost: how often a worker got it by the claim word
byte begins[TASKS];   // ghost: how often the function began
byte whole[2];        // ghost: the last number whose answer was put as a whole

#define settled(t) (where[t] >= DONE)
#define all_settled (settled(0) && settled(1) && settled(2))
#define spent(t) (RETRIES - left[t])

// One step of a worker, or its death before it.
#define S(...) \
  if \
  :: atomic { __VA_ARGS__ } \
  :: atomic { killed[w] -> goto die } \
  :: atomic { budget > 0 && !killed[w] -> budget--; goto die } \
  fi

inline begin_function() {
  begins[t]++;
  assert(begins[t] <= 1 + spent(t));            // no order begins twice, unless that costs a retry
  i = 0;
  do
  :: i < entries[w] && number_of[ENTRY(w, i)] == n && task_of[ENTRY(w, i)] == t -> break
  :: i < entries[w] && !(number_of[ENTRY(w, i)] == n && task_of[ENTRY(w, i)] == t) -> i++
  :: i == entries[w] -> assert(false)           // a revoked order never runs
  od;
  i = 0
}

proctype Worker(byte w) {
  byte n, t, i;
  bool got;
end:
  do
  :: atomic { nempty(orders[w]) && !dead[w] -> orders[w] ? n, t };
#ifdef FAULT_begins_late
    S(begin_function());
#endif
#ifdef FAULT_begins_without_swap
    S(got = (CLAIM(w, n) == WORD(n, OFFERED)));
    if
    :: got -> S(CLAIM(w, n) = WORD(n, BEGUN); claimed[t]++)
    :: else
    fi;
#else
    S(got = (CLAIM(w, n) == WORD(n, OFFERED)); if :: got -> CLAIM(w, n) = WORD(n, BEGUN); claimed[t]++ :: else fi);
#endif
    if
    :: got ->
#ifndef FAULT_begins_late
      S(begin_function());
#endif
      S(answers[w] ! n, 0);
      S(answers[w] ! n, 1; whole[w] = n)
    :: else
    fi;
    atomic { n = 0; t = 0; got = false }
  :: atomic { killed[w] && !dead[w] -> goto die }
  od;
die:
  atomic { dead[w] = true; n = 0; t = 0; i = 0; got = false };
  goto end
}

// Member.#drop
inline drop(at) {
  k = at;
  do
  :: k + 1 < entries[w] ->
    task_of[ENTRY(w, k)] = task_of[ENTRY(w, k + 1)];
    number_of[ENTRY(w, k)] = number_of[ENTRY(w, k + 1)];
    k++
  :: else -> break
  od;
  entries[w]--;
  task_of[ENTRY(w, entries[w])] = 0;
  number_of[ENTRY(w, entries[w])] = 0;
  k = 0
}

// Member.revoke of the entry at j. One swap is one step.
inline revoke() {
#ifdef FAULT_revokes_without_swap
  is_back = (CLAIM(w, number_of[ENTRY(w, j)]) == WORD(number_of[ENTRY(w, j)], OFFERED));
  if :: is_back -> CLAIM(w, number_of[ENTRY(w, j)]) = WORD(number_of[ENTRY(w, j)], REVOKED) :: else fi;
  if :: is_back -> atomic { t = task_of[ENTRY(w, j)]; drop(j) } :: else fi
#else
  atomic {
    is_back = (CLAIM(w, number_of[ENTRY(w, j)]) == WORD(number_of[ENTRY(w, j)], OFFERED));
    if
    :: is_back ->
      CLAIM(w, number_of[ENTRY(w, j)]) = WORD(number_of[ENTRY(w, j)], REVOKED);
      t = task_of[ENTRY(w, j)];
      drop(j)
    :: else
    fi
  }
#endif
}

// Member.#read of one record, and settle
inline hear() {
  answers[w] ? n, part;
  if
#ifdef FAULT_half_an_answer_counts
  :: part == 1
  :: part == 0 ->
#else
  :: part == 0 -> half[w] = n
  :: part == 1 ->
    assert(half[w] == n);
    half[w] = 0;
#endif
    j = 0;
    do
    :: j < entries[w] && number_of[ENTRY(w, j)] != n -> j++
    :: j < entries[w] && number_of[ENTRY(w, j)] == n ->
      t = task_of[ENTRY(w, j)];
      drop(j);
      assert(whole[w] >= n);                    // what counts has been put as a whole
      if :: !settled(t) -> where[t] = DONE :: else fi;
      break
    :: j == entries[w] -> break
    od
  fi;
  n = 0; part = 0; j = 0; t = 0
}

// Crew.onEnd
inline bury() {
#ifndef FAULT_answers_are_not_read
  do :: nempty(answers[w]) -> hear() :: empty(answers[w]) -> break od;
#endif
  if
  :: entries[w] > 0 && CLAIM(w, number_of[ENTRY(w, 0)]) == WORD(number_of[ENTRY(w, 0)], BEGUN) ->
    t = task_of[ENTRY(w, 0)];
    assert(whole[w] < number_of[ENTRY(w, 0)]);  // a result that was sent has arrived
    if
    :: settled(t)
    :: !settled(t) && left[t] > 0 -> left[t]--; where[t] = WAITS; assert(!killed[w])
    :: !settled(t) && left[t] == 0 -> where[t] = FAILED; assert(!killed[w])
    fi;                                         // the abort of one task costs no other
    assert(spent(t) <= claimed[t]);             // what has not begun costs nothing
    drop(0)
  :: else
  fi;
  do
  :: entries[w] > 0 ->
    t = task_of[ENTRY(w, 0)];
    if :: !settled(t) -> where[t] = WAITS :: else fi;
    drop(0)
  :: else -> break
  od;
  do :: nempty(orders[w]) -> orders[w] ? n, t :: empty(orders[w]) -> break od;
  do :: nempty(answers[w]) -> answers[w] ? n, part :: empty(answers[w]) -> break od;
  for (j : 0 .. PLACES - 1) { claims[w * PLACES + j] = 0 }
  given[w] = 0; half[w] = 0; whole[w] = 0; killed[w] = false; dead[w] = false;
  n = 0; part = 0; t = 0; j = 0
}

#ifdef FAULT_place_is_used_early
#define place_is_free(w) true
#define most_ahead 3
#else
#define place_is_free(w) (entries[w] == 0 || given[w] - number_of[ENTRY(w, 0)] < PLACES - 1)
#define most_ahead AHEAD
#endif
#define may_take(w) (!killed[w] && entries[w] < most_ahead && place_is_free(w) && nfull(orders[w]))
#define some_wait (where[0] == WAITS || where[1] == WAITS || where[2] == WAITS)

#define may_abort (aborts > 0 && (may_end(0) || may_end(1)))
#define may_end(i) (entries[0] > i && !settled(task_of[i]))

// Member.give: first the claim word, then the order
inline give() {
  if
  :: where[0] == WAITS -> t = 0
  :: where[0] != WAITS && where[1] == WAITS -> t = 1
  :: else -> t = 2
  fi;
  given[w]++;
  where[t] = IS_GIVEN;
  task_of[ENTRY(w, entries[w])] = t;
  number_of[ENTRY(w, entries[w])] = given[w];
  entries[w]++;
  CLAIM(w, given[w]) = WORD(given[w], OFFERED)
}

inline put() {
  atomic { orders[w] ! given[w], t; t = 0; w = 0 }
}

// Crew.withdraw of the entry at j
inline abort() {
  a = task_of[ENTRY(w, j)];
  revoke();
  where[a] = FAILED;
  if
  :: is_back
  :: else ->
#ifndef FAULT_kills_before_it_takes_back
    j = entries[w];
    do
    :: j > 0 -> j--; revoke(); if :: is_back -> if :: !settled(t) -> where[t] = WAITS :: else fi :: else fi
    :: else -> break
    od;
    if :: entries[w] > 0 && task_of[ENTRY(w, entries[w] - 1)] == a -> killed[w] = true :: else fi
#else
    killed[w] = true
#endif
  fi;
  atomic { j = 0; t = 0; a = 0; is_back = false }
}

proctype Pool() {
  byte w, n, t, a, j, k;
  bit part;
  bool is_back;
  do
  :: atomic {
      if :: may_take(0) && some_wait -> w = 0 :: may_take(1) && some_wait -> w = 1 fi;
      give()
    };
    put()
  :: atomic { steals > 0 && entries[0] > 1 -> steals--; j = entries[0] - 1 };
    revoke();
    atomic { if :: is_back -> where[t] = WAITS :: else fi; j = 0; t = 0; is_back = false }
  :: atomic {
      may_abort -> aborts--;
      if :: may_end(0) -> j = 0 :: may_end(1) -> j = 1 fi
    };
    abort()
  :: atomic { if :: nempty(answers[0]) -> w = 0 :: nempty(answers[1]) -> w = 1 fi; hear(); w = 0 }
  :: atomic { if :: dead[0] -> w = 0 :: dead[1] -> w = 1 fi; bury(); w = 0 }
  :: atomic { all_settled && entries[0] == 0 && entries[1] == 0 -> break }
  od
}

// Nothing moves any more.
proctype Quiet() {
  timeout ->
  assert(all_settled)                           // none is lost
}

init {
  atomic {
    left[0] = RETRIES; left[1] = RETRIES; left[2] = RETRIES;
    run Pool(); run Worker(0); run Worker(1); run Quiet()
  }
}
