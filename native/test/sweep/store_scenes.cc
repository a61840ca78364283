// The directory and its files: whoever dies in the middle of opening, closing, removing, entering
// or leaving, the next one enters, opens, uses and leaves, and nothing stays behind.
#include <signal.h>
#include <unistd.h>

#include <optional>

#include "core/primitives/condition.h"
#include "core/primitives/joinable_queue.h"
#include "scene.h"

namespace holdfast::test::sweeping {

namespace {

using core::Object;
using core::OpenRequest;

constexpr const char* kName = "swept";

// Goes once through what the object is there for, which must be possible at once and to the end.
// `abandoned` is what the first acquisition must say.
void use(Party& party, Object& object, bool abandoned = false) {
  switch (object.kind()) {
    case Kind::lock: {
      core::Lock lock(party.agent(), object);
      const Outcome outcome = lock.try_acquire_or_rescue();
      CHECK(bool(outcome));
      CHECK_EQUAL(outcome.abandoned, abandoned);
      return CHECK_EQUAL(lock.release(), Code::ok);
    }
    case Kind::rlock: {
      core::RLock lock(party.agent(), object);
      const Outcome outcome = lock.try_acquire_or_rescue();
      CHECK(bool(outcome));
      CHECK_EQUAL(outcome.abandoned, abandoned);
      return CHECK_EQUAL(lock.release(), Code::ok);
    }
    case Kind::semaphore: {
      core::Semaphore semaphore(party.agent(), object);
      CHECK(bool(semaphore.try_acquire_or_rescue()));
      return CHECK_EQUAL(semaphore.release(1), Code::ok);
    }
    case Kind::queue: {
      core::Queue queue(party.agent(), object);
      const core::Record record{7, "bytes", 5};
      size_t put = 0;
      std::vector<core::Record> records;
      CHECK(queue.put(&record, 1, &put) == core::TransferStatus::yes);
      CHECK(queue.get(1, &records) == core::TransferStatus::yes && records[0].type == 7);
      return;
    }
    case Kind::joinable_queue: {
      core::JoinableQueue queue(party.agent(), object);
      const core::Record record{7, "bytes", 5};
      size_t put = 0;
      core::Record taken;
      core::Lease lease;
      CHECK(queue.put(&record, 1, &put) == core::TransferStatus::yes);
      CHECK(queue.take(&taken, &lease) == core::TransferStatus::yes && taken.type == 7);
      CHECK_EQUAL(queue.done(lease), Code::ok);
      return CHECK(queue.finished());
    }
    case Kind::bounded_semaphore: {
      core::BoundedSemaphore semaphore(party.agent(), object);
      const Outcome outcome = semaphore.try_acquire_or_rescue();
      CHECK(bool(outcome));
      CHECK_EQUAL(outcome.abandoned, abandoned);
      return CHECK_EQUAL(semaphore.release_hold(outcome.hold), Code::ok);
    }
    case Kind::read_write_lock: {
      core::ReadWriteLock lock(party.agent(), object);
      const Outcome reads = lock.try_shared(core::WritersToBypass::nobody);
      CHECK(bool(reads) && lock.reading() == 1);
      CHECK_EQUAL(lock.release_shared(reads.hold), Code::ok);
      const Outcome writes = lock.try_exclusive();
      CHECK(bool(writes));
      CHECK_EQUAL(writes.abandoned, abandoned);
      return CHECK_EQUAL(lock.release_exclusive(writes.hold), Code::ok);
    }
    case Kind::event: {
      core::Event event(party.agent(), object);
      event.set();
      CHECK(event.is_set());
      return event.clear();
    }
    case Kind::condition: {
      core::Condition condition(party.agent(), object);
      CHECK(condition.bind(1));
      const int place = condition.begin();
      CHECK_EQUAL(condition.notify(2), 1u);
      return CHECK(condition.finish(place));
    }
    case Kind::barrier: {
      core::Barrier barrier(party.agent(), object);
      // Whoever had arrived is dead, and that is told until a reset.
      if (barrier.broken()) CHECK(barrier.reset() == core::Code::ok);
      return CHECK(barrier.arrive(false).status == core::ArrivalStatus::passed);
    }
    case Kind::shared_memory:
    case Kind::registry:
      return;
  }
}

// As much of it as its user may have done when it dies: not what is news afterwards.
void begin_to_use(Party& party, Object& object) {
  if (object.kind() == Kind::read_write_lock) {
    core::ReadWriteLock lock(party.agent(), object);
    CHECK(bool(lock.try_shared(core::WritersToBypass::nobody)));
    lock.body().turn = 1;
  }
  if (object.kind() == Kind::condition) {
    core::Condition condition(party.agent(), object);
    CHECK(condition.bind(1));
    CHECK_EQUAL(condition.begin(), 0);
    CHECK_EQUAL(condition.notify(1), 1u);
  }
  if (object.kind() == Kind::barrier) {
    core::Barrier barrier(party.agent(), object);
    CHECK(barrier.arrive(true).status == core::ArrivalStatus::act);
  }
}

struct StoreScene : Scene {
  std::optional<Party> party;  // in each process its own
  Object* object = nullptr;

  virtual OpenRequest request() const { return request_for(Kind::lock, kName); }
  std::optional<OpenRequest> prepared;  // by the victim: making it is no part of the operation
  virtual bool witness_stays() const { return true; }    // in the directory, from play to play
  virtual bool witness_has_it() const { return false; }  // open, during the operation
  virtual bool has_news() const { return false; }

  void enter() {
    party.emplace();
    facts->victim = party->agent().id();
    prepared = request();
  }

  // ---- the victim

  void get_ready() override { enter(); }
  void finish() override { party.reset(); }
  void open() { object = &party->open(prepared ? *prepared : request()); }
  void close() { party->close(*std::exchange(object, nullptr)); }

  // ---- the witness

  void arrive() override {
    if (witness_stays()) party.emplace();
  }
  void leave() override { party.reset(); }
  void set_up() override {
    CHECK(object == nullptr);
    if (witness_has_it()) open();
  }
  // May have to wait for the victim, who has the directory's lock.
  int standstill_ms() const override { return 30; }
  void meanwhile() override {
    if (!party) party.emplace();
    std::vector<core::Listing> listings;
    CHECK(party->store().list(&listings).ok());
    CHECK(listings.size() <= 1);
    if (object == nullptr) open();
    if (!has_news()) use_unless_taken();
  }
  // Not where the victim uses it, too.
  virtual void use_unless_taken() { use(*party, *object); }

  Progress check() override {
    check_semaphores_are_named();
    if (!party) party.emplace();
    std::vector<core::Listing> listings;
    CHECK(party->store().list(&listings).ok());
    CHECK(listings.size() <= 1);
    if (object == nullptr) open();
    use(*party, *object, has_news());
    check_semaphores_are_named();
    close();
    check_objects_gone();
    if (!witness_stays()) {
      party.reset();
      CHECK(names_in(here().directory).empty());
    }
    return Progress::unknown;
  }
  void check_objects_gone() {
    for (const std::string& name : names_in(here().directory)) {
      if (name.rfind("object.", 0) == 0) fail(__FILE__, __LINE__, name + " is left");
    }
    CHECK(semaphores_left().empty());
  }
};

// ---------------------------------------------------------------- open

template <Kind kind>
struct OpenNew : StoreScene {
  OpenRequest request() const override { return request_for(kind, kName); }
  void operate() override {
    open();
    facts->number = object->tag();
  }
  // Two objects of one name would exclude nobody.
  void afterwards() override {
    if (object != nullptr) CHECK_EQUAL(object->tag(), facts->number.load());
  }
};
OPERATION("Store", "open, new Lock", OpenNew<Kind::lock>);
OPERATION("Store", "open, new RLock", OpenNew<Kind::rlock>);
OPERATION("Store", "open, new Semaphore", OpenNew<Kind::semaphore>);
OPERATION("Store", "open, new Queue", OpenNew<Kind::queue>);
OPERATION("Store", "open, new JoinableQueue", OpenNew<Kind::joinable_queue>);
OPERATION("Store", "open, new Condition", OpenNew<Kind::condition>);
OPERATION("Store", "open, new Barrier", OpenNew<Kind::barrier>);

template <Kind kind>
struct OpenLongName : OpenNew<kind> {
  OpenRequest request() const override {
    return request_for(kind, std::string(core::kNameMax, 'n'));
  }
};
OPERATION("Store", "open, new RLock with a long name", OpenLongName<Kind::rlock>);
OPERATION("Store", "open, new Barrier with a long name", OpenLongName<Kind::barrier>);

template <Kind kind>
struct OpenShared : OpenNew<kind> {
  bool witness_has_it() const override { return true; }
};
OPERATION("Store", "open, in use", OpenShared<Kind::lock>);
OPERATION("Store", "open, a Queue in use", OpenShared<Kind::queue>);

// The holder died, and the object outlives it to say so.
template <class Primitive>
struct OpenWithNews : OpenNew<kind_of<Primitive>()> {
  bool has_casualty() const override { return true; }
  bool has_news() const override { return true; }
  void casualty() override {
    User<Primitive> dying(kName);
    CHECK(bool(acquire(dying)));
    kill(getpid(), SIGKILL);
  }
};
OPERATION("Store", "open, held by the dead", OpenWithNews<core::Lock>);
OPERATION("Store", "open, RLock held by the dead", OpenWithNews<core::RLock>);

template <Kind kind>
struct OpenLeftover : OpenNew<kind> {
  bool has_casualty() const override { return true; }
  void casualty() override {
    this->enter();
    this->open();
    kill(getpid(), SIGKILL);
  }
};
OPERATION("Store", "open, left by the dead", OpenLeftover<Kind::lock>);
OPERATION("Store", "open, Queue left by the dead", OpenLeftover<Kind::queue>);

// A file whose maker died just before it was whole.
struct OpenHalfMade : OpenNew<Kind::semaphore> {
  bool has_casualty() const override { return true; }
  void casualty() override {
    enter();
    die_at("store.make.semaphore");
    open();
  }
};
OPERATION("Store", "open, half-made", OpenHalfMade);

// Persistent, and its users died with the token in hand.
template <Kind kind, bool keeps_semaphore>
struct OpenPersistent : OpenNew<kind> {
  bool has_casualty() const override { return true; }
  OpenRequest request() const override {
    OpenRequest request = request_for(kind, kName);
    request.persistent = true;
    return request;
  }
  void casualty() override {
    this->enter();
    this->open();
    if (kind == Kind::lock) platform::try_wait(this->object->semaphore());
    begin_to_use(*this->party, *this->object);
    // As after a restart of the machine, where /dev/shm is not kept.
    if (!keeps_semaphore) platform::unlink_semaphore(this->object->header()->posix_name);
    kill(getpid(), SIGKILL);
  }
  Progress check() override {
    if (this->object == nullptr) this->open();
    use(*this->party, *this->object);
    CHECK(this->party->store().unlink(this->object).ok());
    this->close();
    this->check_objects_gone();
    return Progress::unknown;
  }
};
OPERATION("Store", "open, persistent", OpenPersistent<Kind::lock, true>);
OPERATION("Store", "open, persistent without semaphore", OpenPersistent<Kind::lock, false>);
OPERATION("Store", "open, persistent Queue", OpenPersistent<Kind::queue, true>);
OPERATION("Store", "open, persistent JoinableQueue", OpenPersistent<Kind::joinable_queue, true>);
OPERATION("Store", "open, persistent ReadWriteLock", OpenPersistent<Kind::read_write_lock, true>);
OPERATION("Store", "open, persistent Condition", OpenPersistent<Kind::condition, true>);
OPERATION("Store", "open, persistent Barrier", OpenPersistent<Kind::barrier, true>);

// A copy of the object's file: the semaphore that it names is the original's.
struct OpenCopy : OpenPersistent<Kind::lock, true> {
  void casualty() override {
    enter();
    open();
    const std::string path = file_of(kName), bytes = read_file(path);
    CHECK(unlink(path.c_str()) == 0);
    write_file(path, bytes);
    kill(getpid(), SIGKILL);
  }
};
OPERATION("Store", "open, a copy", OpenCopy);

// A second handle of the same process makes it persistent.
struct OpenAgain : OpenPersistent<Kind::lock, true> {
  bool has_casualty() const override { return false; }
  void get_ready() override {
    enter();
    party->open(request_for(Kind::lock, kName));
  }
};
OPERATION("Store", "open again, now persistent", OpenAgain);

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
