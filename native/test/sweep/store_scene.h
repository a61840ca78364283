// The directory and its files: after a death in the middle of opening, closing, removing, entering
// or leaving, the next one enters, opens, uses and leaves, and nothing stays behind.
#ifndef HOLDFAST_TEST_SWEEP_STORE_SCENE_H
#define HOLDFAST_TEST_SWEEP_STORE_SCENE_H

#include <optional>
#include <string>
#include <vector>

#include "core/primitives/condition.h"
#include "core/primitives/joinable_queue.h"
#include "scene.h"

namespace holdfast::test::sweeping {

using core::Object;
using core::OpenRequest;

inline constexpr const char* kName = "swept";

template <class Primitive>
void use_owned(Party& party, Object& object, bool abandoned) {
  Primitive lock(party.agent(), object);
  const Outcome outcome = lock.try_acquire_or_rescue();
  CHECK(bool(outcome));
  CHECK_EQUAL(outcome.abandoned, abandoned);
  CHECK_EQUAL(lock.release(), Code::ok);
}

inline void put_one(core::Queue& queue) {
  const core::Record record{7, "bytes", 5};
  size_t put = 0;
  CHECK(queue.put(&record, 1, &put) == core::TransferStatus::yes);
}

inline void use_read_write_lock(Party& party, Object& object, bool abandoned) {
  core::ReadWriteLock lock(party.agent(), object);
  const Outcome reads = lock.try_shared(core::WritersToBypass::nobody);
  CHECK(bool(reads) && lock.reading() == 1);
  CHECK_EQUAL(lock.release_shared(reads.hold), Code::ok);
  const Outcome writes = lock.try_exclusive();
  CHECK(bool(writes));
  CHECK_EQUAL(writes.abandoned, abandoned);
  CHECK_EQUAL(lock.release_exclusive(writes.hold), Code::ok);
}

inline void use_lock_manager(Party& party, Object& object, bool abandoned) {
  core::LockManager manager(party.agent(), object);
  const core::RequestAnswer answer = manager.request(core::LockName(u"name", 4), {});
  CHECK_EQUAL(answer.status, core::RequestStatus::granted);
  CHECK_EQUAL(answer.abandoned, abandoned);
  CHECK_EQUAL(manager.end(answer.id), core::RequestStatus::granted);
}

// Goes once through what the object is there for, which must be possible at once and to the end.
// `abandoned` is what the first acquisition must say.
inline void use(Party& party, Object& object, bool abandoned = false) {
  switch (object.kind()) {
    case Kind::lock:
      return use_owned<core::Lock>(party, object, abandoned);
    case Kind::rlock:
      return use_owned<core::RLock>(party, object, abandoned);
    case Kind::semaphore: {
      core::Semaphore semaphore(party.agent(), object);
      CHECK(bool(semaphore.try_acquire_or_rescue()));
      return CHECK_EQUAL(semaphore.release(1), Code::ok);
    }
    case Kind::queue: {
      core::Queue queue(party.agent(), object);
      std::vector<core::Record> records;
      put_one(queue);
      CHECK(queue.get(1, &records) == core::TransferStatus::yes && records[0].type == 7);
      return;
    }
    case Kind::joinable_queue: {
      core::JoinableQueue queue(party.agent(), object);
      core::Record taken;
      core::Lease lease;
      put_one(queue);
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
    case Kind::read_write_lock:
      return use_read_write_lock(party, object, abandoned);
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
      // The party that had arrived is dead, and that is told until a reset.
      if (barrier.broken()) CHECK(barrier.reset() == core::Code::ok);
      return CHECK(barrier.arrive(false).status == core::ArrivalStatus::passed);
    }
    case Kind::lock_manager:
      return use_lock_manager(party, object, abandoned);
    case Kind::shared_memory:
    case Kind::registry:
      return;
  }
}

// As much of it as its user may have done when it dies: not what is news afterwards.
inline void begin_to_use(Party& party, Object& object) {
  if (object.kind() == Kind::read_write_lock) {
    core::ReadWriteLock lock(party.agent(), object);
    CHECK(bool(lock.try_shared(core::WritersToBypass::nobody)));
    lock.body().turn = 1;
  }
  if (object.kind() == Kind::lock_manager) {
    core::LockManager manager(party.agent(), object);
    const core::LockName name(u"shared", 6);
    CHECK_EQUAL(manager.request(name, {false, false, false}).status, core::RequestStatus::granted);
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
      check_directory_is_empty();
    }
    return Progress::unknown;
  }
  void check_directory_is_empty() {
    bear_with_the_dead([] { return names_in(here().directory).empty(); });
    for (const std::string& name : names_in(here().directory)) {
      fail(__FILE__, __LINE__, name + " is left");
    }
  }
  void check_objects_gone() {
    bear_with_the_dead([] { return objects_left().empty(); });
    for (const std::string& name : objects_left()) fail(__FILE__, __LINE__, name + " is left");
    CHECK(semaphores_left().empty());
  }
  static std::vector<std::string> objects_left() {
    std::vector<std::string> left;
    for (const std::string& name : names_in(here().directory)) {
      if (name.rfind("object.", 0) == 0 || name.rfind("spare.", 0) == 0) left.push_back(name);
    }
    return left;
  }
  // The system holds the files of a dead process open while somebody reads its memory map in /proc.
  // Then they look in use, and who comes next takes them away.
  template <class Look>
  static void bear_with_the_dead(Look is_clean) {
    const int64_t deadline_ns =
        platform::monotonic_ns() + 2 * core::kSlice_ms * platform::kNanosPerMilli;
    while (!is_clean() && platform::monotonic_ns() < deadline_ns) Party another;
  }
};

}  // namespace holdfast::test::sweeping

#endif
