// The store: the locks of files end with the processes that have them, or a moment later.
#include <fcntl.h>
#include <signal.h>
#include <sys/file.h>
#include <sys/wait.h>
#include <unistd.h>

#include <atomic>
#include <vector>

#include "host.h"
#include "store_suite.h"

namespace holdfast::test {

// A program that was killed and started again must not find its permits gone.
TEST(who_keeps_the_memory_of_the_dead_does_not_keep_their_objects) {
  if (!host::adopt_orphans()) skip("this system gives orphans to no other process");
  Shared<std::atomic<pid_t>> keeper;
  Child child([&] {
    User<Semaphore> semaphore("kept");
    CHECK(bool(semaphore->try_acquire_or_rescue()) && !semaphore->try_acquire_or_rescue());
    *keeper = host::keep_memory();
    for (;;) pause();
  });
  EVENTUALLY(keeper->load() != 0);
  child.kill();
  if (*keeper < 0) skip("this system has no process without its own memory");
  {
    User<Semaphore> semaphore("kept");
    CHECK(bool(semaphore->try_acquire_or_rescue()));
  }
  CHECK(directory_is_empty());
  CHECK(kill(*keeper, SIGKILL) == 0 && waitpid(*keeper, nullptr, 0) == *keeper);
}

// When a process dies, the lock of the directory may end before those of the files. Here a living
// one plays the dead.
TEST(what_a_dead_creator_left_may_look_in_use_for_a_moment) {
  { Party party; }
  Shared<std::atomic<bool>> is_there, is_looked_at;
  Child ghost([&] {
    const int fd = open(file_of("it").c_str(), O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
    CHECK(fd >= 0 && !platform::lock_shared(fd));
    *is_there = true;
    EVENTUALLY(is_looked_at->load());
    platform::sleep_ns(5 * platform::kNanosPerMilli);
  });
  EVENTUALLY(is_there->load());
  *is_looked_at = true;
  User<Lock> user("it");
  CHECK(bool(acquire(user)));
  CHECK_EQUAL(user->release(), Code::ok);
  ghost.join();
}

// Who takes a file away has it locked exclusively. It may have died with the lock of the directory
// given back and that of the file not yet, so others wait for a moment.
TEST(a_file_that_somebody_has_locked_exclusively_is_waited_for) {
  {
    Party party;
    party.open(persistent(Kind::lock, "kept"));
  }
  Shared<std::atomic<bool>> locked;
  Child dying([&] {
    const int fd = open(file_of("kept").c_str(), O_RDWR | O_CLOEXEC);
    CHECK(fd >= 0 && flock(fd, LOCK_EX) == 0);
    *locked = true;
    for (;;) pause();
  });
  EVENTUALLY(locked->load());
  Party party;
  const int64_t started = now_ns();
  CHECK_EQUAL(open_code(party, request_for(Kind::lock, "kept")), Code::busy);
  CHECK(ms_since(started) >= 100);
  std::vector<core::Listing> listings;
  CHECK(party.store().list(&listings).ok() && listings.empty());
  dying.kill();
  CHECK(party.store().unlink(&party.open(persistent(Kind::lock, "kept"))).ok());
}

// However many there are, they are waited for together.
TEST(many_locked_files_are_waited_for_once) {
  constexpr int kFiles = 30;
  const auto name_of = [](int i) { return "kept " + std::to_string(i); };
  {
    Party party;
    for (int i = 0; i < kFiles; i++) party.open(persistent(Kind::event, name_of(i)));
  }
  std::vector<int> locks;
  for (int i = 0; i < kFiles; i++) {
    locks.push_back(open(file_of(name_of(i)).c_str(), O_RDWR | O_CLOEXEC));
    CHECK(locks.back() >= 0 && flock(locks.back(), LOCK_EX) == 0);
  }
  Party party;
  std::vector<core::Listing> listings;
  const int64_t started = now_ns();
  CHECK(party.store().list(&listings).ok() && listings.empty());
  const double took_ms = ms_since(started);
  note("%.0f ms", took_ms);
  CHECK(took_ms < kFiles * 100);
  for (const int fd : locks) close(fd);
  for (int i = 0; i < kFiles; i++) {
    CHECK(party.store().unlink(Kind::event, name_of(i), file_key_of(name_of(i))).ok());
  }
}

// Who gives up its user, as a server does, may not enter the directory any more. Nothing is
// removed.
TEST(who_becomes_another_user_is_told_so) {
  if (geteuid() != 0) skip("only root can become another user");
  Shared<std::atomic<Code>> told;
  *told = Code::ok;
  Child child([&] {
    Party party;
    CHECK(setuid(kNobody) == 0);
    *told = open_code(party, request_for(Kind::lock, "it"));
    for (;;) pause();
  });
  EVENTUALLY(told->load() != Code::ok);
  child.kill();
  CHECK_EQUAL(told->load(), Code::permission);
  sweep();
  CHECK(directory_is_empty());
}

}  // namespace holdfast::test
