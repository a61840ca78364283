#include <algorithm>
#include <thread>

#include "support.h"

namespace holdfast::test {

namespace {

using core::cancel;
using core::count_waiting;
using core::enrol;
using core::enrol_again;
using core::kWaitSetSize;
using core::Registry;
using core::WaitHow;
using core::WaitSet;
using core::wake_one;

constexpr uint64_t kTag = 77;

// Wake-ups in the doorbell, read without Agent::take_wakes(), which would hide a second one.
size_t wakes_at(Party& party) {
  uint64_t tags[64];
  const size_t got = platform::read_doorbell(party.agent().doorbell(), tags, 64);
  for (size_t i = 0; i < got; i++) CHECK_EQUAL(tags[i], kTag);
  return got;
}

bool has_bit(const WaitSet& set, int index) {
  return (set.wake_bits[index / 64].load() >> (index % 64) & 1) != 0;
}

void lose_bit(WaitSet& set, int index) {
  set.wake_bits[index / 64].fetch_and(~(uint64_t{1} << (index % 64)));
}

// A wait set in plain memory, and agents of this process to wait in it.
struct Scene {
  WaitSet set{};
  Party first;
  std::vector<std::unique_ptr<Party>> others;

  Registry& registry() { return first.registry(); }
  Party& add() {
    others.push_back(std::make_unique<Party>(first.shared_store()));
    return *others.back();
  }
  void wake() { wake_one(set, registry(), kTag); }
  int enter(Party& party, WaitHow how = WaitHow::at_doorbell) {
    return enrol(set, registry(), party.agent().id(), 1, how);
  }
  bool leave(Party& party, int index) { return cancel(set, party.agent().id(), index); }
};

}  // namespace

TEST(first_come_first_woken) {
  Scene scene;
  for (int i = 0; i < 5; i++) scene.add();
  // Far enough to wrap around, with a set that is never empty and so never begins anew.
  for (auto& party : scene.others) CHECK(scene.enter(*party) >= 0);
  for (uint32_t turn = 0; turn < 3 * kWaitSetSize; turn++) {
    Party& next = *scene.others[turn % 5];
    scene.wake();
    for (auto& party : scene.others) CHECK_EQUAL(wakes_at(*party), party.get() == &next ? 1u : 0u);
    CHECK(scene.enter(next) >= 0);
  }
}

TEST(one_enrolment_is_woken_once) {
  Scene scene;
  Party& waiter = scene.add();
  const int index = scene.enter(waiter);
  scene.wake();
  scene.wake();
  CHECK_EQUAL(wakes_at(waiter), 1u);
  CHECK(!scene.leave(waiter, index));  // it was woken: the caller has to pass it on
  CHECK_EQUAL(scene.set.entry[index].load(), 0u);
  CHECK(scene.leave(waiter, -1));  // never enrolled, so never woken
}

TEST(a_cancelled_enrolment_is_not_woken) {
  Scene scene;
  Party& leaver = scene.add();
  Party& stayer = scene.add();
  const int index = scene.enter(leaver);
  scene.enter(stayer);
  CHECK(scene.leave(leaver, index));
  CHECK(!scene.leave(leaver, index));
  scene.wake();
  CHECK_EQUAL(wakes_at(leaver), 0u);
  CHECK_EQUAL(wakes_at(stayer), 1u);
}

// A waiter was woken and does not know it yet; its entry has another user already. When it cancels
// it must leave that one alone, entry and bit.
TEST(a_late_cancel_costs_nobody_a_wake_up) {
  Scene scene;
  Party& late = scene.add();
  Party& waiter = scene.add();
  const int index = scene.enter(late);
  scene.wake();
  scene.set.next_enrol.store(static_cast<uint32_t>(index));  // in life, 128 enrolments later
  CHECK_EQUAL(scene.enter(waiter), index);
  CHECK(!scene.leave(late, index));
  scene.wake();
  CHECK_EQUAL(wakes_at(waiter), 1u);
  CHECK_EQUAL(wakes_at(late), 1u);
}

// Row "0 | 1" of the table: the next waker takes the bit and finds nobody, and goes on.
TEST(a_stale_bit_is_taken_and_costs_nobody_a_wake_up) {
  Scene scene;
  Party& waiter = scene.add();
  const int index = scene.enter(waiter);
  for (std::atomic<uint64_t>& word : scene.set.wake_bits) word.store(~uint64_t{0});
  scene.wake();
  CHECK_EQUAL(wakes_at(waiter), 1u);
  CHECK(!scene.leave(waiter, index));
  for (int i = 0; i < 3; i++) scene.wake();
  CHECK_EQUAL(scene.set.wake_bits[0].load() | scene.set.wake_bits[1].load(), 0u);
  CHECK_EQUAL(wakes_at(waiter), 0u);
}

// However many leave, and whatever they leave behind: who is enrolled is woken once.
TEST(leavers_cost_nobody_a_wake_up) {
  Scene scene;
  Party& leaver = scene.add();
  Party& waiter = scene.add();
  for (uint32_t round = 0; round < 2 * kWaitSetSize; round++) {
    for (uint32_t i = 0; i < round % 5; i++) CHECK(scene.leave(leaver, scene.enter(leaver)));
    const int index = scene.enter(waiter);
    for (uint32_t i = 0; i < round % 3; i++) CHECK(scene.leave(leaver, scene.enter(leaver)));
    scene.wake();
    CHECK_EQUAL(wakes_at(waiter), 1u);
    CHECK(!has_bit(scene.set, index));
  }
  CHECK_EQUAL(wakes_at(leaver), 0u);
}

// Row "id | 0", left by a waker that died between taking the bit and taking the entry.
TEST(enrolling_again_heals_a_lost_bit) {
  Scene scene;
  Party& waiter = scene.add();
  const core::AgentId id = waiter.agent().id();
  int index = scene.enter(waiter);
  lose_bit(scene.set, index);
  scene.wake();
  CHECK_EQUAL(wakes_at(waiter), 0u);

  CHECK_EQUAL(enrol_again(scene.set, scene.registry(), id, 1, index), index);
  scene.wake();
  CHECK_EQUAL(wakes_at(waiter), 1u);

  index = enrol_again(scene.set, scene.registry(), id, 1, index);  // woken: a new entry
  CHECK(index >= 0);
  CHECK_EQUAL(enrol_again(scene.set, scene.registry(), id, 1, index), index);
  scene.wake();
  scene.wake();
  CHECK_EQUAL(wakes_at(waiter), 1u);
}

TEST(who_waits_in_the_kernel_is_counted_and_never_woken) {
  Scene scene;
  Party& sleeper = scene.add();
  Party& waiter = scene.add();
  const int index = scene.enter(sleeper, WaitHow::in_kernel);
  scene.enter(waiter);
  CHECK_EQUAL(count_waiting(scene.set, scene.registry()), 2u);
  scene.wake();
  scene.wake();
  CHECK_EQUAL(wakes_at(sleeper), 0u);
  CHECK_EQUAL(wakes_at(waiter), 1u);
  CHECK(scene.leave(sleeper, index));
  CHECK_EQUAL(count_waiting(scene.set, scene.registry()), 0u);
}

// A waiter at its doorbell enrols, leaves (its bit stays behind) and the entry is taken by one that
// waits in the kernel: a release must wake the next waiter at a doorbell and not the sleeper, who
// does not listen.
TEST(a_stale_bit_does_not_wake_a_sleeper) {
  Scene scene;
  Party& leaver = scene.add();
  Party& sleeper = scene.add();
  Party& waiter = scene.add();
  const int left = scene.enter(leaver);
  CHECK(scene.leave(leaver, left));
  // Around the set until the sleeper gets that very entry; in life, 127 waits later.
  int index = scene.enter(sleeper, WaitHow::in_kernel);
  while (index != left) {
    CHECK(scene.leave(sleeper, index));
    index = scene.enter(sleeper, WaitHow::in_kernel);
  }
  scene.enter(waiter);
  scene.wake();
  CHECK_EQUAL(wakes_at(sleeper), 0u);
  CHECK_EQUAL(wakes_at(waiter), 1u);
}

TEST(acquisitions_behind_an_entry_are_counted) {
  Scene scene;
  Party& a = scene.add();
  Party& b = scene.add();
  const int index = enrol(scene.set, scene.registry(), a.agent().id(), 3, WaitHow::at_doorbell);
  enrol(scene.set, scene.registry(), b.agent().id(), 4, WaitHow::at_doorbell);
  CHECK_EQUAL(count_waiting(scene.set, scene.registry()), 7u);
  CHECK_EQUAL(enrol_again(scene.set, scene.registry(), a.agent().id(), 5, index), index);
  CHECK_EQUAL(count_waiting(scene.set, scene.registry()), 9u);
  b.agent().end();
  CHECK_EQUAL(count_waiting(scene.set, scene.registry()), 5u);
}

TEST(a_full_set_turns_away_and_purges_the_dead) {
  Scene scene;
  std::vector<int> indices;
  for (uint32_t i = 0; i < kWaitSetSize; i++) {
    indices.push_back(scene.enter(scene.add()));
    CHECK(indices.back() >= 0);
  }
  std::sort(indices.begin(), indices.end());
  CHECK(std::adjacent_find(indices.begin(), indices.end()) == indices.end());
  Party& late = scene.add();
  CHECK_EQUAL(scene.enter(late), -1);
  CHECK_EQUAL(enrol_again(scene.set, scene.registry(), late.agent().id(), 1, -1), -1);

  scene.others[5]->agent().end();
  scene.others[99]->agent().end();
  CHECK(scene.enter(late) >= 0);
  CHECK(scene.enter(scene.add()) >= 0);
  CHECK_EQUAL(scene.enter(scene.add()), -1);

  // All the living are woken, once each.
  for (uint32_t i = 0; i < kWaitSetSize; i++) scene.wake();
  uint32_t woken = 0;
  for (auto& party : scene.others) {
    if (party->agent().doorbell().fd < 0) continue;
    const size_t wakes = wakes_at(*party);
    CHECK(wakes <= 1);
    woken += static_cast<uint32_t>(wakes);
  }
  CHECK_EQUAL(woken, kWaitSetSize);
}

TEST(a_wake_up_for_the_dead_goes_to_the_next) {
  Scene scene;
  for (int i = 0; i < 3; i++) scene.enter(scene.add());
  scene.others[0]->agent().end();
  scene.others[1]->agent().end();
  scene.wake();
  CHECK_EQUAL(wakes_at(*scene.others[2]), 1u);
}

// A waker dies between taking the entry and waking: a slice, and no wake-up too many afterwards.
TEST(a_popped_entry_is_healed_by_the_next_slice) {
  Scene scene;
  Party& waiter = scene.add();
  const int index = scene.enter(waiter);
  lose_bit(scene.set, index);
  scene.set.entry[index].store(0);
  const int again = enrol_again(scene.set, scene.registry(), waiter.agent().id(), 1, index);
  CHECK(again >= 0);
  scene.wake();
  CHECK_EQUAL(wakes_at(waiter), 1u);
  CHECK(!scene.leave(waiter, again));
}

// cancel() == false means that one wake-up is on its way, and true that none is (INV-5).
TEST(threads_cancel_against_wake) {
  Scene scene;
  Party& waiter = scene.add();
  std::atomic<uint32_t> enrolled{0};
  std::atomic<bool> stop{false};
  std::thread waker([&] {
    Random random(1);
    uint32_t seen = 0;
    while (!stop) {
      if (enrolled.load() == seen) continue;
      seen = enrolled.load();
      spin_us(random.below(4));
      scene.wake();
    }
  });
  Random random(2);
  uint32_t woken = 0;
  const uint32_t rounds = scaled(40'000);
  for (uint32_t i = 0; i < rounds; i++) {
    const int index = scene.enter(waiter);
    CHECK(index >= 0);
    enrolled.fetch_add(1);
    spin_us(random.below(12));
    if (scene.leave(waiter, index)) {
      CHECK_EQUAL(wakes_at(waiter), 0u);
      continue;
    }
    size_t wakes = 0;
    EVENTUALLY((wakes += wakes_at(waiter)) > 0);
    CHECK_EQUAL(wakes, 1u);
    woken++;
  }
  stop = true;
  waker.join();
  CHECK_EQUAL(wakes_at(waiter), 0u);
  note("%u of %u were woken", woken, rounds);
}

// INV-4, with tokens in a plain counter and no slice to heal anything: who enrols and then tries,
// and who posts and then wakes, never both miss. A waiter that was woken and does not need it
// passes it on.
TEST(threads_no_wake_up_is_lost_and_none_is_doubled) {
  constexpr uint32_t kWaiters = 2, kWakers = 2;
  const uint32_t rounds = scaled(20'000);
  Scene scene;
  for (uint32_t i = 0; i < kWaiters; i++) scene.add();
  std::atomic<int32_t> tokens{0};
  const auto try_take = [&] {
    int32_t seen = tokens.load();
    while (seen > 0) {
      if (tokens.compare_exchange_weak(seen, seen - 1)) return true;
    }
    return false;
  };

  std::vector<std::thread> threads;
  std::atomic<uint32_t> slept{0};
  for (uint32_t i = 0; i < kWakers; i++) {
    threads.emplace_back([&, i] {
      Random random(10 + i);
      for (uint32_t round = 0; round < rounds; round++) {
        // Seldom more than a few ahead, so that the waiters do have to wait.
        while (tokens.load() > 2) std::this_thread::yield();
        spin_us(random.below(3));
        tokens.fetch_add(1);
        scene.wake();
      }
    });
  }
  for (uint32_t i = 0; i < kWaiters; i++) {
    threads.emplace_back([&, i] {
      Party& party = *scene.others[i];
      for (uint32_t taken = 0; taken < rounds; taken++) {
        bool mine = try_take();
        while (!mine) {
          const int index = scene.enter(party);
          CHECK(index >= 0);
          mine = try_take();
          size_t wakes = 0;
          if (mine) {
            if (scene.leave(party, index)) break;
            EVENTUALLY((wakes += wakes_at(party)) > 0);
            CHECK_EQUAL(wakes, 1u);
            scene.wake();
            break;
          }
          slept.fetch_add(1, std::memory_order_relaxed);
          // Minutes without a token would be a lost wake-up: nothing else wakes anybody here.
          const int64_t deadline = now_ns() + kPatience_ms * platform::kNanosPerMilli;
          while ((wakes = wakes_at(party)) == 0) {
            platform::wait_doorbell(&party.agent().doorbell(), deadline);
            CHECK(now_ns() < deadline);
          }
          CHECK_EQUAL(wakes, 1u);
          CHECK(!scene.leave(party, index));
          mine = try_take();
        }
      }
    });
  }
  for (std::thread& thread : threads) thread.join();
  CHECK_EQUAL(tokens.load(), 0);
  for (auto& party : scene.others) CHECK_EQUAL(wakes_at(*party), 0u);
  for (const auto& entry : scene.set.entry) CHECK_EQUAL(entry.load(), 0u);
  note("slept %u times for %u tokens", slept.load(), kWakers * rounds);
}

}  // namespace holdfast::test
