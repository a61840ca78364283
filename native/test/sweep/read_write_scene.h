// ReadWriteLock: after a death in any step, readers and then a writer get in. Nobody reads while
// somebody writes. Those who get in are told of a death if and only if the last writer died
// writing.
#ifndef HOLDFAST_TEST_SWEEP_READ_WRITE_SCENE_H
#define HOLDFAST_TEST_SWEEP_READ_WRITE_SCENE_H

#include <optional>

#include "scene.h"

namespace holdfast::test::sweeping {

using core::ReadWriteLock;

inline constexpr const char* kName = "swept";
enum class Way { shared, exclusive };

struct ReadWriteScene : Scene {
  using RwUser = User<ReadWriteLock>;
  std::optional<RwUser> user;
  std::optional<RwUser> other;  // another agent of the witness
  uint64_t hold = 0;            // of this process, beside the scene's own
  Way hold_way = Way::shared;
  Waiter waiting_reader, waiting_writer;

  // ---- what an operation says of itself
  virtual Way witness_way() const { return Way::exclusive; }  // as what the witness tries to get by
  virtual Way victims_way() const { return Way::shared; }
  virtual int change() const { return 0; }         // of the victim's holds
  virtual bool has_news() const { return false; }  // whatever the victim does

  ReadWriteLock& object() { return user->primitive; }
  core::ReadWriteBody& body() { return object().body(); }
  bool is_alive(AgentId id) { return user->party.registry().alive(id); }
  bool holds_now(AgentId id) {
    if (victims_way() == Way::exclusive) return body().writing == id && id != 0;
    for (uint32_t i = 0; i < core::kReadersMax; i++) {
      if (object().reader_at(i) == id) return true;
    }
    return false;
  }

  static Outcome look(RwUser& by, Way way) {
    return way == Way::shared ? by->try_shared(core::WritersToBypass::nobody) : by->try_exclusive();
  }
  static Code release(RwUser& by, Way way, uint64_t hold) {
    return way == Way::shared ? by->release_shared(hold) : by->release_exclusive(hold);
  }

  // ---- the victim

  void get_ready() override {
    user.emplace(kName);
    facts->victim = user->id();
  }
  void took(const Outcome& outcome) {
    facts->holds = bool(outcome);
    facts->told = outcome.abandoned;
    hold = outcome.hold;
  }
  void take(Way way) {
    took(look(*user, way));
    CHECK(facts->holds);
  }
  void let_go() {
    CHECK_EQUAL(release(*user, victims_way(), hold), Code::ok);
    facts->holds = false;
  }
  void finish() override {
    CHECK_EQUAL(object().is_held_by_caller(), facts->holds.load());
    if (facts->holds) let_go();
    object().withdraw();
    user.reset();
  }

  // ---- the witness

  void arrive() override {
    user.emplace(kName);
    other.emplace(user->party.shared_store(), kName);
  }
  void leave() override {
    other.reset();
    user.reset();
  }
  void set_up() override { hold = 0; }
  void meanwhile() override {
    const int64_t deadline = now_ns() + kMeanwhile_ms * platform::kNanosPerMilli;
    Outcome outcome;
    while (!(outcome = look(*user, witness_way())) && now_ns() < deadline) sleep_ms(1);
    hold = outcome.hold;
    hold_way = witness_way();
  }
  // INV-15: both of them only if both read.
  void afterwards() override {
    const bool both_read = victims_way() == Way::shared && hold_way == Way::shared;
    if (hold != 0 && !both_read) CHECK(!facts->holds);
    if (facts->holds) CHECK(holds_now(facts->victim));
    let_witness_go();
  }
  void let_witness_go() {
    if (hold != 0) CHECK_EQUAL(release(*user, hold_way, hold), Code::ok);
    hold = 0;
  }

  // It may be somebody's turn who died.
  Outcome get_in(RwUser& by, Way way) {
    Outcome outcome;
    EVENTUALLY(outcome = look(by, way));
    return outcome;
  }

  // INV-3: as programs that open, try once and close. No attempt knows of another one.
  void write_by_short_attempts() {
    std::optional<RwUser> attempt;
    const auto try_shortly = [&] {
      attempt.emplace(user->party.shared_store(), kName);
      return (*attempt)->try_exclusive();
    };
    Outcome outcome;
    EVENTUALLY(bool(outcome = try_shortly()));
    CHECK(!outcome.abandoned);
    CHECK_EQUAL((*attempt)->release_exclusive(outcome.hold), Code::ok);
  }

  // Readers together, then each as a writer alone.
  void check_both_ways(bool news) {
    const Outcome mine = get_in(*user, Way::shared), theirs = get_in(*other, Way::shared);
    CHECK(mine.abandoned == news && theirs.abandoned == news);
    CHECK(!(*other)->try_exclusive());
    CHECK_EQUAL((*other)->release_shared(theirs.hold), Code::ok);
    CHECK(!(*other)->try_exclusive());
    CHECK_EQUAL(object().release_shared(mine.hold), Code::ok);
    const Outcome writes = get_in(*other, Way::exclusive);
    CHECK_EQUAL(writes.abandoned, news);
    CHECK(!object().try_shared(core::WritersToBypass::nobody) &&
          !object().try_shared(core::WritersToBypass::waiting) && !object().try_exclusive());
    CHECK_EQUAL((*other)->release_exclusive(writes.hold), Code::ok);
    const Outcome last = get_in(*user, Way::exclusive);
    CHECK(!last.abandoned);
    CHECK_EQUAL(object().release_exclusive(last.hold), Code::ok);
  }
  void check_empty() {
    CHECK_EQUAL(body().writer.load(), 0u);
    CHECK_EQUAL(body().writing.load(), 0u);
    for (uint32_t i = 0; i < core::kReadersMax; i++) CHECK_EQUAL(object().reader_at(i), 0u);
    CHECK_EQUAL(core::count_waiting(body().readers, user->party.registry()), 0u);
    CHECK_EQUAL(core::count_waiting(body().writers, user->party.registry()), 0u);
    body().turn = 0;
  }

  Progress check() override {
    let_witness_go();
    if (waiting_reader.is_enrolled()) waiting_reader.was_woken();
    if (waiting_writer.is_enrolled()) waiting_writer.was_woken();
    const AgentId writing = body().writing;
    if (writing != 0) CHECK(!is_alive(writing));
    if (has_news()) CHECK(writing != 0 || !facts->died);
    const bool done = holds_now(facts->victim) == (change() > 0);
    if (writing == 0) write_by_short_attempts();
    check_both_ways(writing != 0);
    check_empty();
    if (change() == 0) return Progress::unknown;
    return done ? Progress::done : Progress::not_done;
  }
};

}  // namespace holdfast::test::sweeping

#endif
