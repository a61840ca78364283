// Looks a few times before a thread goes to sleep. To sleep and to be woken costs both threads
// several microseconds of work, and costs the waiter much more time. Correctness does not depend on
// it: a thread that has looked in vain waits as if it had not.
#ifndef HOLDFAST_CORE_WAITING_SPIN_H
#define HOLDFAST_CORE_WAITING_SPIN_H

#include <utility>

#include "core/agents/long_looks.h"
#include "platform/platform.h"

namespace holdfast::core {

// Spins until then, or until `look` returns true, and says whether it did.
template <class Look>
bool spin_until(int64_t until_ns, Look look) {
  do {
    for (int i = 0; i < 8; i++) {
      platform::pause();
      if (look()) return true;
    }
  } while (platform::monotonic_ns() < until_ns);
  return false;
}

class Spin {
 public:
  // Returns true as soon as `look` does. `look` must be cheap and change nothing, because the event
  // loop stands still meanwhile.
  template <class Look>
  bool operator()(Look look) {
    return spin(look, [] { return true; });
  }

  // The same for what one thread fills and another one empties. It looks once a microsecond: to
  // look takes the words that the other one writes to this processor, and what it writes meanwhile
  // is taken over at once (docs/adr/0073-words-that-move.md).
  //
  // Two threads may answer each other, and both of them sleep meanwhile. A look of one of them is
  // then in vain, because the other one has to wake up first. So after a while this one looks for
  // longer, and both are awake again (docs/adr/0077-answers.md).
  template <class Look>
  bool seldom(LongLooks& long_looks, Look look) {
    const auto never = [] { return false; };
    if (looks() || !long_looks.is_due()) return spin(look, never);
    skips_ = 0;
    return spin(look, never, kLongLook_ns);
  }

  // The same as the first for what is free between two turns, and `turns` counts them. While one
  // turn lasts, it looks all the time, and so has the next one. Turns that are over within a
  // microsecond are let go by, except for those few after which it looks: if two threads changed
  // places after each, the words of the object would move from one processor to the other each
  // time, and that takes longer than such a turn.
  //
  // Where it was left free for this thread several times, nobody has such turns: somebody hands it
  // over. Then it looks all the time from the first moment on, and tries now and then whether it
  // is still so (docs/adr/0080-handed-over.md).
  template <class Look, class Turns>
  bool between_turns(Look look, Turns turns) {
    const uint64_t before = turns();
    const bool is_prompt = prompt_ > 0;
    if (is_prompt) prompt_--;
    uint64_t seen = is_prompt ? before : before - 1;
    if (!spin(look, [&] { return std::exchange(seen, turns()) == seen; })) return false;
    if (!is_prompt) was_left_free(turns() == before);
    return true;
  }

  // Will the next call look? It does not after calls that looked in vain.
  bool looks() const { return skips_ == 0; }

 private:
  // `looks_often` is asked every microsecond. After each it looks in any case.
  template <class Look, class LooksOften>
  bool spin(Look look, LooksOften looks_often, int64_t longest_ns = kLongest_ns) {
    // On one processor no other thread runs while this one spins.
    static const bool is_only_processor = platform::processor_count() < 2;
    if (is_only_processor) return false;
    if (skips_ > 0) {
      skips_--;
      return false;
    }
    int64_t now_ns = platform::monotonic_ns();
    const int64_t end_ns = now_ns + longest_ns;
    for (; now_ns < end_ns; now_ns = platform::monotonic_ns()) {
      const bool often = looks_often();
      if (spin_until(now_ns + kInterval_ns, [&] { return often && look(); })) return hit();
      if (look()) return hit();
    }
    if (misses_ < kMissesMax) misses_++;
    skips_ = (1u << misses_) - 1;
    return false;
  }

  bool hit() {
    misses_ = 0;
    return true;
  }

  void was_left_free(bool was) {
    left_free_ = was ? left_free_ + 1 : 0;
    if (left_free_ < kLeftFree) return;
    left_free_--;
    prompt_ = kPrompt;
  }

  static constexpr int64_t kLongest_ns = 20'000;  // about what sleeping and being woken costs
  static constexpr int64_t kLongLook_ns = 4 * kLongest_ns;
  static constexpr int64_t kInterval_ns = 1'000;
  static constexpr uint32_t kMissesMax = 10;
  static constexpr uint32_t kLeftFree = 4;
  static constexpr uint32_t kPrompt = 63;
  uint32_t left_free_ = 0;  // times in a row
  uint32_t prompt_ = 0;     // how many calls look from the first moment on
  uint32_t misses_ = 0;     // in a row
  uint32_t skips_ = 0;      // calls that do not look: the more misses, the more of them
};

}  // namespace holdfast::core

#endif
