#include <algorithm>

#include "lock_manager_suite.h"

namespace holdfast::test {

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

}  // namespace holdfast::test
