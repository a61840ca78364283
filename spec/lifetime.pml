// The life of one named object (native/core/store/): made, opened, closed, swept, its name taken away.
//
// One name, of a Lock: a file and the semaphore that the file names. Three agents, each a process of
// its own. 1 and 2 may die between any two steps; the kernel then drops the directory's lock and the
// flocks. 3 sweeps when the others are through.
//
// BUDGET: deaths; ROUNDS: opens of each of 1 and 2; UNLINKS: names taken away.

#ifndef BUDGET
#define BUDGET 2
#endif
#ifndef ROUNDS
#define ROUNDS 1
#endif
#ifndef UNLINKS
#define UNLINKS 1
#endif
#define FILES 6             // inodes 1..5; one that nobody has open or linked is used again

byte dir;                   // flock of the directory: who has it
byte path;                  // the inode behind the object's name; 0: there is none
byte sem;                   // the semaphore of that name; 0: there is none
byte sems;                  // made so far
bool magic[FILES], ready[FILES], named[FILES];  // Header::magic, state, posix_name
bool removed[FILES];        // Flags: its name is being taken away
byte owner[FILES];          // OwnedBody::owner
byte shared[FILES];         // flock(LOCK_SH) on the file: one bit an agent
byte fds[FILES];            // who has it open at all
bool persistent;            // all who open it ask for that, or nobody does
bool alive[4];
byte budget, unlinks = UNLINKS;
byte uses[4], handle[4];    // ghost: the inode and the semaphore that an agent works with
bool news;                  // ghost: a holder died; the next acquisition of that name is to be told
byte waiting;

#define ME (1 << me)
// One system call or one access to shared memory, or the end.
#define S(x) if :: atomic { x; INV_10() } :: atomic { mortal && budget > 0 -> goto dead } fi

inline INV_10() { assert(sem == 0 || (path != 0 && magic[path] && named[path])) /* INV_10 */ }
#if defined(FAULT_sweep_without_lock) || defined(FAULT_close_without_lock)
inline INV_8() { skip }  // the damage itself has to show
#else
inline INV_8() { assert(dir == me) /* INV_8: only under the directory's lock */ }
#endif
inline INV_9(f) { assert((shared[f] & ~ME) == 0) /* INV_9: not in use by anybody else */ }

// Store::Locked
inline lock_dir() { S(dir == 0 -> dir = me) }
inline unlock_dir() { S(dir = 0) }

inline close_fd(f) { S(fds[f] = fds[f] & ~ME; shared[f] = shared[f] & ~ME) }

// Store::inspect_file
inline inspect_file() {
  S(found = path; if :: found != 0 -> fds[found] = fds[found] | ME :: else fi);
  if
  :: found == 0
  :: else ->
     S(in_use = (shared[found] != 0));  // LOCK_EX | LOCK_NB; others of this directory have to wait anyway
     S(whole = (magic[found] && ready[found]); gone = removed[found];
       assert(whole || !in_use) /* never "in use but not finished" */);
     S(has_news = (whole && owner[found] != 0))
  fi
}

// Store::destroy. What a user asked for takes the name away from live users too; the rest may not.
inline destroy(asked) {
  INV_8();
#ifdef FAULT_file_before_semaphore
  S(path = 0);
  S(sem = 0)
#else
  S(if :: asked :: else -> INV_9(path) fi; sem = 0);    // unlink_semaphore
  S(if :: asked :: else -> INV_9(path) fi; path = 0; news = news && !asked)    // unlink_file
#endif
}

inline forget_found() {
  if :: found != 0 -> close_fd(found) :: else fi;
  found = 0; in_use = 0; whole = 0; gone = 0; has_news = 0
}

// Store::sweep
inline sweep() {
  inspect_file();
  if
  :: found != 0 && gone -> destroy(true)
  :: found != 0 && !gone && !in_use && (!whole || (!persistent
#ifndef FAULT_sweep_takes_news
       && !has_news
#endif
     )) -> destroy(false)
  :: else
  fi;
  forget_found()
}

// Store::make
inline make() {
  atomic {
    f = 1;
    do :: f < FILES && (path == f || fds[f] != 0) -> f++ :: else -> break od;
    assert(f < FILES)
  };
  S(assert(path == 0 && !news) /* a holder's death is told */;       // create_file
    path = f; magic[f] = 0; ready[f] = 0; named[f] = 0; removed[f] = 0; owner[f] = 0;
    fds[f] = fds[f] | ME);
#ifndef FAULT_shared_lock_late
  S(shared[f] = shared[f] | ME);                                     // lock_shared
#endif
  S(named[f] = true);
#ifdef FAULT_semaphore_before_magic
  S(sems++; sem = sems);
#endif
  S(magic[f] = true);
  S(had = (sem != 0); if :: !had -> sems++; sem = sems :: else fi);  // create_semaphore
  if
  :: had -> S(sem = 0); S(sems++; sem = sems)  // left from a directory that was emptied
  :: else
  fi;
  had = false;
  handle[me] = sem;
  S(ready[f] = true)
}

// Store::adopt
inline adopt() {
  f = found; found = 0;
#ifndef FAULT_shared_lock_late
  S(shared[f] = shared[f] | ME);                                     // lock_shared
#endif
  S(had = (sem != 0); handle[me] = sem);                             // open_semaphore
  if
  :: had
  :: else ->
     // A name that a live process uses can be opened: else it is IncompatibleError until that one closes.
     assert(!in_use);
     S(sems++; sem = sems; handle[me] = sem)
  fi;
  had = false;
  if
  :: !in_use -> S(INV_9(f))                                          // forget_users
  :: else
  fi
}

// Store::open
inline open() {
#ifdef FAULT_sweep_without_lock
  if :: true :: true -> sweep() fi;
  lock_dir();
#else
  lock_dir();
  if :: true :: true -> sweep() fi;                                  // sweep_if_due
#endif
  inspect_file();
  if
  :: found != 0 && whole && !gone && (in_use || persistent || has_news) -> adopt()
  :: else ->
     if :: found != 0 -> destroy(gone); forget_found() :: else fi;
     make()
  fi;
  in_use = 0; whole = 0; gone = 0; has_news = 0;
  uses[me] = f;
  unlock_dir();
#ifdef FAULT_shared_lock_late
  S(shared[f] = shared[f] | ME);
#endif
}

// Store::close
inline close() {
#ifndef FAULT_close_without_lock
  lock_dir();
#endif
#ifdef FAULT_close_by_name
  S(had = (path != 0));
#else
  S(had = (path == f));                                              // inode_of
#endif
  if
  :: had && !persistent ->
#ifdef FAULT_news_before_lock
     S(had = (owner[f] == 0));                                       // Object::has_news
     if :: had -> S(had = ((shared[f] & ~ME) == 0); shared[f] = shared[f] & ~ME) :: else fi;
#else
#ifndef FAULT_close_is_not_last
     S(had = ((shared[f] & ~ME) == 0); shared[f] = shared[f] & ~ME); // LOCK_EX | LOCK_NB
#endif
     if
     :: had -> S(had = (owner[f] == 0))                              // Object::has_news
     :: else
     fi;
#endif
     if :: had -> had = false; destroy(false) :: else fi
  :: else
  fi;
  had = false;
  close_fd(f);
  uses[me] = 0; handle[me] = 0; f = 0;
#ifndef FAULT_close_without_lock
  unlock_dir()
#endif
}

// Store::unlink
inline unlink() {
  lock_dir();
  S(had = (path == f));                                              // inode_of
  if
  :: had ->
     had = false;
#ifndef FAULT_unlink_without_mark
     S(removed[f] = true; news = false);                             // Flags
#endif
     destroy(true)
  :: else
  fi;
  unlock_dir()
}

// Lock::claim and Lock::release, as far as they matter to a file; exclusion is in lock.pml.
inline hold() {
  S(if
    :: owner[f] == 0 -> owner[f] = me; assert(!news || path != f) /* a holder's death is told */
    :: owner[f] != 0 && !alive[owner[f]] -> owner[f] = me; if :: path == f -> news = false :: else fi
    :: else
    fi);
  S(if :: owner[f] == me -> owner[f] = 0 :: else fi)
}

proctype Agent(byte me; bool mortal) {
  byte f, found, rounds;
  bool in_use, whole, gone, has_news, had;

next:
  open();
  // All who use one file use one semaphore.
  assert((uses[1] != f || (shared[f] & 2) == 0 || handle[1] == handle[me]) &&
         (uses[2] != f || (shared[f] & 4) == 0 || handle[2] == handle[me]) &&
         (uses[3] != f || (shared[f] & 8) == 0 || handle[3] == handle[me]));
  if :: true :: true -> hold() fi;
  if :: true :: atomic { unlinks > 0 -> unlinks-- }; unlink() fi;
  close();
progress_round:
  rounds++;
  if :: rounds < ROUNDS && me != 3 -> goto next :: else fi;
  if
  :: me == 3 ->
     // Opens another name when everybody else is through. Nothing is left then but what is meant to stay.
     waiting == 1;
     lock_dir();
     sweep();
     unlock_dir();
     assert(path == 0 || (magic[path] && ready[path] && (persistent || news)));
     assert(!news || path != 0)
  :: else
  fi;
  goto done;

dead:
  atomic {
    budget--; alive[me] = false;
    if :: dir == me -> dir = 0 :: else fi;
    if
    :: uses[me] != 0 && owner[uses[me]] == me && path == uses[me] && !removed[path] -> news = true
    :: else
    fi;
    f = 1;
    do
    :: f < FILES -> shared[f] = shared[f] & ~ME; fds[f] = fds[f] & ~ME; f++
    :: else -> break
    od
  };
done:
  atomic {
    waiting--; uses[me] = 0; handle[me] = 0;
    f = 0; found = 0; rounds = 0; in_use = 0; whole = 0; gone = 0; has_news = 0; had = 0
  }
}

active proctype Quiet() {
end_quiet:
  timeout -> assert(waiting == 0) /* nobody hangs */
}

init {
  atomic {
    if :: budget = 0 :: BUDGET > 0 -> budget = 1 :: BUDGET > 1 -> budget = 2 fi;
    if :: true :: persistent = true fi;
    waiting = 3;
    alive[1] = true; alive[2] = true; alive[3] = true;
    run Agent(1, true); run Agent(2, true); run Agent(3, false)
  }
}
