// LockManager: agents that die, and the news of their deaths.
#include "lock_manager_suite.h"

namespace holdfast::test {

TEST(a_dead_holder_is_news_for_the_next_exclusive_one) {
  Shared<std::atomic<int>> step;
  Child holder([&] {
    User<LockManager> user(table());
    CHECK_EQUAL(ask(user, "a").status, RequestStatus::granted);
    CHECK_EQUAL(ask(user, "s", kShared).status, RequestStatus::granted);
    step->store(1);
    EVENTUALLY(false);
  });
  EVENTUALLY(step->load() == 1);
  Child next([&] {
    User<LockManager> one(table());
    const auto waits = ask(one, "a", kShared);
    CHECK_EQUAL(waits.status, RequestStatus::pending);
    step->store(2);
    EVENTUALLY(step->load() == 3);
    one->look();
    const auto news = news_of(one);
    CHECK_EQUAL(news.size(), 1u);
    CHECK(news[0].abandoned);
    // A reader leaves the news for the next; a writer takes it.
    const auto reader = ask(one, "a", kShared);
    CHECK(reader.abandoned);
    end_all(one, {waits, reader});
    const auto writer = ask(one, "a", kSteal);
    CHECK(writer.abandoned);
    end_all(one, {writer});
    const auto later = ask(one, "a"), other = ask(one, "s");
    CHECK(!later.abandoned && !other.abandoned);
    end_all(one, {later, other});
  });
  EVENTUALLY(step->load() == 2);
  holder.kill();
  step->store(3);
  next.join();
}

TEST(a_thief_is_told_of_a_death_that_nobody_has_seen) {
  Shared<std::atomic<int>> step;
  Child holder([&] {
    User<LockManager> user(table());
    ask(user, "a");
    ask(user, "s", kShared);
    step->store(1);
    EVENTUALLY(false);
  });
  EVENTUALLY(step->load() == 1);
  Child next([&] {
    User<LockManager> one(table());
    step->store(2);
    EVENTUALLY(step->load() == 3);
    const auto thief = ask(one, "a", kSteal), other = ask(one, "s", kSteal);
    CHECK(thief.abandoned && !other.abandoned);
    end_all(one, {thief, other});
    const auto later = ask(one, "a");
    CHECK(!later.abandoned);
    end_all(one, {later});
  });
  EVENTUALLY(step->load() == 2);
  holder.kill();
  step->store(3);
  next.join();
}

TEST(a_death_that_nobody_outlived_is_told) {
  Shared<std::atomic<bool>> ready;
  Child holder([&] {
    User<LockManager> user(table());
    CHECK_EQUAL(ask(user, "a").status, RequestStatus::granted);
    CHECK_EQUAL(ask(user, "b").status, RequestStatus::granted);
    ready->store(true);
    EVENTUALLY(false);
  });
  EVENTUALLY(ready->load());
  holder.kill();
  in_child([] {
    User<LockManager> one(table());
    CHECK_EQUAL(line_of(one, "a"), "");
    const auto first = ask(one, "a"), second = ask(one, "b"), third = ask(one, "c");
    CHECK(first.status == RequestStatus::granted && first.abandoned);
    CHECK(second.abandoned && !third.abandoned);
    end_all(one, {first, second, third});
  });
}

// INV-21, when the index is made anew: one that died before it had heard of its grant is in no
// agent's list.
TEST(a_grant_that_was_never_told_is_news_all_the_same) {
  Shared<std::atomic<int>> step;
  Child victim([&] {
    EVENTUALLY(step->load() == 1);
    User<LockManager> dying(table());
    CHECK_EQUAL(ask(dying, "a").status, RequestStatus::pending);
    step->store(2);
    EVENTUALLY(false);
  });
  Child survivor([&] {
    User<LockManager> one(table());
    const auto first = ask(one, "a");
    step->store(1);
    EVENTUALLY(step->load() == 2);
    CHECK_EQUAL(one->end(first.id), RequestStatus::granted);
    step->store(3);
    EVENTUALLY(step->load() == 4);
    // A reader is told, and leaves the news to the next exclusive one.
    const auto reader = ask(one, "a", kShared);
    CHECK(reader.status == RequestStatus::granted && reader.abandoned);
    one->body().changing.store(1);
    CHECK_EQUAL(line_of(one, "a"), "S");
    CHECK(news_of(one).empty());
    CHECK_EQUAL(one->end(reader.id), RequestStatus::granted);
    const auto next = ask(one, "a");
    CHECK(next.status == RequestStatus::granted && next.abandoned);
    end_all(one, {next});
  });
  EVENTUALLY(step->load() == 3);
  victim.kill();
  step->store(4);
  survivor.join();
}

// Histories of several agents that ask, end, steal and die: never two inside, nobody waits for
// good.
TEST(histories_with_deaths) {
  constexpr uint32_t kProcesses = 5, kNames = 3;
  const uint32_t rounds = scaled(2000);
  struct Inside {
    std::atomic<uint64_t> writer[kNames];
    std::atomic<uint64_t> token[kNames];
    std::atomic<uint32_t> ended;
  };
  Shared<Inside> inside;
  std::vector<Child> children;
  const auto body = [&](uint32_t number) {
    Random chance(number);
    User<LockManager> user(table());
    for (uint32_t round = 0; round < rounds; round++) {
      const uint64_t which = chance.below(kNames);
      const bool exclusive = !chance.one_in(3);
      auto answer = ask(user, std::to_string(which), {exclusive, false, false});
      const int64_t deadline = now_ns() + kPatience_ms * platform::kNanosPerMilli;
      while (answer.status == RequestStatus::pending) {
        CHECK(now_ns() < deadline);
        user->wait(answer.id, now_ns() + core::kSlice_ns);
        user->look();
        // Others may keep the table busy. A request that is forgotten then keeps everybody out.
        const RequestAnswer news = user->collect_one(answer.id);
        if (news.status != RequestStatus::busy) answer = news;
      }
      if (answer.status == RequestStatus::busy) continue;
      CHECK_EQUAL(answer.status, RequestStatus::granted);
      const uint64_t before = inside->token[which].load();
      if (exclusive) {
        CHECK(answer.token > before);
        // The one who is there is dead, or its death would not have been told.
        CHECK(inside->writer[which].exchange(user.id()) == 0 || answer.abandoned);
        inside->token[which].store(answer.token);
      } else {
        CHECK(inside->writer[which].load() == 0 || answer.abandoned);
      }
      spin_us(chance.below(4));
      if (exclusive) inside->writer[which].store(0);
      RequestStatus status;
      while ((status = user->end(answer.id)) == RequestStatus::busy) {
      }
      CHECK_EQUAL(status, RequestStatus::granted);
    }
    inside->ended.fetch_add(1);
  };
  for (uint32_t number = 0; number < kProcesses; number++) {
    children.emplace_back([&, number] { body(number); });
  }
  // Those beside them are killed at any instant.
  Random chance(99);
  for (uint32_t number = 100; inside->ended.load() < kProcesses && !has_failed(); number++) {
    Child victim([&, number] { body(number); });
    platform::sleep_ns(static_cast<int64_t>(chance.below(6'000'000)));
    victim.kill();
  }
  for (Child& child : children) child.join();
  // The news of those who died last.
  in_child([] {
    User<LockManager> user(table());
    for (uint32_t i = 0; i < kNames; i++) end_all(user, {ask(user, std::to_string(i))});
  });
}

}  // namespace holdfast::test
