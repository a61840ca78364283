#include "core/locks/lock_manager.h"

#include <algorithm>

#include "support.h"

namespace holdfast::test {

using core::LockManager;
using core::LockName;
using core::RequestAnswer;
using core::RequestId;
using core::RequestMode;
using core::RequestStatus;

namespace {

constexpr RequestMode kShared = {false, false, false};
constexpr RequestMode kIfAvailable = {true, true, false};
constexpr RequestMode kSteal = {true, false, true};

core::OpenRequest table(uint32_t requests = 64) {
  auto request = request_for(Kind::lock_manager, "locks");
  request.initial = requests;
  return request;
}

LockName name_of(const std::u16string& text) { return {text.data(), text.size()}; }
LockName name_of(const std::string& text) {
  return name_of(std::u16string(text.begin(), text.end()));
}

RequestAnswer ask(User<LockManager>& user, const std::string& name, const RequestMode& mode = {}) {
  return user->request(name_of(name), mode);
}

// Others may keep the table busy.
RequestAnswer ask_in_the_end(User<LockManager>& user, const std::string& name) {
  RequestAnswer answer;
  EVENTUALLY((answer = ask(user, name)).status != RequestStatus::busy);
  CHECK_EQUAL(answer.status, RequestStatus::granted);
  return answer;
}

std::vector<RequestAnswer> news_of(User<LockManager>& user) {
  std::vector<RequestAnswer> news;
  CHECK(user->collect(&news));
  return news;
}

// What query() shows of a name: E or S for those that hold, e or s for those that wait.
std::string line_of(User<LockManager>& user, const std::string& name) {
  std::vector<core::RequestFacts> all;
  CHECK(user->query(&all));
  std::string held, pending;
  for (const auto& one : all) {
    if (one.name.bytes != name) continue;
    (one.held ? held : pending) += one.exclusive ? (one.held ? 'E' : 'e') : (one.held ? 'S' : 's');
  }
  return held + pending;
}

// Ends every request, so that nothing is left to be told.
void end_all(User<LockManager>& user, const std::vector<RequestAnswer>& answers) {
  for (const auto& answer : answers) user->end(answer.id);
  CHECK(!user->has_requests());
}

}  // namespace

TEST(first_come_first_served) {
  User<LockManager> one(table()), other(table());
  const auto first = ask(one, "a");
  CHECK_EQUAL(first.status, RequestStatus::granted);
  CHECK(!first.abandoned);
  const auto second = ask(other, "a");
  CHECK_EQUAL(second.status, RequestStatus::pending);
  const auto elsewhere = ask(other, "b");
  CHECK_EQUAL(elsewhere.status, RequestStatus::granted);
  const auto third = ask(one, "a", kShared), fourth = ask(other, "a", kShared);
  const auto fifth = ask(one, "a");
  CHECK_EQUAL(line_of(one, "a"), "Eesse");
  CHECK(news_of(one).empty() && news_of(other).empty());

  CHECK_EQUAL(one->end(first.id), RequestStatus::granted);
  auto news = news_of(other);
  CHECK_EQUAL(news.size(), 1u);
  CHECK(news[0].id.ticket == second.id.ticket && news[0].status == RequestStatus::granted);
  CHECK(news[0].token > first.token);
  CHECK(news_of(other).empty());
  // All shared requests at once, and no further.
  CHECK_EQUAL(other->end(second.id), RequestStatus::granted);
  CHECK_EQUAL(line_of(one, "a"), "SSe");
  CHECK_EQUAL(news_of(one).size(), 1u);
  CHECK_EQUAL(news_of(other).size(), 1u);
  // No reader passes a writer that waits.
  const auto late = ask(other, "a", kShared);
  CHECK_EQUAL(late.status, RequestStatus::pending);
  CHECK_EQUAL(one->end(third.id), RequestStatus::granted);
  CHECK_EQUAL(other->end(fourth.id), RequestStatus::granted);
  CHECK_EQUAL(line_of(one, "a"), "Es");
  // Who waits and leaves lets the others on.
  CHECK_EQUAL(one->end(fifth.id), RequestStatus::granted);
  CHECK_EQUAL(other->end(late.id), RequestStatus::granted);
  CHECK_EQUAL(other->end(late.id), RequestStatus::gone);
  CHECK_EQUAL(line_of(one, "a"), "");
  CHECK_EQUAL(other->end(elsewhere.id), RequestStatus::granted);
}

TEST(who_leaves_the_queue_lets_the_others_on) {
  User<LockManager> one(table());
  const auto reader = ask(one, "a", kShared), writer = ask(one, "a");
  const auto behind = ask(one, "a", kShared);
  CHECK_EQUAL(behind.status, RequestStatus::pending);
  CHECK_EQUAL(one->end(writer.id), RequestStatus::pending);
  CHECK_EQUAL(line_of(one, "a"), "SS");
  CHECK_EQUAL(one->end(reader.id), RequestStatus::granted);
  CHECK_EQUAL(one->end(behind.id), RequestStatus::granted);
}

TEST(if_available) {
  User<LockManager> one(table());
  const auto held = ask(one, "a", kIfAvailable);
  CHECK_EQUAL(held.status, RequestStatus::granted);
  CHECK_EQUAL(ask(one, "a", kIfAvailable).status, RequestStatus::unavailable);
  CHECK_EQUAL(line_of(one, "a"), "E");
  CHECK_EQUAL(one->end(held.id), RequestStatus::granted);
}

TEST(a_thief_is_in_front_of_all) {
  User<LockManager> one(table()), other(table());
  const auto first = ask(one, "a", kShared), second = ask(other, "a", kShared);
  const auto waits = ask(one, "a");
  const auto thief = ask(other, "a", kSteal);
  CHECK_EQUAL(thief.status, RequestStatus::granted);
  CHECK_EQUAL(line_of(one, "a"), "Ee");
  const auto news = news_of(one);
  CHECK_EQUAL(news.size(), 1u);
  CHECK(news[0].status == RequestStatus::stolen && news[0].id.ticket == first.id.ticket);
  // The end of a victim ends nobody else's hold.
  CHECK_EQUAL(one->end(first.id), RequestStatus::gone);
  CHECK_EQUAL(other->end(second.id), RequestStatus::stolen);
  CHECK_EQUAL(line_of(one, "a"), "Ee");
  CHECK_EQUAL(other->end(thief.id), RequestStatus::granted);
  CHECK_EQUAL(news_of(one).size(), 1u);
  CHECK_EQUAL(one->end(waits.id), RequestStatus::granted);
}

TEST(names_of_every_kind) {
  User<LockManager> one(table());
  std::u16string long_one(32'768, u'x'), wide(32'768, char16_t{0xD800});
  const std::vector<std::u16string> names = {
      u"",  std::u16string(1, u'\0'), {0xD800}, {0xFFFD}, {0xFFFF}, u"\u00FF", {0xFF, 0}, long_one,
      wide, long_one.substr(1)};
  std::vector<RequestAnswer> held;
  for (const auto& name : names) {
    held.push_back(one->request(name_of(name), {}));
    CHECK_EQUAL(held.back().status, RequestStatus::granted);
  }
  std::vector<core::RequestFacts> all;
  CHECK(one->query(&all));
  CHECK_EQUAL(all.size(), names.size());
  for (size_t i = 0; i < names.size(); i++) {
    CHECK(all[i].name.bytes == name_of(names[i]).bytes);
    CHECK_EQUAL(one->request(name_of(names[i]), kIfAvailable).status, RequestStatus::unavailable);
  }
  end_all(one, held);
}

TEST(a_full_table_refuses_and_disturbs_nobody) {
  User<LockManager> one(table(8));
  std::vector<RequestAnswer> held;
  for (int i = 0; i < 8; i++) held.push_back(ask(one, std::to_string(i)));
  CHECK_EQUAL(held.back().status, RequestStatus::granted);
  CHECK_EQUAL(ask(one, "more").status, RequestStatus::full);
  CHECK_EQUAL(one->end(held[3].id), RequestStatus::granted);
  held.push_back(ask(one, "more"));
  CHECK_EQUAL(held.back().status, RequestStatus::granted);
  CHECK_EQUAL(ask(one, "2", kIfAvailable).status, RequestStatus::unavailable);
  end_all(one, held);
}

TEST(many_names) {
  constexpr uint32_t kNames = 5'000;
  User<LockManager> one(table(kNames));
  std::vector<RequestAnswer> held;
  for (uint32_t i = 0; i < kNames; i++) {
    held.push_back(ask(one, "user:" + std::to_string(i)));
    CHECK_EQUAL(held.back().status, RequestStatus::granted);
  }
  for (uint32_t i = 0; i < kNames; i += 7) {
    CHECK_EQUAL(ask(one, "user:" + std::to_string(i), kIfAvailable).status,
                RequestStatus::unavailable);
  }
  for (const auto& one_held : held) {
    CHECK_EQUAL(one->end(one_held.id), RequestStatus::granted);
  }
  CHECK(!one->has_requests());
}

// Each lock is acquired before the one before it is released, so at every instant one is held.
TEST(query_shows_one_instant) {
  constexpr uint32_t kNames = 3'000;
  Shared<std::atomic<int>> step;
  Child walker([&] {
    User<LockManager> user(table(kNames));
    RequestAnswer last = ask_in_the_end(user, "0");
    for (uint32_t i = 1; step->load() < 2; i++) {
      const RequestAnswer next = ask_in_the_end(user, std::to_string(i * 7 % kNames));
      EVENTUALLY(user->end(last.id) != RequestStatus::busy);
      last = next;
      int none = 0;
      step->compare_exchange_strong(none, 1);
    }
    EVENTUALLY(user->end(last.id) != RequestStatus::busy);
  });
  EVENTUALLY(step->load() == 1);
  {
    User<LockManager> one(table(kNames));
    std::vector<RequestAnswer> held;
    for (uint32_t i = 0; i < kNames / 2; i++) {
      held.push_back(ask_in_the_end(one, "mine " + std::to_string(i)));
    }
    int shown = 0;
    for (int i = 0; i < 200; i++) {
      std::vector<core::RequestFacts> all;
      if (!one->query(&all)) continue;
      shown++;
      const size_t theirs = all.size() - held.size();
      CHECK(theirs == 1 || theirs == 2);
    }
    CHECK(shown > 0);
    end_all(one, held);
  }
  step->store(2);
  walker.join();
}

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
        answer = user->collect_one(answer.id);
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
