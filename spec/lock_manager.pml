// LockManager (native/core/locks/): the line of one name. Requests are cells, which are the truth; the
// line is an index, which is made anew after a death in the critical section.
//
// Three agents each ask once for the lock, exclusive, shared or with steal, hold it and end it; a request
// that waits may be aborted. The first two may die between any two steps. The cell of a request has the
// number of its agent.
//
// BUDGET: deaths; STEALS: those that steal; ABORTS: those that are aborted.
//
// Wakes are sent after the critical section, so a death loses them. Without a death there is no slice
// at all; each death gives each agent one.
//
// There is one name, so no bucket is ever added. A death while one is added leaves a wrong index,
// as any other death in the critical section does.

#ifndef BUDGET
#define BUDGET 2
#endif
#ifndef STEALS
#define STEALS 2
#endif
#ifndef ABORTS
#define ABORTS 1
#endif

#define FREE 0
#define PENDING 1
#define HELD 2
#define STOLEN 3
#define ABANDONED 4

// The cells (RequestCell).
byte owner[4], state[4], ticket[4], token[4];
bool exclusive[4], untold[4], after[4];
// The index: the place of a cell in the line; 0: it is not in it.
byte place[4], tail;
// LockManagerBody
byte last_ticket, last_token, mutex;
bool changing;

bool alive[4];     // Registry::alive
bool bell[4];      // doorbells
bool looks[4];     // a slice that a death has earned
byte budget, steals = STEALS, aborts = ABORTS;

byte waiting;      // ghost: live agents that are not through
bool believes[4];  // ghost: was told that it holds, and neither that it was stolen from nor has ended it
bool news;         // ghost: the last exclusive holder died, and no exclusive one was granted since
bool known;        // ghost: news of a death before the present critical section began
byte told;         // ghost: the token of the last exclusive holder that was told
byte thief;        // ghost: the highest token of a thief that is there

// One access to shared memory, or the end: a mortal agent may die before any step.
#define S(x) if :: atomic { x } :: atomic { mortal && budget > 0 -> goto dead } fi

#define IN(j, s) (place[j] != 0 && owner[j] != 0 && state[j] == s)
#define ANY(p) (p(1) || p(2) || p(3))
#define IS_ABANDONED(j) IN(j, ABANDONED)
#define HOLDS_EXCLUSIVE(j) (IN(j, HELD) && exclusive[j])
#define HOLDS_SHARED(j) (IN(j, HELD) && !exclusive[j])
#define DIED_EXCLUSIVE(j) (HOLDS_EXCLUSIVE(j) && gone[j])
#define WAITS(j) IN(j, PENDING)
#define IN_THE_WAY (ANY(WAITS) || ANY(HOLDS_EXCLUSIVE) || (want && ANY(HOLDS_SHARED)))

// Of the cells that are not in the line yet, in the order of comes_first(); 255: it has no place there.
#define IS_HOLDER(j) (state[j] == HELD || state[j] == ABANDONED)
#ifdef FAULT_line_by_cells
#define ORDER(j) j
#else
#define ORDER(j) ticket[j]
#endif
#define RANK(j) ((owner[j] == 0 || place[j] != 0 || state[j] == STOLEN) -> 255 : \
                 (IS_HOLDER(j) -> token[j] : 100 + ORDER(j)))
#define FIRST_PLACE(j) (WAITS(j) -> place[j] : 255)

// The cell of which the macro is least goes to x; 0: none has one.
#define LEAST(m) \
  x = ((m(1) <= m(2) && m(1) <= m(3)) -> 1 : (m(2) <= m(3) -> 2 : 3)); x = (m(x) == 255 -> 0 : x)

// Nobody reads a free cell, and make() clears it.
inline clear(j) {
  state[j] = FREE; ticket[j] = 0; token[j] = 0; exclusive[j] = 0; untold[j] = 0; after[j] = 0
}

// ---- what must hold

#define OVERTAKES(j) (j != c && owner[j] == j && state[j] == PENDING && alive[j] && ticket[j] < ticket[c])

// A cell has become the truth as one that holds. A thief goes before all, and may miss a death that
// came after it had looked.
inline granted(cell, steals_it) {
  c = cell;
  assert(steals_it || !ANY(OVERTAKES)) /* first come, first served */;
  assert(!after[c] || news) /* nobody is told of a death twice */;
  assert(after[c] || !known) /* the next holder is told of a death */;
  assert(steals_it || after[c] == news) /* the next holder is told of a death */;
  if
  :: exclusive[c] -> news = !alive[c]; known = false
  :: else
  fi;
  if :: steals_it -> thief = token[c] :: else fi;
  c = 0
}

#define DISTURBS(j) (j != me && believes[j] && (exclusive[j] || exclusive[me]) && \
                     !(state[j] == STOLEN && token[j] < token[me]))

inline is_told() {
  assert(!ANY(DISTURBS)) /* INV_20 */;
  assert(token[me] != 0 && (!exclusive[me] || token[me] > told)) /* INV_22 */;
  if :: exclusive[me] -> told = token[me] :: else fi;
  believes[me] = true; holds = true
}

inline is_told_stolen() {
  assert(thief > token[me]) /* INV_20: there is a thief */;
  believes[me] = false; holds = false; over = true
}

// ---- serve.cc

inline begin_hold(cell, after_death) {
  if :: after_death -> S(after[cell] = true) :: else fi;
  S(last_token++; y = last_token);
#ifdef FAULT_token_after_state
  S(state[cell] = HELD; if :: owner[cell] != 0 -> granted(cell, false) :: else fi);
  S(token[cell] = y);
#else
  S(token[cell] = y);
  S(state[cell] = HELD; if :: owner[cell] != 0 -> granted(cell, false) :: else fi);
#endif
  y = 0
}

inline end_request(cell) {
  S(owner[cell] = 0);
  S(place[cell] = 0; clear(cell))
}

inline drop_abandoned() {
  for (v : 1 .. 3) {
    if :: IS_ABANDONED(v) -> end_request(v) :: else fi
  }
  v = 0
}

inline evict_holders(but) {
  for (v : 1 .. 3) {
    if
    :: v != but && IN(v, HELD) && gone[v] -> end_request(v)
    :: v != but && IN(v, HELD) && !gone[v] ->
       S(untold[v] = true);
       S(state[v] = STOLEN);
       S(place[v] = 0);
       wakes[v] = true
    :: else
    fi
  }
  v = 0
}

inline grant(cell) {
#ifndef FAULT_untold_after_state
  S(untold[cell] = true);
#endif
#ifdef FAULT_drop_before_grant
  had = ANY(IS_ABANDONED);
  if :: exclusive[cell] -> drop_abandoned() :: else fi;
  begin_hold(cell, had); had = false;
#else
  begin_hold(cell, ANY(IS_ABANDONED));
  if :: exclusive[cell] -> drop_abandoned() :: else fi;
#endif
#ifdef FAULT_untold_after_state
  S(untold[cell] = true);
#endif
  wakes[cell] = true
}

inline serve() {
  do
  :: true ->
     LEAST(FIRST_PLACE);
     if
     :: x == 0 -> break
     :: x != 0 && gone[x] -> end_request(x)
     :: x != 0 && !gone[x] && (ANY(HOLDS_EXCLUSIVE) || (exclusive[x] && ANY(HOLDS_SHARED))) -> break
     :: else ->
        grant(x);
        if :: exclusive[x] -> break :: else fi
     fi
  od;
  x = 0
}

inline tend() {
  for (x : 1 .. 3) {
    if
    :: IN(x, HELD) && gone[x] && !exclusive[x] -> end_request(x)
#ifdef FAULT_no_abandoned
    :: IN(x, HELD) && gone[x] && exclusive[x] -> end_request(x)
#else
    :: IN(x, HELD) && gone[x] && exclusive[x] -> S(state[x] = ABANDONED)
#endif
    :: else
    fi
  }
  serve()
}

// ---- rebuild.cc

inline rebuild() {
  S(changing = true);
  S(place[1] = 0; place[2] = 0; place[3] = 0; tail = 0);
  do
  :: true ->
     LEAST(RANK);
     if
     :: x == 0 -> break
     :: x != 0 && exclusive[x] && IS_HOLDER(x) ->
        if :: state[x] == HELD -> drop_abandoned() :: else fi;
        evict_holders(x)
     :: else
     fi;
     S(tail++; place[x] = tail)
  od;
  serve()
}

// ---- section.cc. The critical section is one step for the others, because they are not in it. Its
// agent may die in the middle. In there the code asks once whether an agent lives. Here that is at the
// beginning: who dies a moment later had lived until then.

inline enter() {
  S(mutex == 0 || !alive[mutex] -> died = (mutex != 0); mutex = me);
  S(gone[1] = !alive[1]; gone[2] = !alive[2]; gone[3] = !alive[3]; known = news);
#ifndef FAULT_no_rebuild
  if :: died || changing -> rebuild() :: else fi;
#endif
  died = false;
  S(changing = true)
}

inline leave() {
  S(changing = false);
  S(mutex = 0);
  gone[1] = false; gone[2] = false; gone[3] = false
}

// wake_granted(): an agent does not wake itself.
inline wake() {
#ifdef FAULT_no_wake
  wakes[1] = false; wakes[2] = false; wakes[3] = false;
#endif
  wakes[me] = false;
  if :: wakes[1] -> S(bell[1] = alive[1]; wakes[1] = false) :: else fi;
  if :: wakes[2] -> S(bell[2] = alive[2]; wakes[2] = false) :: else fi;
  if :: wakes[3] -> S(bell[3] = alive[3]; wakes[3] = false) :: else fi
}

// ---- lock_manager.cc

inline request(steal) {
  atomic { enter();
  had = steal;
  if
  :: !had ->
     if :: IN_THE_WAY -> tend() :: else fi;
     had = !IN_THE_WAY
  :: else
  fi;
#ifdef FAULT_evict_before_owner
  if :: steal -> evict_holders(me) :: else fi;
#endif
  S(last_ticket++; ticket[me] = last_ticket; exclusive[me] = want);
#ifdef FAULT_thief_not_told
  dead_before = ANY(IS_ABANDONED);
#else
  dead_before = ANY(IS_ABANDONED) || (steal && ANY(DIED_EXCLUSIVE));
#endif
#ifdef FAULT_drop_before_grant
  if :: had && want -> drop_abandoned() :: else fi;
#endif
  if
  :: had -> begin_hold(me, dead_before)
  :: else -> S(state[me] = PENDING)
  fi;
  dead_before = false;
  S(owner[me] = me; if :: had -> granted(me, steal) :: else fi);
  if :: had && want -> drop_abandoned() :: else fi;
  if :: steal -> evict_holders(me) :: else fi;
  S(tail++; place[me] = tail);
  if :: had -> is_told() :: else fi;  // it returns later, and then another may have stolen it
  had = false;
  leave() };
  wake()
}

inline end() {
  atomic { enter();
  if
  :: state[me] == STOLEN -> S(owner[me] = 0; clear(me))
  :: else -> end_request(me); serve()
  fi;
  leave() };
  wake()
}

inline collect() {
  atomic { enter();
  if
  :: owner[me] == me && untold[me] && state[me] == HELD -> S(untold[me] = false; is_told())
  :: owner[me] == me && untold[me] && state[me] == STOLEN ->
     S(owner[me] = 0; is_told_stolen(); clear(me))
  :: else
  fi;
  leave() };
  wake()
}

inline look() {
  atomic { enter();
  if :: state[me] == PENDING -> tend() :: else fi;
  leave() };
  wake()
}

proctype Agent(byte me; bool mortal) {
  byte x, y, v, c;
  bool want, had, died, holds, over, dead_before;
  bool gone[4], wakes[4];

  if
  :: true -> want = true; request(false)
  :: true -> want = false; request(false)
  :: atomic { steals > 0 -> steals-- }; want = true; request(true)
  fi;
  want = false;
asleep:
  if
  :: holds -> goto held
  :: over -> goto done
  :: else
  fi;
  if
  :: atomic { bell[me] -> bell[me] = false }; collect()
#ifndef FAULT_no_slice
  :: atomic { looks[me] -> looks[me] = false }; look(); collect()  // the slice is over
#endif
  :: atomic { aborts > 0 -> aborts-- }; end(); goto done
  :: atomic { mortal && budget > 0 -> goto dead }
  fi;
  goto asleep;

held:
progress_held:
  if
  :: atomic { bell[me] -> bell[me] = false }; collect();
     if :: over -> goto done :: else -> goto held fi
  :: atomic { believes[me] = false; holds = false };
     end();
     goto done
  fi;

dead:
  atomic {
    budget--; alive[me] = false; believes[me] = false;
    if :: owner[me] != me -> clear(me) :: else fi;
    looks[1] = alive[1]; looks[2] = alive[2]; looks[3] = alive[3];
    // Unless a thief is there already, which has not come to tell it.
    if
    :: owner[me] == me && state[me] == HELD && exclusive[me] && token[me] >= thief -> news = true
    :: else
    fi
  };
done:
  atomic {
    waiting--; alive[me] = false; bell[me] = false; looks[me] = 0;
    x = 0; y = 0; v = 0; c = 0; want = 0; had = 0; died = 0; holds = 0; over = 0;
    dead_before = 0;
    gone[1] = 0; gone[2] = 0; gone[3] = 0; wakes[1] = 0; wakes[2] = 0; wakes[3] = 0
  }
}

// Nobody can move. Who still waits has been forgotten.
active proctype Quiet() {
end_quiet:
  timeout -> assert(waiting == 0) /* INV_21 */
}

init {
  atomic {
    if :: budget = 0 :: BUDGET > 0 -> budget = 1 :: BUDGET > 1 -> budget = 2 fi;
    waiting = 3;
    alive[1] = true; alive[2] = true; alive[3] = true;
    run Agent(1, true); run Agent(2, true); run Agent(3, false)
  }
}
