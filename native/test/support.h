// What the tests of the core have in common: time, shared memory, children, and a way to be an
// agent.
//
// A process that has a Store open must not fork: the child would share its file descriptions, and
// with them its locks, and keep its doorbell alive. So the process of the test itself only
// coordinates, or uses a Party in a block of its own before or after the children; Child checks
// that.
#ifndef HOLDFAST_TEST_SUPPORT_H
#define HOLDFAST_TEST_SUPPORT_H

#include <sys/mman.h>
#include <sys/types.h>
#include <unistd.h>

#include <atomic>
#include <functional>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "core/agents/agent.h"
#include "core/locks/lock_manager.h"
#include "core/primitives/barrier.h"
#include "core/primitives/bounded_semaphore.h"
#include "core/primitives/event.h"
#include "core/primitives/lock.h"
#include "core/primitives/read_write_lock.h"
#include "core/primitives/rlock.h"
#include "core/primitives/semaphore.h"
#include "core/store/store.h"
#include "framework.h"
#include "platform/platform.h"

namespace holdfast::test {

using core::AgentId;
using core::Code;
using core::Kind;
using core::Outcome;
using core::Status;

// ---------------------------------------------------------------- time

// The watchdog of one step: a failure, never a measurement.
constexpr int64_t kPatience_ms = 20'000;
constexpr int64_t kSlice_ms = core::kSlice_ns / platform::kNanosPerMilli;

int64_t now_ns();
double ms_since(int64_t then_ns);
void sleep_ms(int64_t ms);
// Keeps the processor busy: shorter than any sleep.
void spin_us(uint64_t us);

// Sanitizers and emulators make everything several times slower; the same time shall do.
bool has_sanitizer();
uint32_t scaled(uint32_t count);

[[noreturn]] void fail_never(const char* file, int line, const char* text);

// Waits, looking again every 100 us, until the condition holds.
template <class Condition>
void eventually(const char* file, int line, const char* text, Condition condition) {
  const int64_t deadline = now_ns() + kPatience_ms * platform::kNanosPerMilli;
  while (!condition()) {
    if (has_failed()) _exit(1);  // another process of this test has said why
    if (now_ns() >= deadline) fail_never(file, line, text);
    platform::sleep_ns(100'000);
  }
}
#define EVENTUALLY(...) \
  ::holdfast::test::eventually(__FILE__, __LINE__, #__VA_ARGS__, [&] { return (__VA_ARGS__); })

double median(std::vector<double> values);

// ---------------------------------------------------------------- chance

// splitmix64, from the seed of the test; each `stream` is another sequence.
class Random {
 public:
  explicit Random(uint64_t stream = 0);
  uint64_t next();
  uint64_t below(uint64_t limit) { return next() % limit; }
  bool one_in(uint64_t n) { return below(n) == 0; }

 private:
  uint64_t state_;
};

// ---------------------------------------------------------------- processes

// A T that this process and the children forked after it have in common.
template <class T>
class Shared {
 public:
  Shared() {
    void* base =
        mmap(nullptr, sizeof(T), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    if (base == MAP_FAILED) fail(__FILE__, __LINE__, "mmap");
    value_ = new (base) T();
  }
  ~Shared() { munmap(value_, sizeof(T)); }
  Shared(const Shared&) = delete;
  Shared& operator=(const Shared&) = delete;
  T* operator->() const { return value_; }
  T& operator*() const { return *value_; }

 private:
  T* value_;
};

// A forked process. It ends when `body` returns, when a check fails in it, and with its parent.
class Child {
 public:
  explicit Child(const std::function<void()>& body);
  ~Child();
  Child(Child&& other) noexcept : pid_(std::exchange(other.pid_, 0)) {}
  Child& operator=(Child&& other) noexcept {
    std::swap(pid_, other.pid_);
    return *this;
  }

  pid_t pid() const { return pid_; }
  void kill();    // SIGKILL; returns when it is gone with all that it had open
  void stop();    // SIGSTOP; returns when it stands still
  void resume();  // SIGCONT
  void join();    // waits for its end, which must be a good one

 private:
  pid_t pid_ = 0;
};

// Runs a body in a process of its own and waits for its end.
void in_child(const std::function<void()>& body);

// Runs `body` with 1 and with 2 in two processes that are both pid 1, and their threads both thread
// 1, each of a pid namespace of its own, over one directory: two containers that share /dev/shm.
// Skips the test where that is not allowed.
void in_two_pid_namespaces(const std::function<void(uint32_t)>& body);

// ---------------------------------------------------------------- names and files

std::string file_key_of(const std::string& name);
std::string semaphore_key_of(const std::string& name);
core::OpenRequest request_for(Kind kind, const std::string& name);

std::string file_of(const std::string& name);        // the path of the object's file
std::string posix_name_of(const std::string& name);  // "/hf-..."
bool file_exists(const std::string& path);
std::string read_file(const std::string& path);
void write_file(const std::string& path, const std::string& bytes);
std::vector<std::string> names_in(const std::string& directory);
bool semaphore_exists(const std::string& posix_name);

// ---------------------------------------------------------------- parties

// One agent with what it has open, as the thread of a Node process would be.
class Party {
 public:
  explicit Party(const std::string& directory = here().directory);
  // Another agent of the same process.
  explicit Party(std::shared_ptr<core::Store> store, uint32_t thread_id = 0);
  ~Party();
  Party(const Party&) = delete;
  Party& operator=(const Party&) = delete;

  core::Agent& agent() { return *agent_; }
  core::Store& store() { return *store_; }
  core::Registry& registry() { return store_->registry(); }
  const std::shared_ptr<core::Store>& shared_store() const { return store_; }

  core::Object& open(Kind kind, const std::string& name) { return open(request_for(kind, name)); }
  core::Object& open(const core::OpenRequest& request);
  Status try_open(const core::OpenRequest& request, core::Object** object);
  void close(core::Object& object);

 private:
  void begin(uint32_t thread_id);
  std::shared_ptr<core::Store> store_;
  std::unique_ptr<core::Agent> agent_;
  std::vector<core::Object*> open_;
};

template <class Primitive>
constexpr Kind kind_of() {
  if constexpr (std::is_same_v<Primitive, core::Lock>) return Kind::lock;
  if constexpr (std::is_same_v<Primitive, core::RLock>) return Kind::rlock;
  if constexpr (std::is_same_v<Primitive, core::Semaphore>) return Kind::semaphore;
  if constexpr (std::is_same_v<Primitive, core::BoundedSemaphore>) return Kind::bounded_semaphore;
  if constexpr (std::is_same_v<Primitive, core::ReadWriteLock>) return Kind::read_write_lock;
  if constexpr (std::is_same_v<Primitive, core::Event>) return Kind::event;
  if constexpr (std::is_same_v<Primitive, core::Barrier>) return Kind::barrier;
  if constexpr (std::is_same_v<Primitive, core::LockManager>) return Kind::lock_manager;
}

// A party and the one object that it uses.
template <class Primitive>
struct User {
  Party party;
  core::Object& object;
  Primitive primitive;

  explicit User(const std::string& name) : User(request_for(kind_of<Primitive>(), name)) {}
  explicit User(const core::OpenRequest& request)
      : object(party.open(request)), primitive(party.agent(), object) {}
  User(std::shared_ptr<core::Store> store, const std::string& name)
      : User(std::move(store), request_for(kind_of<Primitive>(), name)) {}
  User(std::shared_ptr<core::Store> store, const core::OpenRequest& request)
      : party(std::move(store)), object(party.open(request)), primitive(party.agent(), object) {}

  AgentId id() { return party.agent().id(); }
  Primitive* operator->() { return &primitive; }
};

// Enters and leaves: whatever may be swept is. Processes that were killed just before the last of
// the others left were still users when it looked, and so they leave something behind.
void sweep();

// ---------------------------------------------------------------- waiting, as the addon does it

// For waits in which a slice must not help: what nobody wakes runs into the watchdog.
constexpr int64_t kNoSlices_ns = 2 * kPatience_ms * platform::kNanosPerMilli;

// Sync: blocks in wait(), a slice at a time.
template <class Primitive>
Outcome acquire(User<Primitive>& user, int64_t timeout_ms = kPatience_ms,
                int64_t slice_ns = core::kSlice_ns) {
  const int64_t deadline = now_ns() + timeout_ms * platform::kNanosPerMilli;
  Outcome outcome = user->try_acquire_or_rescue();
  while (!outcome && now_ns() < deadline) {
    outcome = user->wait(std::min(deadline, now_ns() + slice_ns));
  }
  return outcome;
}

// Async: enrols, sleeps at the doorbell, looks on every wake-up and at every slice.
template <class Primitive>
Outcome acquire_at_doorbell(User<Primitive>& user, int64_t timeout_ms = kPatience_ms,
                            int64_t slice_ns = core::kSlice_ns) {
  const int64_t deadline = now_ns() + timeout_ms * platform::kNanosPerMilli;
  core::Agent& agent = user.party.agent();
  core::WaitSet& waiters = user->waiters();
  Outcome outcome = user->try_acquire_or_rescue();
  int index = -1;
  while (!outcome && now_ns() < deadline) {
    index = core::enrol_again(waiters, agent.registry(), agent.id(), 1, index);
    outcome = user->try_acquire_or_rescue();
    if (outcome) break;
    platform::wait_doorbell(&agent.doorbell(), std::min(deadline, now_ns() + slice_ns));
    agent.take_wakes();
    outcome = user->try_acquire_or_rescue();
  }
  if (!core::cancel(waiters, agent.id(), index)) {
    core::wake_one(waiters, agent.registry(), user.object.tag());
  }
  return outcome;
}

}  // namespace holdfast::test

#endif
