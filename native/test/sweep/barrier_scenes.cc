// Barrier: after a death in any step, the others find their round over for all of them or broken
// for all of them (INV-19), and after a reset() it works.
#include <signal.h>

#include <optional>

#include "scene.h"

namespace holdfast::test::sweeping {

namespace {

using core::Arrival;
using core::ArrivalStatus;
using core::Barrier;

constexpr uint32_t kParties = 4;

struct BarrierScene : Scene {
  using Peer = User<Barrier>;
  std::optional<Peer> user;
  std::vector<std::unique_ptr<Peer>>
      peers;                   // other agents of the witness: a round without the victim
  std::vector<Peer*> arrived;  // of the witness's, in the round of the play
  Waiter waiter;
  uint64_t round = 0;

  // ---- what an operation says of itself
  virtual uint32_t witnesss() const { return 0; }  // that have arrived before
  virtual bool has_waiter() const { return false; }

  Barrier& object() { return user->primitive; }
  static core::OpenRequest request() {
    core::OpenRequest request = request_for(Kind::barrier, "swept");
    request.initial = kParties;
    return request;
  }
  uint64_t round_now() { return core::Round::of(object().body().state.load()).number; }

  // ---- the victim

  void get_ready() override {
    user.emplace(request());
    facts->victim = user->id();
    round = round_now();
  }
  void finish() override { user.reset(); }

  // ---- the witness

  void arrive() override {
    user.emplace(request());
    for (uint32_t i = 0; i < kParties; i++) {
      peers.push_back(std::make_unique<Peer>(user->party.shared_store(), "swept"));
    }
  }
  void leave() override {
    peers.clear();
    user.reset();
  }
  void set_up() override {
    round = round_now();
    arrived.clear();
    for (uint32_t i = 0; i < witnesss(); i++) CHECK(peer_arrives(i) == ArrivalStatus::arrived);
    if (has_waiter()) waiter.enrol(object().body().waiters, user->party.agent());
  }
  ArrivalStatus peer_arrives(uint32_t i) {
    const Arrival arrival = peers[i]->primitive.arrive(false);
    if (arrival.status == ArrivalStatus::arrived || arrival.status == ArrivalStatus::passed) {
      CHECK_EQUAL(arrival.round, round);
      arrived.push_back(peers[i].get());
    }
    return arrival.status;
  }
  // Nobody has died, and so nobody breaks anything.
  void meanwhile() override {
    for (Peer* peer : arrived)
      facts->number = static_cast<uint64_t>(peer->primitive.check_round(round));
  }

  // The first look at a dead one breaks the round, and the second one says so.
  ArrivalStatus look(Peer& peer) {
    const ArrivalStatus status = peer->check_round(round);
    return status != ArrivalStatus::not_yet ? status : peer->check_round(round);
  }
  // What has become of the round, for all who have arrived in it.
  ArrivalStatus verdict() {
    const ArrivalStatus first = look(*arrived[0]);
    for (Peer* peer : arrived) CHECK(look(*peer) == first);
    return first;
  }
  // As many arrive as are missing, unless it is over.
  ArrivalStatus complete() {
    for (uint32_t i = static_cast<uint32_t>(arrived.size()); i < kParties; i++) {
      const ArrivalStatus status = peer_arrives(i);
      if (status != ArrivalStatus::arrived) break;
    }
    return arrived.empty() ? ArrivalStatus::broken : verdict();
  }
  void check_full_round() {
    CHECK_EQUAL(object().reset(), Code::ok);
    CHECK(!object().broken() && object().waiting() == 0);
    round = round_now();
    arrived.clear();
    CHECK(complete() == ArrivalStatus::passed);
    CHECK_EQUAL(arrived.size(), kParties);
    CHECK_EQUAL(core::count_waiting(object().body().waiters, user->party.registry()), 0u);
    CHECK_EQUAL(core::count_waiting(object().body().arrivals, user->party.registry()), 0u);
  }
  bool end_of_waiter() { return waiter.is_enrolled() && waiter.was_woken(); }

  // The rest of the round: `status` is what the first looks said. Says whether the operation took
  // place.
  virtual Progress judge(ArrivalStatus status) = 0;

  Progress check() override {
    const bool waits = waiter.is_enrolled(), woken = end_of_waiter();
    if (waits && !facts->died) CHECK(woken);  // INV-4
    const Progress progress = judge(arrived.empty() ? ArrivalStatus::not_yet : verdict());
    check_full_round();
    return progress;
  }
};

// ---------------------------------------------------------------- arriving

// Nobody has looked when the others arrive: the last one to arrive finds the dead one, and the
// round is broken.
struct ArriveFirst : BarrierScene {
  void operate() override { CHECK(object().arrive(false).status == ArrivalStatus::arrived); }
  void afterwards() override { CHECK_EQUAL(object().waiting(), 1u); }
  Progress judge(ArrivalStatus) override {
    const bool counted = object().waiting() == 1;
    for (uint32_t peer = 0; peer + counted < kParties; peer++) {
      const bool is_last = peer + counted + 1 == kParties;
      const ArrivalStatus end = counted ? ArrivalStatus::broken : ArrivalStatus::passed;
      CHECK(peer_arrives(peer) == (is_last ? end : ArrivalStatus::arrived));
    }
    CHECK(verdict() == (counted ? ArrivalStatus::broken : ArrivalStatus::passed));
    return counted ? Progress::done : Progress::not_done;
  }
};
OPERATION("Barrier", "arrive, first", ArriveFirst);

// Somebody looks before the last ones arrive.
struct ArriveSecond : BarrierScene {
  uint32_t witnesss() const override { return 1; }
  void operate() override { CHECK(object().arrive(false).status == ArrivalStatus::arrived); }
  void afterwards() override { CHECK_EQUAL(object().waiting(), 2u); }
  Progress judge(ArrivalStatus status) override {
    // Died, and counted: broken. Died before that: nobody has come. Lived: its agent has ended by
    // now.
    if (!facts->died) CHECK(status == ArrivalStatus::broken);
    CHECK(status == ArrivalStatus::broken || status == ArrivalStatus::not_yet);
    CHECK(complete() ==
          (status == ArrivalStatus::broken ? ArrivalStatus::broken : ArrivalStatus::passed));
    return status == ArrivalStatus::broken ? Progress::done : Progress::not_done;
  }
};
OPERATION("Barrier", "arrive, second", ArriveSecond);

struct ArriveLast : BarrierScene {
  uint32_t witnesss() const override { return kParties - 1; }
  bool has_waiter() const override { return true; }
  void operate() override { CHECK(object().arrive(false).status == ArrivalStatus::passed); }
  Progress judge(ArrivalStatus status) override {
    CHECK(status == ArrivalStatus::passed || (facts->died && status == ArrivalStatus::not_yet));
    if (status == ArrivalStatus::not_yet) CHECK(complete() == ArrivalStatus::passed);
    return status == ArrivalStatus::passed ? Progress::done : Progress::not_done;
  }
};
OPERATION("Barrier", "arrive, last", ArriveLast);

// What is remembered of a round's end has just gone to the round that is 64 later: one that broke
// must not look as if all had been there.
struct ArriveLastAfterBreak : ArriveLast {
  uint64_t broke = 0;
  void set_up() override {
    broke = round_now();
    CHECK_EQUAL(object().abort(), Code::ok);
    CHECK_EQUAL(object().reset(), Code::ok);
    while (round_now() < broke + 64) peers[0]->primitive.arrive(false);
    ArriveLast::set_up();
  }
  Progress judge(ArrivalStatus status) override {
    CHECK(peers[0]->primitive.check_round(broke) == ArrivalStatus::broken);
    return ArriveLast::judge(status);
  }
};
OPERATION("Barrier", "arrive, last, long after a break", ArriveLastAfterBreak);

struct Act : BarrierScene {
  uint32_t witnesss() const override { return kParties - 1; }
  bool has_waiter() const override { return true; }
  void operate() override {
    const Arrival arrival = object().arrive(true);
    CHECK(arrival.status == ArrivalStatus::act);
    CHECK(object().finish(arrival.round) == ArrivalStatus::passed);
  }
  Progress judge(ArrivalStatus status) override {
    if (!facts->died) CHECK(status == ArrivalStatus::passed);
    // Died acting: broken for all. Before it: another one comes last.
    if (status == ArrivalStatus::not_yet) CHECK(complete() == ArrivalStatus::passed);
    return status == ArrivalStatus::passed ? Progress::done : Progress::not_done;
  }
};
OPERATION("Barrier", "arrive, last, act and finish", Act);

struct WaitToArrive : BarrierScene {
  uint32_t witnesss() const override { return kParties - 1; }
  // Somebody acts, so that nobody may arrive.
  void set_up() override {
    BarrierScene::set_up();
    CHECK(peers[kParties - 1]->primitive.arrive(true).status == ArrivalStatus::act);
    arrived.push_back(peers[kParties - 1].get());
  }
  void operate() override {
    CHECK(!object().wait_to_arrive(false, now_ns() + platform::kNanosPerMilli));
  }
  Progress judge(ArrivalStatus status) override {
    CHECK(status == ArrivalStatus::not_yet);
    CHECK((*arrived.back())->finish(round) == ArrivalStatus::passed);
    CHECK(verdict() == ArrivalStatus::passed);
    return Progress::unknown;
  }
};
OPERATION("Barrier", "wait to arrive, timing out", WaitToArrive);

// ---------------------------------------------------------------- waiting

struct Wait : BarrierScene {
  uint32_t witnesss() const override { return 1; }
  void get_ready() override {
    BarrierScene::get_ready();
    CHECK(object().arrive(false).status == ArrivalStatus::arrived);
  }
  void operate() override {
    const ArrivalStatus status = object().wait(round, now_ns() + platform::kNanosPerMilli);
    CHECK(status == ArrivalStatus::not_yet || status == ArrivalStatus::passed);
    facts->told = status == ArrivalStatus::passed;
  }
  void meanwhile() override {
    CHECK(peer_arrives(1) == ArrivalStatus::arrived);
    CHECK(peer_arrives(2) == ArrivalStatus::passed);
  }
  Progress judge(ArrivalStatus status) override {
    CHECK(status ==
          (arrived.size() == kParties - 1 ? ArrivalStatus::passed : ArrivalStatus::broken));
    return Progress::unknown;
  }
};
OPERATION("Barrier", "wait, timing out", Wait);

// One that has arrived is dead: the first to see it breaks the round.
struct LookAtDead : BarrierScene {
  uint32_t witnesss() const override { return 1; }
  bool has_casualty() const override { return true; }
  bool has_waiter() const override { return true; }
  void casualty() override {
    Peer dying(request());
    CHECK(dying->arrive(false).status == ArrivalStatus::arrived);
    kill(getpid(), SIGKILL);
  }
  void get_ready() override {
    BarrierScene::get_ready();
    CHECK(object().arrive(false).status == ArrivalStatus::arrived);
  }
  void operate() override { CHECK(look(*user) == ArrivalStatus::broken); }
  Progress judge(ArrivalStatus status) override {
    CHECK(status == ArrivalStatus::broken);
    return Progress::unknown;
  }
};
OPERATION("Barrier", "look at a dead one", LookAtDead);

// ---------------------------------------------------------------- breaking and resetting

struct Breaking : BarrierScene {
  uint32_t witnesss() const override { return kParties - 1; }
  bool has_waiter() const override { return true; }
  Progress judge(ArrivalStatus status) override {
    CHECK(status == ArrivalStatus::broken || (facts->died && status == ArrivalStatus::not_yet));
    if (status == ArrivalStatus::not_yet) CHECK(complete() == ArrivalStatus::passed);
    return status == ArrivalStatus::broken ? Progress::done : Progress::not_done;
  }
};
struct BreakRound : Breaking {
  void operate() override { CHECK_EQUAL(object().break_round(round), Code::ok); }
};
struct Abort : Breaking {
  void operate() override { CHECK_EQUAL(object().abort(), Code::ok); }
};
struct Reset : Breaking {
  void operate() override { CHECK_EQUAL(object().reset(), Code::ok); }
};
OPERATION("Barrier", "break a round", BreakRound);
OPERATION("Barrier", "abort", Abort);
OPERATION("Barrier", "reset, some have arrived", Reset);

struct ResetBroken : Breaking {
  bool has_waiter() const override { return false; }
  void set_up() override {
    Breaking::set_up();
    CHECK_EQUAL(object().abort(), Code::ok);
  }
  void operate() override { CHECK_EQUAL(object().reset(), Code::ok); }
  Progress judge(ArrivalStatus status) override {
    CHECK(status == ArrivalStatus::broken);
    if (!facts->died) CHECK(!object().broken());
    return object().broken() ? Progress::not_done : Progress::done;
  }
};
OPERATION("Barrier", "reset, broken", ResetBroken);

struct Abandon : BarrierScene {
  uint32_t witnesss() const override { return 1; }
  bool has_waiter() const override { return true; }
  void get_ready() override {
    BarrierScene::get_ready();
    CHECK(object().arrive(false).status == ArrivalStatus::arrived);
  }
  void operate() override {
    user->party.agent().end();
    object().abandon();
  }
  Progress judge(ArrivalStatus status) override {
    CHECK(status == ArrivalStatus::broken);
    return Progress::unknown;
  }
};
OPERATION("Barrier", "end of an agent that waits", Abandon);

}  // namespace

}  // namespace holdfast::test::sweeping
