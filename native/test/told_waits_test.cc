// What agents tell of their long waits (core/agents/told_waits.h).
#include "core/agents/told_waits.h"

#include <unistd.h>

#include <thread>

#include "support.h"

namespace holdfast::test {

namespace {

using core::ToldWaits;
using core::WaitRecord;

std::string record_of(AgentId id) {
  return here().directory + "/" + core::AgentFileName(core::kWaitRecordPrefix, id).text;
}

std::string heard_from(ToldWaits& waits, AgentId id) {
  for (const WaitRecord& record : waits.hear()) {
    if (record.agent == id) return record.text;
  }
  return "";
}

}  // namespace

TEST(told_waits_are_heard_until_they_are_taken_back) {
  Party me, you(me.shared_store());
  ToldWaits mine(me.agent()), yours(you.agent());
  CHECK(mine.tell(""));
  CHECK(!file_exists(record_of(me.agent().id())));  // nothing was to be told yet
  CHECK(yours.hear().empty());
  CHECK(mine.tell("a longer text"));
  CHECK_EQUAL(heard_from(yours, me.agent().id()), "a longer text");
  CHECK(mine.tell("a text"));
  CHECK_EQUAL(heard_from(yours, me.agent().id()), "a text");
  const uint64_t version = yours.hear().front().version;
  CHECK(mine.tell("a text"));
  CHECK(yours.hear().front().version > version);
  // Who takes something back tells no news.
  const uint64_t told = yours.hear().front().version;
  CHECK(mine.take_back("less"));
  CHECK_EQUAL(heard_from(yours, me.agent().id()), "less");
  CHECK_EQUAL(yours.hear().front().version, told);
  CHECK(mine.tell_if_unchanged({}, "still less"));
  CHECK_EQUAL(yours.hear().front().version, told);
  CHECK(mine.tell(""));
  CHECK(yours.hear().empty());
}

TEST(told_waits_may_be_long_and_not_too_long) {
  Party me;
  ToldWaits waits(me.agent());
  const std::string longest(core::kWaitRecordMax, 'x');
  CHECK(waits.tell(longest));
  CHECK_EQUAL(heard_from(waits, me.agent().id()), longest);
  CHECK(!waits.tell(longest + "x"));
  CHECK_EQUAL(heard_from(waits, me.agent().id()), longest);
  // What was not written counts as no version.
  CHECK_EQUAL(waits.hear().front().version, 1u);
  CHECK(waits.tell("short"));
  CHECK_EQUAL(waits.hear().front().version, 2u);
}

TEST(told_waits_that_are_half_written_tell_nothing) {
  Party me;
  ToldWaits waits(me.agent());
  CHECK(waits.tell("something"));
  const std::string path = record_of(me.agent().id());
  const std::string whole = read_file(path);
  for (size_t i = 0; i < whole.size(); i++) {
    std::string spoiled = whole;
    spoiled[i] = static_cast<char>(spoiled[i] ^ 1);
    write_file(path, spoiled);
    CHECK(waits.hear().empty());
    write_file(path, whole.substr(0, i));
    CHECK(waits.hear().empty());
  }
  CHECK(waits.tell("something else"));
  CHECK_EQUAL(heard_from(waits, me.agent().id()), "something else");
}

TEST(told_waits_go_with_their_agent) {
  Party me;
  ToldWaits mine(me.agent());
  AgentId gone = 0;
  {
    Party you(me.shared_store());
    gone = you.agent().id();
    ToldWaits yours(you.agent());
    CHECK(yours.tell("your waits"));
    CHECK_EQUAL(mine.hear().size(), 1u);
  }
  CHECK(mine.hear().empty());
  CHECK(!file_exists(record_of(gone)));
}

TEST(told_waits_of_the_killed_tell_nothing_and_are_swept) {
  Shared<std::atomic<AgentId>> id;
  Child child([&] {
    Party party;
    ToldWaits waits(party.agent());
    CHECK(waits.tell("the waits of a child"));
    *id = party.agent().id();
    for (;;) pause();
  });
  EVENTUALLY(id->load() != 0);
  child.kill();
  CHECK(file_exists(record_of(*id)));
  Party party;
  CHECK(ToldWaits(party.agent()).hear().empty());
  CHECK(!file_exists(record_of(*id)));
}

// INV-27
TEST(told_waits_change_only_if_nobody_has_told_anything_new) {
  Party me, you(me.shared_store());
  ToldWaits mine(me.agent()), yours(you.agent());
  CHECK(mine.tell("my wait"));
  CHECK(yours.tell("your wait"));
  CHECK(yours.tell("your wait"));  // a higher version is no other text
  const std::vector<WaitRecord> seen{{you.agent().id(), 1, "your wait"}};
  CHECK(yours.tell_if_unchanged({{me.agent().id(), 1, "my wait"}}, "ended"));
  CHECK(!mine.tell_if_unchanged(seen, "ended, too"));
  CHECK_EQUAL(heard_from(yours, me.agent().id()), "my wait");
  CHECK(mine.tell_if_unchanged({{you.agent().id(), 1, "ended"}}, "ended later"));
  CHECK(mine.tell_if_unchanged({}, "ended by itself"));
  CHECK_EQUAL(heard_from(yours, me.agent().id()), "ended by itself");
}

// Many end waits of one circle at a time: one of them gets through.
TEST(told_waits_of_one_circle_end_once) {
  constexpr size_t kRounds = 200, kAgents = 3;
  Party first;
  std::vector<std::unique_ptr<Party>> parties;
  std::vector<std::unique_ptr<ToldWaits>> waits;
  for (size_t i = 0; i < kAgents; i++) {
    parties.push_back(std::make_unique<Party>(first.shared_store()));
    waits.push_back(std::make_unique<ToldWaits>(parties.back()->agent()));
  }
  for (size_t round = 0; round < kRounds; round++) {
    for (auto& one : waits) CHECK(one->tell("waits"));
    std::vector<WaitRecord> all = waits[0]->hear();
    CHECK_EQUAL(all.size(), kAgents);
    std::atomic<int> ended{0};
    std::vector<std::thread> threads;
    for (size_t i = 0; i < kAgents; i++) {
      threads.emplace_back([&, i] {
        std::vector<WaitRecord> others;
        for (const WaitRecord& record : all) {
          if (record.agent != parties[i]->agent().id()) others.push_back(record);
        }
        if (waits[i]->tell_if_unchanged(others, "ended")) ended++;
      });
    }
    for (std::thread& thread : threads) thread.join();
    CHECK(ended <= 1);
  }
}

}  // namespace holdfast::test
