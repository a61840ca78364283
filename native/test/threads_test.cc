// Several agents in one process, each in a thread of its own, on one Store: worker threads of Node.
// These run under the thread sanitizer too, which sees what happens between the threads of one
// process.
//
// It does not know pthread_mutex_clocklock() and sem_clockwait() (the libtsan of GCC 12 has no
// interceptor for them). What the first has locked looks like "unlock of an unlocked mutex"
// afterwards: that report alone is suppressed, in the one function that unlocks. The order it then
// cannot see is still the owner word's, in which a release is an atomic store and an acquisition a
// load of it; so the plain counters below are checked all the same. A Semaphore has no such word,
// so what its permits guard is atomic here.
#include <mutex>
#include <thread>

#include "in_threads.h"
#include "owned_deaths.h"

extern "C" const char* __tsan_default_suppressions() {
  return "mutex:holdfast::platform::unlock_mutex\n";
}

namespace holdfast::test {

namespace {

using core::Lock;
using core::RLock;
using core::Semaphore;

constexpr uint32_t kThreads = 4;

// Plain on purpose: the thread sanitizer checks the order that the lock gives.
struct PlainCounter {
  uint64_t value = 0;
};

template <class Primitive>
void counts_in_threads(uint32_t rounds) {
  Party main;
  PlainCounter counter;
  std::atomic<uint32_t> contended{0};
  in_threads(kThreads, [&](uint32_t number) {
    User<Primitive> user(main.shared_store(), "counter");
    const Style style = number % 2 == 0 ? Style::at_doorbell : Style::blocking;
    Random chance(number);
    for (uint32_t round = 0; round < rounds; round++) {
      Outcome outcome = user->try_acquire_or_rescue();
      if (!outcome) {
        contended.fetch_add(1);
        outcome = acquire_in_style(user, style);
      }
      CHECK(bool(outcome) && !outcome.abandoned);
      counter.value++;
      if (chance.one_in(32)) {
        platform::sleep_ns(60'000);  // so that the others do pile up
      } else {
        spin_us(chance.below(3));
      }
      CHECK_EQUAL(user->release_hold(outcome.hold), Code::ok);
    }
  });
  CHECK_EQUAL(counter.value, uint64_t{kThreads} * rounds);
  note("%u of %u contended", contended.load(), kThreads * rounds);
}

// Threads that end while they hold, one after the other; each heir is told. The counter is not
// plain: an heir may have learnt of the death from the kernel (the doorbell has no reader, the
// mutex is marked), which orders the two as well, but not in the eyes of the thread sanitizer.
template <class Primitive>
void ends_while_holding(uint32_t rounds) {
  Party main;
  std::atomic<uint64_t> counter{0};
  std::atomic<uint32_t> told{0};
  core::Object& object = main.open(kind_of<Primitive>(), "left");
  in_threads(kThreads, [&](uint32_t number) {
    for (uint32_t round = 0; round < rounds; round++) {
      User<Primitive> user(main.shared_store(), "left");
      const Style style = (number + round) % 2 == 0 ? Style::at_doorbell : Style::blocking;
      const Outcome outcome = acquire_in_style(user, style);
      CHECK(bool(outcome));
      if (outcome.abandoned) told.fetch_add(1);
      counter.store(counter.load(std::memory_order_relaxed) + 1, std::memory_order_relaxed);
      user.party.agent().end();
      user->abandon();
    }
  });
  CHECK_EQUAL(counter.load(), uint64_t{kThreads} * rounds);
  CHECK_EQUAL(told.load(), kThreads * rounds - 1);
  Primitive primitive(main.agent(), object);
  CHECK(primitive.try_acquire_or_rescue().abandoned);
  CHECK_EQUAL(primitive.release(), Code::ok);
}

}  // namespace

TEST(count_with_a_lock) { counts_in_threads<Lock>(scaled(4000)); }
TEST(count_with_an_rlock) { counts_in_threads<RLock>(scaled(4000)); }

TEST(end_while_holding_a_lock) { ends_while_holding<Lock>(scaled(1000)); }
TEST(end_while_holding_an_rlock) { ends_while_holding<RLock>(scaled(1000)); }

// Between the end of an agent and its abandon() an heir may take the lock over, which lives on. The
// heir must be able to let go of all that it has taken: the mutex beneath must not stay with it.
TEST(an_heir_takes_over_while_the_dead_abandons) {
  Party main;
  User<RLock> heir(main.shared_store(), "left");
  std::atomic<uint32_t> held{0}, abandoned{0}, checked{0};
  const uint32_t rounds = scaled(4000);
  std::thread workers([&] {
    for (uint32_t round = 1; round <= rounds; round++) {
      User<RLock> worker(main.shared_store(), "left");
      CHECK(bool(acquire(worker)));
      held = round;
      worker.party.agent().end();
      worker->abandon();
      abandoned = round;
      while (checked < round) std::this_thread::yield();
    }
  });
  for (uint32_t round = 1; round <= rounds; round++) {
    while (held < round) std::this_thread::yield();
    Outcome outcome;
    while (!outcome) outcome = heir->try_acquire_or_rescue();
    CHECK(outcome.abandoned);
    CHECK_EQUAL(heir->release(), Code::ok);
    while (abandoned < round) std::this_thread::yield();
    const platform::MutexParty anybody = main.agent().party();
    CHECK(platform::try_lock_mutex(&heir->body().mutex, anybody) == platform::MutexResult::locked);
    platform::unlock_mutex(&heir->body().mutex, anybody);
    checked = round;
  }
  workers.join();
}

TEST(recursive_rlock) {
  Party main;
  PlainCounter counter;
  in_threads(kThreads, [&](uint32_t) {
    User<RLock> user(main.shared_store(), "deep");
    for (uint32_t round = 0; round < scaled(500); round++) {
      for (uint32_t depth = 1; depth <= 3; depth++) {
        CHECK(bool(acquire(user)));
        CHECK_EQUAL(user->depth(), depth);
        counter.value++;
      }
      for (uint32_t depth = 3; depth > 0; depth--) CHECK_EQUAL(user->release(), Code::ok);
    }
  });
  CHECK_EQUAL(counter.value, uint64_t{kThreads} * 3 * scaled(500));
}

TEST(share_the_permits_of_a_semaphore) {
  Party main;
  core::OpenRequest request = request_for(Kind::semaphore, "permits");
  request.initial = 2;
  Semaphore whole(main.agent(), main.open(request));
  std::atomic<int> inside{0};
  in_threads(kThreads, [&](uint32_t number) {
    User<Semaphore> user(main.shared_store(), "permits");
    for (uint32_t round = 0; round < scaled(3000); round++) {
      CHECK(bool(number % 2 == 0 ? acquire(user) : acquire_at_doorbell(user)));
      CHECK(inside.fetch_add(1) < 2);
      spin_us(2);
      inside.fetch_sub(1);
      CHECK_EQUAL(user->release(1), Code::ok);
    }
  });
  CHECK_EQUAL(whole.value(), 2);
}

// The release by another thread than the holder, and guards of holds that it has ended.
TEST(release_each_others_lock) {
  Party main;
  std::atomic<bool> stop{false};
  std::atomic<uint32_t> stolen{0};
  std::thread thief([&] {
    User<Lock> user(main.shared_store(), "contested");
    while (!stop) {
      const Code code = user->release();
      CHECK(code == Code::ok || code == Code::not_locked);
      if (code == Code::ok) stolen.fetch_add(1);
      std::this_thread::yield();
    }
  });
  in_threads(2, [&](uint32_t) {
    User<Lock> user(main.shared_store(), "contested");
    for (uint32_t round = 0; round < scaled(2000); round++) {
      const Outcome outcome = acquire(user);
      CHECK(bool(outcome) && !outcome.abandoned);
      spin_us(round % 8);
      const Code code = user->release_hold(outcome.hold);
      CHECK(code == Code::ok || code == Code::not_locked);
    }
  });
  stop = true;
  thief.join();
  note("%u stolen", stolen.load());
}

TEST(open_and_close) {
  Party main;
  std::atomic<uint32_t> opened{0};
  in_threads(kThreads, [&](uint32_t number) {
    Random chance(number);
    Party party(main.shared_store(), number);
    std::vector<core::Object*> open;
    for (uint32_t round = 0; round < scaled(2000); round++) {
      if (open.size() < 4 && chance.one_in(2)) {
        const auto which = chance.below(6);
        const Kind kind = which % 3 == 0   ? Kind::lock
                          : which % 3 == 1 ? Kind::rlock
                                           : Kind::semaphore;
        core::Object& object = party.open(kind, "object " + std::to_string(which));
        CHECK(object.kind() == kind);
        opened.fetch_add(1);
        open.push_back(&object);
        if (kind == Kind::lock) {
          Lock lock(party.agent(), object);
          if (lock.try_acquire_or_rescue()) CHECK_EQUAL(lock.release(), Code::ok);
        } else if (kind == Kind::rlock) {
          RLock lock(party.agent(), object);
          if (lock.try_acquire_or_rescue()) CHECK_EQUAL(lock.release(), Code::ok);
        }
      } else if (!open.empty()) {
        const auto index = chance.below(open.size());
        party.close(*open[index]);
        open.erase(open.begin() + static_cast<std::ptrdiff_t>(index));
      }
    }
  });
  note("%u opened", opened.load());
}

// Open, list and unlink in one thread what others have open.
TEST(unlink_and_list) {
  Party main;
  in_threads(kThreads, [&](uint32_t number) {
    Random chance(number);
    Party party(main.shared_store(), number);
    for (uint32_t round = 0; round < scaled(400); round++) {
      core::Object& object = party.open(Kind::lock, "renewed");
      Lock lock(party.agent(), object);
      if (lock.try_acquire_or_rescue()) CHECK_EQUAL(lock.release(), Code::ok);
      if (chance.one_in(4)) {
        const Code code = party.store().unlink(&object).code;
        CHECK(code == Code::ok || code == Code::not_found);
      }
      if (chance.one_in(4)) {
        const Code code = party.store().unlink(Kind::lock, "renewed", file_key_of("renewed")).code;
        CHECK(code == Code::ok || code == Code::not_found);
      }
      std::vector<core::Listing> listings;
      if (chance.one_in(4)) CHECK(party.store().list(&listings).ok());
      party.close(object);
    }
  });
}

// Agents come and go while others look at them, wake them and count them.
TEST(agents_begin_and_end) {
  Party main;
  std::atomic<core::AgentId> known[8] = {};
  std::atomic<uint32_t> running{0};
  std::atomic<uint64_t> woken{0}, described{0};
  running = 2;
  std::thread watchers[2];
  for (uint32_t n = 0; n < 2; n++) {
    watchers[n] = std::thread([&, n] {
      Random chance(100 + n);
      core::Registry& registry = main.registry();
      while (running > 0) {
        const core::AgentId id = known[chance.below(8)].load();
        if (id == 0) continue;
        if (registry.wake(id, 1)) woken.fetch_add(1);
        core::AgentFacts facts;
        if (registry.describe(id, &facts)) {
          // Never the facts of the slot's next agent, nor half of each.
          CHECK_EQUAL(facts.thread_id, static_cast<uint32_t>(facts.process_name.size()));
          CHECK_EQUAL(facts.pid, static_cast<uint32_t>(getpid()));
          described.fetch_add(1);
        }
        registry.alive(id);
      }
    });
  }
  in_threads(2, [&](uint32_t number) {
    Random chance(number);
    for (uint32_t round = 0; round < scaled(2000); round++) {
      const auto length = static_cast<uint32_t>(1 + chance.below(31));
      std::unique_ptr<core::Agent> agent;
      CHECK(core::Agent::begin(main.shared_store(), length, std::string(length, 'n'), &agent).ok());
      CHECK(main.registry().alive(agent->id()));
      known[chance.below(8)] = agent->id();
      agent->take_wakes();
      const core::AgentId id = agent->id();
      agent->end();
      CHECK(!main.registry().alive(id));
      CHECK(!main.registry().wake(id, 1));
    }
    running.fetch_sub(1);
  });
  for (std::thread& watcher : watchers) watcher.join();
  note("%llu woken, %llu described", static_cast<unsigned long long>(woken.load()),
       static_cast<unsigned long long>(described.load()));
}

// The store goes with the last agent and comes back with the next, as in the addon.
TEST(the_store_comes_and_goes) {
  std::mutex mutex;
  std::weak_ptr<core::Store> shared;
  in_threads(kThreads, [&](uint32_t number) {
    Random chance(number);
    for (uint32_t round = 0; round < scaled(300); round++) {
      std::shared_ptr<core::Store> store;
      {
        const std::lock_guard<std::mutex> guard(mutex);
        store = shared.lock();
        if (store == nullptr) {
          CHECK(core::Store::enter(here().directory, &store).ok());
          shared = store;
        }
      }
      User<Lock> user(std::move(store), "lock");
      CHECK(bool(acquire(user)));
      CHECK_EQUAL(user->release(), Code::ok);
      if (chance.one_in(2)) std::this_thread::yield();
    }
  });
}

// Everything at once, in agents that begin and end.
TEST(everything_at_once) {
  Party main;
  PlainCounter under_lock, under_rlock;
  std::atomic<int> inside{0};
  std::atomic<uint64_t> turns{0};
  in_threads(kThreads, [&](uint32_t number) {
    Random chance(number);
    for (uint32_t life = 0; life < scaled(60); life++) {
      User<Lock> lock(main.shared_store(), "lock");
      Party& party = lock.party;
      core::OpenRequest request = request_for(Kind::semaphore, "semaphore");
      request.initial = 2;
      RLock rlock(party.agent(), party.open(Kind::rlock, "rlock"));
      core::Object& object = party.open(request);
      Semaphore semaphore(party.agent(), object);
      for (uint32_t round = 0; round < 40; round++) {
        turns.fetch_add(1);
        switch (chance.below(3)) {
          case 0: {
            const Style style = chance.one_in(2) ? Style::at_doorbell : Style::blocking;
            CHECK(bool(acquire_in_style(lock, style)));
            under_lock.value++;
            CHECK_EQUAL(lock->release(), Code::ok);
            break;
          }
          case 1:
            if (!rlock.try_acquire()) break;
            under_rlock.value++;
            CHECK_EQUAL(rlock.release(), Code::ok);
            break;
          case 2:
            if (!semaphore.wait(now_ns() + 5 * platform::kNanosPerMilli)) break;
            CHECK(inside.fetch_add(1) < 2);
            inside.fetch_sub(1);
            CHECK_EQUAL(semaphore.release(1), Code::ok);
            break;
        }
        if (chance.one_in(8)) core::count_waiting(lock->waiters(), party.registry());
      }
    }
  });
  note("%llu turns", static_cast<unsigned long long>(turns.load()));
}

}  // namespace holdfast::test
