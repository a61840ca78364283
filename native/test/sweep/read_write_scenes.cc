// ReadWriteLock: reading, writing, and letting go, among the living and after the dead.
#include <signal.h>

#include "read_write_scene.h"

namespace holdfast::test::sweeping {

namespace {

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

// An agent that finds no free entry takes that of a dead one.
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
struct ReleaseToClaim : ReadWriteScene {
  int change() const override { return -1; }
  void set_up() override {
    ReadWriteScene::set_up();
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
  void operate() override { let_go(); }
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
      ReadWriteScene::check();
      return left ? Progress::done : Progress::not_done;
    }
    other->party.agent().take_wakes();
    return ReadWriteScene::check();
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
