// An operation to sweep, with all that surrounds it.
//
// A scene is played once for each position. One process directs it, up to three others play:
//
//   casualty   dies before the rest begins, if the scene has one: for example a holder whose lock
//              is to be taken over
//   victim     does the operation, and is killed or stopped at the position
//   witness    lives through all positions. It sets the scene up, tries to get by while the victim
//              stands still, and checks afterwards whether everything is whole.
//
// Order of a play if the victim is
//   killed:  set_up, casualty, get_ready, operate until it is killed, check
//   stopped: set_up, casualty, get_ready, operate until it is stopped, meanwhile, the rest of
//            operate, afterwards, finish, check
//
// All processes are forked with one copy of the scene each. What they share is in `facts`, or in a
// Shared<> of the scene's own. To add an operation, derive a scene and register it:
//
//   struct TryAcquire : LockScene { void operate() override { took(user().try_acquire()); } };
//   OPERATION("Lock", "tryAcquire, free", TryAcquire);
#ifndef HOLDFAST_TEST_SWEEP_SCENE_H
#define HOLDFAST_TEST_SWEEP_SCENE_H

#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "../support.h"

namespace holdfast::test::sweeping {

// How far a killed operation had come, as others see it: `done` as soon as its effect is there.
enum class Progress : char { unknown = '?', not_done = '-', done = '+' };

struct Facts {
  std::atomic<AgentId> victim{0};
  std::atomic<AgentId> casualty{0};
  std::atomic<bool> died{false};      // the victim was killed; else it came to its end
  std::atomic<bool> returned{false};  // the operation did, and the victim knows its result
  std::atomic<bool> holds{false};     // the victim thinks that it holds what it asked for
  std::atomic<bool> told{false};      // ... and was told that the holder before it died
  std::atomic<uint64_t> number{0};    // for a scene's own use
};

// A witness that is refused goes on trying for longer than the two slices before a rescue.
constexpr int64_t kMeanwhile_ms = 130;

class Scene {
 public:
  virtual ~Scene() = default;

  // ---- the witness
  virtual void arrive() {}  // once
  virtual void set_up() {}
  virtual void meanwhile() {}  // ends by itself after about kMeanwhile_ms
  // After this time the victim goes on even if the witness is not through: it may wait for the
  // victim.
  virtual int standstill_ms() const { return kMeanwhile_ms + 50; }
  virtual void afterwards() {}  // the victim's operation has ended, and the victim waits
  virtual Progress check() = 0;
  virtual void leave() {}  // once; nothing may stay behind

  // ---- the casualty
  virtual bool has_casualty() const { return false; }
  virtual void casualty() {}  // is killed when it returns

  // ---- the victim
  virtual void get_ready() {}
  virtual void operate() = 0;
  virtual void finish() {}  // lets go of everything

  Shared<Facts> facts;
};

struct Operation {
  const char* object;
  const char* name;
  // Each run waits for 100 ms or more, so fewer positions are played.
  bool slow;
  std::function<std::unique_ptr<Scene>()> make;
};

std::vector<Operation>& operations();

template <class S>
struct Entry {
  Entry(const char* object, const char* name, bool slow = false) {
    operations().push_back({object, name, slow, [] { return std::make_unique<S>(); }});
  }
};
#define OPERATION(object, name, ...) OPERATION_AT(__LINE__, object, name, __VA_ARGS__)
#define OPERATION_AT(line, object, name, ...) OPERATION_AT_(line, object, name, __VA_ARGS__)
#define OPERATION_AT_(line, object, name, ...) \
  static const Entry<__VA_ARGS__> entry_##line(object, name)
#define SLOW_OPERATION(object, name, ...) SLOW_OPERATION_AT(__LINE__, object, name, __VA_ARGS__)
#define SLOW_OPERATION_AT(line, object, name, ...) \
  SLOW_OPERATION_AT_(line, object, name, __VA_ARGS__)
#define SLOW_OPERATION_AT_(line, object, name, ...) \
  static const Entry<__VA_ARGS__> entry_##line(object, name, true)

// ---- a waiter that does not sleep

// Enrolled by the witness; says afterwards whether a wake-up came.
class Waiter {
 public:
  void enrol(core::WaitSet& set, core::Agent& agent) {
    set_ = &set;
    agent_ = &agent;
    agent.take_wakes();
    index_ = core::enrol(set, agent.registry(), agent.id(), 1, core::WaitHow::at_doorbell);
    CHECK(index_ >= 0);
  }
  bool is_enrolled() const { return set_ != nullptr; }
  // Ends the enrolment. INV-5: woken once, or not at all.
  bool was_woken() {
    const bool woken = !core::cancel(*set_, agent_->id(), index_);
    set_ = nullptr;
    const size_t wakes = agent_->take_wakes().size();
    CHECK(wakes <= 1 && (wakes == 0 || woken));
    return wakes == 1;
  }

 private:
  core::WaitSet* set_ = nullptr;
  core::Agent* agent_ = nullptr;
  int index_ = -1;
};

// ---- kill points

// The process dies as it comes by this point: for casualties.
void die_at(const char* name);

// ---- for checks

// INV-10: every semaphore of this sweep is named by an object's file.
void check_semaphores_are_named();
std::vector<std::string> semaphores_left();

}  // namespace holdfast::test::sweeping

#endif
