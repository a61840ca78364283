// ReadWriteLock: whoever dies in any step, readers and then a writer get in; nobody reads while
// somebody writes; and whoever gets in is told if and only if the last writer died writing.
#include <signal.h>

#include <optional>

#include "scene.h"

namespace holdfast::test::sweeping {

namespace {

using core::ReadWriteLock;

constexpr const char* kName = "swept";
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

// ---------------------------------------------------------------- reading

struct SharedFree : ReadWriteScene {
  int change() const override { return 1; }
  void operate() override { took(object().try_shared(core::WritersToBypass::nobody)); }
};
OPERATION("ReadWriteLock", "shared, free", SharedFree);

struct SharedAmongReaders : SharedFree {
  Way witness_way() const override { return Way::shared; }
};
OPERATION("ReadWriteLock", "shared, others read", SharedAmongReaders);

struct WaitShared : SharedFree {
  void operate() override {
    took(object().wait_shared(core::WritersToBypass::nobody,
                              now_ns() + 2 * platform::kNanosPerMilli));
  }
};
OPERATION("ReadWriteLock", "wait to read, free", WaitShared);

// A writer of the witness has a claim, and waits for a reader of the witness.
struct WithClaim : ReadWriteScene {
  uint64_t reading = 0;
  void set_up() override {
    ReadWriteScene::set_up();
    reading = get_in(*user, Way::shared).hold;
    CHECK(!(*other)->claim_exclusive() && body().writer == other->id());
  }
  void meanwhile() override { CHECK(!(*other)->claim_exclusive()); }
  Progress check() override {
    CHECK(body().writer == other->id() && body().writing == 0u);
    (*other)->withdraw();
    CHECK_EQUAL(object().release_shared(reading), Code::ok);
    return ReadWriteScene::check();
  }
};

struct SharedPastWriter : WithClaim {
  int change() const override { return 1; }
  void operate() override { took(object().try_shared(core::WritersToBypass::waiting)); }
};
OPERATION("ReadWriteLock", "shared, past a writer that wants", SharedPastWriter);

struct SharedRefused : WithClaim {
  void operate() override {
    took(object().wait_shared(core::WritersToBypass::nobody, now_ns() + platform::kNanosPerMilli));
    CHECK(!facts->holds);
  }
};
OPERATION("ReadWriteLock", "wait to read, timing out", SharedRefused);

// Whoever finds no free entry takes a dead one's.
struct SharedTableFull : SharedFree {
  bool has_casualty() const override { return true; }
  void casualty() override {
    RwUser dying(kName);
    for (uint32_t i = 0; i < core::kReadersMax; i++) {
      dying.object.entry<core::Permit>(i).owner = dying.id();
    }
    kill(getpid(), SIGKILL);
  }
};
OPERATION("ReadWriteLock", "shared, table full of the dead", SharedTableFull);

// A writer let one reader go first, and another one waits.
struct SharedInTurn : SharedFree {
  void set_up() override {
    SharedFree::set_up();
    body().turn = 1;
    waiting_writer.enrol(body().writers, other->party.agent());
  }
  Progress check() override {
    const bool woken = waiting_writer.was_woken();
    if (!facts->died) CHECK(woken);
    return SharedFree::check();
  }
};
OPERATION("ReadWriteLock", "shared, in turn", SharedInTurn);

// ---------------------------------------------------------------- writing

template <Way witness>
struct ExclusiveFree : ReadWriteScene {
  Way witness_way() const override { return witness; }
  Way victims_way() const override { return Way::exclusive; }
  int change() const override { return 1; }
  void operate() override { took(object().claim_exclusive()); }
};
OPERATION("ReadWriteLock", "exclusive, free", ExclusiveFree<Way::exclusive>);
OPERATION("ReadWriteLock", "exclusive, others read", ExclusiveFree<Way::shared>);

struct WaitExclusive : ExclusiveFree<Way::shared> {
  void operate() override {
    took(object().wait_exclusive(now_ns() + 2 * platform::kNanosPerMilli));
  }
};
OPERATION("ReadWriteLock", "wait to write, free", WaitExclusive);

// With a reader inside: a claim, and then it is withdrawn.
struct ClaimAndWithdraw : ReadWriteScene {
  uint64_t reading = 0;
  Way victims_way() const override { return Way::exclusive; }
  void set_up() override {
    ReadWriteScene::set_up();
    reading = get_in(*user, Way::shared).hold;
    waiting_reader.enrol(body().readers, other->party.agent());
  }
  void operate() override {
    took(object().wait_exclusive(now_ns() + platform::kNanosPerMilli));
    CHECK(!facts->holds);
    object().withdraw();
  }
  void meanwhile() override { CHECK(!(*other)->try_exclusive()); }
  Progress check() override {
    const bool woken = waiting_reader.was_woken();
    if (!facts->died) CHECK(woken && body().writer == 0u);
    CHECK_EQUAL(object().release_shared(reading), Code::ok);
    return ReadWriteScene::check();
  }
};
OPERATION("ReadWriteLock", "wait to write, and withdraw", ClaimAndWithdraw);

// It is the turn of a reader who was woken and died.
struct ExclusiveAfterTurn : ExclusiveFree<Way::exclusive> {
  void set_up() override {
    ReadWriteScene::set_up();
    body().turn = 1;
  }
  void get_ready() override {
    ReadWriteScene::get_ready();
    CHECK(!object().claim_exclusive());
    platform::sleep_ns(2 * core::kSlice_ns + 2 * platform::kNanosPerMilli);
  }
};
SLOW_OPERATION("ReadWriteLock", "exclusive, after a dead one's turn", ExclusiveAfterTurn);

// ---------------------------------------------------------------- after the dead

template <class S, Way casualtys, bool keeps_news>
struct AfterDeath : S {
  bool has_casualty() const override { return true; }
  bool has_news() const override { return casualtys == Way::exclusive && keeps_news; }
  void casualty() override {
    User<ReadWriteLock> dying(kName);
    CHECK(bool(S::look(dying, casualtys)));
    kill(getpid(), SIGKILL);
  }
  void afterwards() override {
    // If it is the only one that was let in, it was told.
    if (this->facts->holds) CHECK_EQUAL(this->facts->told.load(), casualtys == Way::exclusive);
    S::afterwards();
  }
};
using Exclusive = ExclusiveFree<Way::exclusive>;
OPERATION("ReadWriteLock", "exclusive, after a dead writer",
          AfterDeath<Exclusive, Way::exclusive, true>);
OPERATION("ReadWriteLock", "exclusive, after a dead reader",
          AfterDeath<Exclusive, Way::shared, false>);
OPERATION("ReadWriteLock", "shared, after a dead writer",
          AfterDeath<SharedAmongReaders, Way::exclusive, true>);

// ---------------------------------------------------------------- letting go

template <Way way>
struct Release : ReadWriteScene {
  Way victims_way() const override { return way; }
  int change() const override { return -1; }
  void get_ready() override {
    ReadWriteScene::get_ready();
    take(way);
  }
  void operate() override { let_go(); }
};
OPERATION("ReadWriteLock", "release of a reader", Release<Way::shared>);
OPERATION("ReadWriteLock", "release of a writer", Release<Way::exclusive>);

// With waiters of both kinds. Nobody tries to get by: the wakes are what is looked at.
template <Way way>
struct ReleaseToWaiters : Release<way> {
  void set_up() override {
    Release<way>::set_up();
    this->waiting_reader.enrol(this->body().readers, this->user->party.agent());
    this->waiting_writer.enrol(this->body().writers, this->other->party.agent());
  }
  void meanwhile() override {}
  Progress check() override {
    const bool reader = this->waiting_reader.was_woken(), writer = this->waiting_writer.was_woken();
    if (!this->facts->died) {
      // A writer lets the readers go first (INV-16), and a reader the writers.
      CHECK_EQUAL(reader, way == Way::exclusive);
      CHECK_EQUAL(writer, way == Way::shared);
      CHECK_EQUAL(this->body().turn.load(), way == Way::exclusive ? 1u : 0u);
    }
    return Release<way>::check();
  }
};
OPERATION("ReadWriteLock", "release of a reader to waiters", ReleaseToWaiters<Way::shared>);
OPERATION("ReadWriteLock", "release of a writer to waiters", ReleaseToWaiters<Way::exclusive>);

// The last reader wakes the writer that has its claim, wherever that is in the wait set.
struct ReleaseToClaim : Release<Way::shared> {
  void set_up() override {
    Release::set_up();
    const uint64_t reading = get_in(*user, Way::shared).hold;
    CHECK(!(*other)->claim_exclusive());
    CHECK_EQUAL(object().release_shared(reading), Code::ok);
    other->party.agent().take_wakes();
  }
  void get_ready() override {
    ReadWriteScene::get_ready();
    took(object().try_shared(core::WritersToBypass::waiting));
    CHECK(facts->holds);
  }
  void meanwhile() override {
    const Outcome outcome = (*other)->claim_exclusive();
    if (outcome) CHECK_EQUAL((*other)->release_exclusive(outcome.hold), Code::ok);
    facts->number = bool(outcome);
  }
  void afterwards() override {}
  Progress check() override {
    if (facts->number == 0) {
      const bool woken = !other->party.agent().take_wakes().empty();
      if (!facts->died) CHECK(woken);
      const bool left = !holds_now(facts->victim);
      const Outcome outcome = (*other)->claim_exclusive();
      CHECK(bool(outcome) && !outcome.abandoned);
      CHECK_EQUAL((*other)->release_exclusive(outcome.hold), Code::ok);
      Release::check();
      return left ? Progress::done : Progress::not_done;
    }
    other->party.agent().take_wakes();
    return Release::check();
  }
};
OPERATION("ReadWriteLock", "release of a reader to a claim", ReleaseToClaim);

template <Way way>
struct Abandon : Release<way> {
  int change() const override { return 0; }
  bool has_news() const override { return way == Way::exclusive; }
  void set_up() override {
    Release<way>::set_up();
    this->waiting_reader.enrol(this->body().readers, this->user->party.agent());
    this->waiting_writer.enrol(this->body().writers, this->other->party.agent());
  }
  void operate() override {
    this->user->party.agent().end();
    this->object().abandon();
    this->facts->holds = false;
  }
  void meanwhile() override {}
  Progress check() override {
    const bool reader = this->waiting_reader.was_woken(), writer = this->waiting_writer.was_woken();
    if (!this->facts->died) CHECK(reader && writer);
    if (way == Way::exclusive) CHECK_EQUAL(this->body().writing.load(), this->facts->victim.load());
    return Release<way>::check();
  }
  void finish() override { this->user.reset(); }
};
OPERATION("ReadWriteLock", "end of an agent that reads", Abandon<Way::shared>);
OPERATION("ReadWriteLock", "end of an agent that writes", Abandon<Way::exclusive>);

}  // namespace

}  // namespace holdfast::test::sweeping
