#include <signal.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <set>

#include "host.h"
#include "support.h"

namespace holdfast::test {

namespace {

using core::AgentFacts;
using core::kSlotCount;
using platform::read_doorbell;

// A child that begins an agent, says its id and waits to be killed.
struct Sleeper {
  Shared<std::atomic<AgentId>> id;
  Child child{[this] {
    Party party;
    *id = party.agent().id();
    for (;;) pause();
  }};
  Sleeper() { EVENTUALLY(id->load() != 0); }
};

uint32_t slot_number(AgentId id) { return static_cast<uint32_t>(id % kSlotCount); }

std::string doorbell_of(AgentId id) {
  char name[32];
  snprintf(name, sizeof name, "/bell.%016llx", static_cast<unsigned long long>(id));
  return here().directory + name;
}

// As many descriptors as this process is allowed to have; returns how many.
rlim_t raise_descriptor_limit() {
  rlimit limit;
  CHECK(getrlimit(RLIMIT_NOFILE, &limit) == 0);
  const rlim_t wanted = std::max<rlim_t>(limit.rlim_max, 20'000);
  const rlimit higher{wanted, wanted};
  if (setrlimit(RLIMIT_NOFILE, &higher) == 0) return higher.rlim_cur;
  limit.rlim_cur = limit.rlim_max;
  CHECK(setrlimit(RLIMIT_NOFILE, &limit) == 0);
  return limit.rlim_cur;
}

}  // namespace

TEST(ids_never_repeat) {
  std::set<AgentId> seen;
  for (int round = 0; round < 20; round++) {
    // Between rounds the directory is empty: the registry itself is made anew.
    Party party;
    CHECK(seen.insert(party.agent().id()).second);
    for (int i = 0; i < 50; i++) {
      Party other(party.shared_store());
      CHECK(seen.insert(other.agent().id()).second);
      CHECK_EQUAL(slot_number(other.agent().id()), 1u);
    }
  }
  CHECK_EQUAL(seen.size(), 20u * 51);
}

TEST(alive_from_begin_to_end) {
  Party watcher;
  auto other = std::make_unique<Party>(watcher.shared_store(), 7);
  const AgentId id = other->agent().id();
  CHECK(watcher.registry().alive(id));
  CHECK(watcher.registry().alive(watcher.agent().id()));
  other->agent().leave();
  CHECK(!watcher.registry().alive(id));
  CHECK(!file_exists(doorbell_of(id)));
  other->agent().leave();  // a second time is none
  CHECK(!watcher.registry().alive(id));
  CHECK(!watcher.registry().alive(0));
  CHECK(!watcher.registry().alive(id + kSlotCount));  // an id that nobody had yet
}

TEST(dead_at_once_when_killed) {
  for (int round = 0; round < 20; round++) {
    Sleeper sleeper;
    const AgentId id = *sleeper.id;
    in_child([&] {
      Party watcher;
      CHECK(watcher.registry().alive(id));
      CHECK(watcher.registry().wake(id, 1));
    });
    sleeper.child.kill();
    Party watcher;
    CHECK(!watcher.registry().alive(id));
  }
}

// What a foreign add-on may do. The child of the dead has its mappings, and its files are in use
// with them; the doorbell it has not.
TEST(dead_at_once_when_killed_although_a_fork_of_it_lives) {
  if (!host::adopt_orphans()) skip("this system gives orphans to no other process");
  Shared<std::atomic<pid_t>> fork_of_it;
  Child holder([&] {
    User<core::Lock> lock("lock");
    CHECK(bool(lock->try_acquire_or_rescue()));
    const pid_t child = fork();
    CHECK(child >= 0);
    if (child == 0) {
      alarm(60);  // whatever becomes of the test
      *fork_of_it = getpid();
      for (;;) pause();
    }
    for (;;) pause();
  });
  EVENTUALLY(*fork_of_it != 0);
  {
    User<core::Lock> heir("lock");
    CHECK(!heir->try_acquire_or_rescue());
    holder.kill();
    CHECK(heir->try_acquire_or_rescue().abandoned);
    CHECK_EQUAL(::kill(*fork_of_it, 0), 0);
    CHECK_EQUAL(heir->release(), Code::ok);
  }
  CHECK_EQUAL(::kill(*fork_of_it, SIGKILL), 0);
  CHECK(waitpid(*fork_of_it, nullptr, 0) == *fork_of_it);
  sweep();
}

// The watcher was there before, so that nothing has swept the slot when it asks.
TEST(dead_at_once_for_a_watcher_that_was_there_before) {
  Shared<std::atomic<AgentId>> asked;
  Shared<std::atomic<int>> answer;
  *answer = -1;
  Child watcher([&] {
    Party party;
    *answer = 0;
    for (;;) {
      EVENTUALLY(asked->load() != 0);
      const AgentId id = asked->exchange(0);
      *answer = 1 + party.registry().alive(id) + 2 * party.registry().wake(id, 5);
    }
  });
  EVENTUALLY(*answer == 0);
  const auto ask = [&](AgentId id) {
    *answer = 0;
    *asked = id;
    EVENTUALLY(*answer != 0);
    return answer->load() - 1;
  };
  for (int round = 0; round < 20; round++) {
    Sleeper sleeper;
    CHECK_EQUAL(ask(*sleeper.id), 3);
    sleeper.child.kill();
    CHECK_EQUAL(ask(*sleeper.id), 0);
  }
  watcher.kill();
  sweep();
}

// The wait is longer than the test has patience: only the news can end it.
TEST(the_death_of_one_who_is_watched_ends_a_wait) {
  Shared<std::atomic<bool>> watches, hears;
  for (int round = 0; round < 10; round++) {
    Sleeper sleeper;
    *watches = *hears = false;
    Child waiter([&] {
      Party party;
      party.agent().watch(*sleeper.id);
      *watches = true;
      while (party.registry().alive(*sleeper.id)) {
        party.agent().wait(now_ns() + 2 * kPatience_ms * platform::kNanosPerMilli);
      }
      *hears = true;
    });
    EVENTUALLY(watches->load());
    sleeper.child.kill();
    EVENTUALLY(hears->load());
    waiter.join();
  }
  sweep();
}

TEST(a_wake_up_reaches_the_doorbell) {
  Party watcher;
  Party other(watcher.shared_store());
  const AgentId id = other.agent().id();
  uint64_t tags[8];
  CHECK_EQUAL(read_doorbell(other.agent().doorbell(), tags, 8), 0u);
  CHECK(watcher.registry().wake(id, 11));
  CHECK(watcher.registry().wake(id, 12));
  CHECK(watcher.registry().wake(id, 11));
  CHECK_EQUAL(read_doorbell(other.agent().doorbell(), tags, 8), 3u);
  CHECK(tags[0] == 11 && tags[1] == 12 && tags[2] == 11);

  CHECK(watcher.registry().wake(id, 11));
  CHECK(watcher.registry().wake(id, 12));
  CHECK(watcher.registry().wake(id, 11));
  const std::vector<uint64_t> woken = other.agent().take_wakes();
  CHECK(woken == (std::vector<uint64_t>{11, 12}));  // each once
  other.agent().put_back({12});
  CHECK(other.agent().take_wakes() == std::vector<uint64_t>{12});
}

TEST(a_wake_up_ends_the_wait_of_a_blocked_agent) {
  Shared<std::atomic<AgentId>> id;
  Shared<std::atomic<int>> woken;
  Child waiter([&] {
    Party party;
    *id = party.agent().id();
    for (int round = 1; round <= 50; round++) {
      std::vector<uint64_t> tags;
      while (tags.empty()) {
        platform::wait_doorbell(&party.agent().doorbell(),
                                now_ns() + 10'000 * platform::kNanosPerMilli);
        tags = party.agent().take_wakes();
      }
      CHECK(tags == std::vector<uint64_t>{uint64_t{40} + static_cast<uint64_t>(round)});
      *woken = round;
    }
  });
  EVENTUALLY(id->load() != 0);
  in_child([&] {
    Party waker;
    for (int round = 1; round <= 50; round++) {
      CHECK(waker.registry().wake(*id, 40 + static_cast<uint64_t>(round)));
      EVENTUALLY(*woken == round);
    }
  });
  waiter.join();
}

// A storm of wakes must neither block the waker nor grow without bound.
TEST(a_full_doorbell_still_counts_as_woken) {
  Party waker;
  Party other(waker.shared_store());
  for (int i = 0; i < 20'000; i++) CHECK(waker.registry().wake(other.agent().id(), 9));
  CHECK(other.agent().take_wakes() == std::vector<uint64_t>{9});
}

TEST(waking_the_dead_is_false) {
  Party waker;
  auto other = std::make_unique<Party>(waker.shared_store());
  const AgentId ended = other->agent().id();
  CHECK(waker.registry().wake(ended, 1));  // the waker stays open, and must be found broken
  other.reset();
  CHECK(!waker.registry().wake(ended, 1));
  CHECK(!waker.registry().wake(ended, 1));

  // The next agent in that slot is somebody else.
  Party next(waker.shared_store());
  CHECK_EQUAL(slot_number(next.agent().id()), slot_number(ended));
  CHECK(next.agent().id() != ended);
  CHECK(!waker.registry().wake(ended, 2));
  CHECK(!waker.registry().alive(ended));
  CHECK(next.agent().take_wakes().empty());
  CHECK(waker.registry().wake(next.agent().id(), 3));
  CHECK(next.agent().take_wakes() == std::vector<uint64_t>{3});
}

// 64 open doorbells stay open (Registry::kDoorbellsMax): more agents than that share them.
TEST(waking_more_agents_than_doorbells_stay_open) {
  Party waker;
  std::vector<std::unique_ptr<Party>> others;
  for (int i = 0; i < 200; i++) others.push_back(std::make_unique<Party>(waker.shared_store()));
  for (uint64_t round = 1; round <= 3; round++) {
    for (const auto& other : others) CHECK(waker.registry().wake(other->agent().id(), round));
    for (const auto& other : others) {
      CHECK(other->agent().take_wakes() == std::vector<uint64_t>{round});
    }
  }
}

TEST(describe) {
  Party watcher;
  Party other(watcher.shared_store(), 7);
  AgentFacts facts;
  CHECK(watcher.registry().describe(other.agent().id(), &facts));
  CHECK_EQUAL(facts.pid, static_cast<uint32_t>(getpid()));
  CHECK_EQUAL(facts.thread_id, 7u);
  CHECK_EQUAL(facts.process_name, "native-test");
  const AgentId ended = other.agent().id();
  other.agent().leave();
  CHECK(!watcher.registry().describe(ended, &facts));

  // A name as long as the field has no NUL behind it; a longer one is cut.
  for (const size_t length : {size_t{31}, size_t{200}}) {
    std::unique_ptr<core::Agent> agent;
    CHECK(core::Agent::begin(watcher.shared_store(), 1, std::string(length, 'x'), &agent).ok());
    CHECK(watcher.registry().describe(agent->id(), &facts));
    CHECK_EQUAL(facts.process_name, std::string(31, 'x'));
  }
}

// A cleaner of temporary files must not make the living look dead (section 5).
TEST(a_removed_doorbell_is_not_death) {
  Sleeper sleeper;
  const AgentId id = *sleeper.id;
  CHECK(unlink(doorbell_of(id).c_str()) == 0);
  in_child([&] {
    Party watcher;
    CHECK(watcher.registry().alive(id));
    CHECK(watcher.registry().wake(id, 1));  // it cannot be heard; its slice has to do
  });
  sleeper.child.kill();
  Party watcher;
  CHECK(!watcher.registry().alive(id));
}

TEST(a_removed_doorbell_leaves_a_held_lock_alone) {
  Shared<std::atomic<AgentId>> id;
  Child holder([&] {
    User<core::Lock> lock("held");
    User<core::RLock> rlock("held too");
    CHECK(bool(lock->try_acquire_or_rescue()) && bool(rlock->try_acquire_or_rescue()));
    CHECK(unlink(doorbell_of(lock.id()).c_str()) == 0);
    CHECK(unlink(doorbell_of(rlock.id()).c_str()) == 0);
    *id = lock.id();
    for (;;) pause();
  });
  EVENTUALLY(id->load() != 0);
  in_child([] {
    User<core::Lock> lock("held");
    User<core::RLock> rlock("held too");
    CHECK(!acquire(lock, 3 * kSlice_ms));
    CHECK(!acquire(rlock, 3 * kSlice_ms));
  });
  holder.kill();
  User<core::Lock> lock("held");
  User<core::RLock> rlock("held too");
  CHECK(acquire(lock).abandoned);
  CHECK(acquire(rlock).abandoned);
  CHECK_EQUAL(lock->release(), Code::ok);
  CHECK_EQUAL(rlock->release(), Code::ok);
}

TEST(slots_run_out_and_come_back) {
  const rlim_t limit = raise_descriptor_limit();
  if (limit < kSlotCount + 200) skip("only " + std::to_string(limit) + " descriptors are allowed");
  Party first;
  std::vector<std::unique_ptr<core::Agent>> agents;
  const auto begin = [&] {
    std::unique_ptr<core::Agent> agent;
    Status status = core::Agent::begin(first.shared_store(), 0, "crowd", &agent);
    if (status.ok()) agents.push_back(std::move(agent));
    return status;
  };
  for (uint32_t i = 1; i < kSlotCount; i++) CHECK(begin().ok());
  std::set<AgentId> ids;
  for (const auto& agent : agents) ids.insert(agent->id());
  CHECK_EQUAL(ids.size(), kSlotCount - 1);

  // 904 more make 5,000; each refusal is a look at all 4,096, so there are fewer on a slow machine.
  const int64_t started = now_ns();
  uint32_t refused = 0;
  for (; refused < 5000 - kSlotCount && ms_since(started) < 2000; refused++) {
    CHECK_EQUAL(begin().code, Code::no_space);
  }
  note("%u agents, %u refused, %.1f ms each", kSlotCount, refused, ms_since(started) / refused);

  CHECK(first.registry().alive(agents.back()->id()));
  for (int i = 0; i < 3; i++) agents.erase(agents.begin() + 1000);
  for (int i = 0; i < 3; i++) {
    CHECK(begin().ok());
    CHECK(ids.insert(agents.back()->id()).second);
  }
  CHECK_EQUAL(begin().code, Code::no_space);
}

// Dead agents give their slots back when they are needed.
TEST(slots_of_the_killed_are_used_again) {
  std::vector<Child> children;
  Shared<std::atomic<int>> ready;
  for (int i = 0; i < 8; i++) {
    children.emplace_back([&] {
      Party party;
      std::vector<std::unique_ptr<Party>> more;
      for (int n = 0; n < 9; n++) more.push_back(std::make_unique<Party>(party.shared_store()));
      ready->fetch_add(1);
      for (;;) pause();
    });
  }
  EVENTUALLY(*ready == 8);
  CHECK_EQUAL(names_in(here().directory).size(), 81u);  // and the registry
  for (Child& child : children) child.kill();
  Party party;
  CHECK_EQUAL(slot_number(party.agent().id()), 0u);
  CHECK_EQUAL(names_in(here().directory).size(), 2u);
}

}  // namespace holdfast::test
