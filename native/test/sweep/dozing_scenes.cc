// Waiters that doze: one dies or stands still when it begins to doze, or another agent does while
// it wakes them.
#include <optional>

#include "core/primitives/rlock.h"
#include "core/registry/dozing.h"
#include "scene.h"

namespace holdfast::test::sweeping {

namespace {

using core::Lock;
using core::RLock;

constexpr const char* kName = "swept";

// An agent of the witness, in the wait set.
class Dozer {
 public:
  void enrol(core::WaitSet& set, core::Agent& agent) {
    set_ = &set;
    agent_ = &agent;
    agent.take_wakes();
    has_heard_ = false;
    index_ = core::enrol(set, agent.registry(), agent.id(), 1, core::WaitHow::at_doorbell);
    CHECK(core::is_enrolled(set, agent.id(), index_));
  }
  bool has_heard() {
    has_heard_ |= !agent_->take_wakes().empty();
    return has_heard_;
  }
  void leave() { core::cancel(*set_, agent_->id(), index_); }

 private:
  core::WaitSet* set_ = nullptr;
  core::Agent* agent_ = nullptr;
  int index_ = -1;
  bool has_heard_ = false;
};

template <class Primitive>
struct DozingScene : Scene {
  std::optional<User<Primitive>> user;
  std::optional<User<Primitive>> other, third;  // other agents of the witness
  Dozer first, second;

  Primitive& object() { return user->primitive; }
  core::WaitSet& set() { return object().waiters(); }
  void enrol_two() {
    first.enrol(set(), user->party.agent());
    second.enrol(set(), third->party.agent());
  }

  void get_ready() override {
    user.emplace(kName);
    facts->victim = user->id();
  }
  void finish() override { user.reset(); }
  void arrive() override {
    user.emplace(kName);
    other.emplace(user->party.shared_store(), kName);
    third.emplace(user->party.shared_store(), kName);
  }
  void leave() override {
    third.reset();
    other.reset();
    user.reset();
  }
};

// The victim dozes beside two waiters of the witness.
template <class Primitive>
struct BeginToDoze : DozingScene<Primitive> {
  void set_up() override {
    EVENTUALLY(bool((*this->other)->try_acquire_or_rescue()));
    this->enrol_two();
  }
  void operate() override {
    const int index = core::enrol(this->set(), this->user->party.registry(), this->user->id(), 1,
                                  core::WaitHow::at_doorbell);
    this->object().watch();
    this->object().may_doze(index);  // it sees the hold
    CHECK(this->object().may_doze(index));
    CHECK(core::cancel(this->set(), this->user->id(), index));
  }
  Progress check() override {
    CHECK_EQUAL((*this->other)->release(), Code::ok);
    const bool first_heard = this->first.has_heard();
    const bool second_heard = this->second.has_heard();
    CHECK(first_heard || second_heard);
    this->first.leave();
    this->second.leave();
    return first_heard && second_heard ? Progress::done : Progress::not_done;
  }
};
OPERATION("Lock", "begin to doze", BeginToDoze<Lock>);
OPERATION("RLock", "begin to doze", BeginToDoze<RLock>);

// The victim wakes two agents of the witness that doze. At the latest when the object is free they
// have heard of it: also if the victim stands still then, or was no holder whom they watch.
template <class Primitive>
struct WakeDozers : DozingScene<Primitive> {
  void set_up() override {
    this->enrol_two();
    core::begin_to_doze(this->set());
  }
  void meanwhile() override { check_who_heard(); }
  void check_who_heard() {
    if (this->object().owner() != 0) return;
    CHECK(this->first.has_heard());
    CHECK(this->second.has_heard());
  }
  Progress check() override {
    check_who_heard();
    // Whoever has it next wakes all.
    EVENTUALLY(this->object().owner() == this->other->id() ||
               bool((*this->other)->try_acquire_or_rescue()));
    CHECK_EQUAL((*this->other)->release(), Code::ok);
    check_who_heard();
    this->first.leave();
    this->second.leave();
    return Progress::unknown;
  }
};

// The victim holds it.
template <class Primitive>
struct ReleaseToDozers : WakeDozers<Primitive> {
  void get_ready() override {
    DozingScene<Primitive>::get_ready();
    EVENTUALLY(bool(this->object().try_acquire_or_rescue()));
  }
  void operate() override {
    this->facts->holds = true;
    this->facts->holds = this->object().release() != Code::ok;
  }
};
OPERATION("Lock", "release to those who doze", ReleaseToDozers<Lock>);
OPERATION("RLock", "release to those who doze", ReleaseToDozers<RLock>);

// Another agent of the witness holds it.
template <class Primitive>
struct DozersOfAnotherHolder : WakeDozers<Primitive> {
  void set_up() override {
    EVENTUALLY(bool((*this->other)->try_acquire_or_rescue()));
    WakeDozers<Primitive>::set_up();
  }
};

struct ReleaseForAnother : DozersOfAnotherHolder<Lock> {
  void operate() override { CHECK_EQUAL(object().release(), Code::ok); }
};
OPERATION("Lock", "release for another, to those who doze", ReleaseForAnother);

template <class Primitive>
struct PassOnToDozers : DozersOfAnotherHolder<Primitive> {
  void operate() override { this->object().pass_on(); }
};
OPERATION("Lock", "pass a wake-up on to those who doze", PassOnToDozers<Lock>);
OPERATION("RLock", "pass a wake-up on to those who doze", PassOnToDozers<RLock>);

}  // namespace

}  // namespace holdfast::test::sweeping
