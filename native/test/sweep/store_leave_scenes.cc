// The store: closing, unlinking, listing, entering and leaving; and the agents of its users.
#include <signal.h>
#include <unistd.h>

#include "store_scene.h"

namespace holdfast::test::sweeping {

namespace {

// ---------------------------------------------------------------- close

struct CloseLast : StoreScene {
  void get_ready() override {
    enter();
    open();
  }
  void operate() override { close(); }
};
OPERATION("Store", "close, last", CloseLast);

struct CloseShared : CloseLast {
  bool witness_has_it() const override { return true; }
};
OPERATION("Store", "close, not last", CloseShared);

struct CloseQueue : CloseLast {
  OpenRequest request() const override { return request_for(Kind::queue, kName); }
};
OPERATION("Store", "close, last of a Queue", CloseQueue);

// ---------------------------------------------------------------- unlink and list

struct Unlink : CloseLast {
  void operate() override {
    const Status status = party->store().unlink(Kind::lock, prepared->name, prepared->file_key);
    // Stopped, its name may be that of the witness's new object.
    CHECK(status.ok() || status.code == Code::not_found);
  }
  void meanwhile() override {
    std::vector<core::Listing> listings;
    CHECK(party->store().list(&listings).ok());
  }
};
OPERATION("Store", "unlink by name", Unlink);

struct UnlinkShared : Unlink {
  bool witness_has_it() const override { return true; }
  void operate() override { CHECK(party->store().unlink(object).ok()); }
  Progress check() override {
    // The name is gone or not; the object is its users' still. And a newcomer gets in.
    use(*party, *object);
    Party newcomer;
    Object& theirs = newcomer.open(request());
    use(newcomer, theirs);
    const bool unlinked = theirs.tag() != object->tag();
    newcomer.close(theirs);
    close();
    StoreScene::check();
    return unlinked ? Progress::done : Progress::not_done;
  }
};
OPERATION("Store", "unlink by handle, in use", UnlinkShared);

struct List : StoreScene {
  bool witness_has_it() const override { return true; }
  void operate() override {
    std::vector<core::Listing> listings;
    CHECK(party->store().list(&listings).ok());
    CHECK_EQUAL(listings.size(), 1u);
  }
};
OPERATION("Store", "list", List);

// ---------------------------------------------------------------- enter and leave

struct EnterFirst : StoreScene {
  std::shared_ptr<core::Store> store;
  bool witness_stays() const override { return false; }
  void get_ready() override {}
  void operate() override { CHECK(core::Store::enter(here().directory, &store).ok()); }
  void finish() override { store.reset(); }
};
OPERATION("Store", "enter, first", EnterFirst);

struct EnterHalfMade : EnterFirst {
  bool has_casualty() const override { return true; }
  void casualty() override {
    die_at("store.open_registry.state");
    enter();
  }
};
OPERATION("Store", "enter, registry half-made", EnterHalfMade);

struct EnterSecond : EnterFirst {
  bool witness_stays() const override { return true; }
};
OPERATION("Store", "enter, others there", EnterSecond);

// Slots, doorbells and objects of the dead are swept on the way.
struct EnterAfterDeath : EnterSecond {
  bool has_casualty() const override { return true; }
  void casualty() override {
    enter();
    open();
    party->open(request_for(Kind::queue, "swept too"));
    kill(getpid(), SIGKILL);
  }
  void meanwhile() override {}
  Progress check() override {
    // Nobody sweeps twice within a second; an open takes away what is in its own way.
    party->close(party->open(request_for(Kind::queue, "swept too")));
    return StoreScene::check();
  }
};
OPERATION("Store", "enter, after a death", EnterAfterDeath);

// An enter looks at some of the files. This is what comes after that.
struct SweepFurther : StoreScene {
  static constexpr int kFiles = 80;
  bool has_casualty() const override { return true; }
  void casualty() override {
    enter();
    for (int i = 0; i < kFiles; i++) {
      party->open(request_for(Kind::event, "left " + std::to_string(i)));
    }
    kill(getpid(), SIGKILL);
  }
  void operate() override { static_cast<void>(party->store().sweep_further()); }
  Progress check() override {
    {
      Party another;
      while (another.store().sweep_further()) continue;
    }
    return StoreScene::check();
  }
};
OPERATION("Store", "sweep further, after a death", SweepFurther);

struct LeaveLast : StoreScene {
  std::shared_ptr<core::Store> store;
  bool witness_stays() const override { return false; }
  void get_ready() override { CHECK(core::Store::enter(here().directory, &store).ok()); }
  void operate() override { store.reset(); }
  void finish() override {}
};
OPERATION("Store", "leave, last", LeaveLast);

struct LeaveFirst : LeaveLast {
  bool witness_stays() const override { return true; }
};
OPERATION("Store", "leave, others there", LeaveFirst);

// ---------------------------------------------------------------- agents

struct AgentScene : StoreScene {
  std::shared_ptr<core::Store> store;
  std::unique_ptr<core::Agent> agent;
  void begin() {
    CHECK(core::Agent::begin(store, 0, "victim", &agent).ok());
    facts->number = agent->id();
  }
  void get_ready() override { CHECK(core::Store::enter(here().directory, &store).ok()); }
  void finish() override {
    agent.reset();
    store.reset();
  }
  void meanwhile() override {
    const AgentId other = facts->number;
    if (other != 0 && party->registry().alive(other)) party->registry().wake(other, 1);
    StoreScene::meanwhile();
  }
  Progress check() override {
    // Nobody who is dead counts as alive, and a slot is to be had.
    if (facts->number != 0) CHECK(!party->registry().alive(facts->number));
    Party another(party->shared_store());
    CHECK(party->registry().alive(another.agent().id()));
    return StoreScene::check();
  }
};

struct AgentBegin : AgentScene {
  void operate() override { begin(); }
  // INV-7: who has been published does not look dead while it lives.
  void afterwards() override { CHECK(party->registry().alive(facts->number)); }
};
OPERATION("Agent", "begin", AgentBegin);

struct AgentEnd : AgentScene {
  void get_ready() override {
    AgentScene::get_ready();
    begin();
  }
  void operate() override { agent->end(); }
  void afterwards() override { CHECK(!party->registry().alive(facts->number)); }
};
OPERATION("Agent", "end", AgentEnd);

}  // namespace

}  // namespace holdfast::test::sweeping
