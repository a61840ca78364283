// How it is found out that somebody died between two steps, and left an object free that nobody can
// have: nothing has moved for two slices.
//
// What was found, and when, is a word in the object, so it does not matter who looks, or through
// which handle: two tries in vain that are two slices apart are enough, of whatever programs.
//
// The word is advice and no more. It says when a rescue may be tried; whether the rescue gets in is
// decided elsewhere (INV-1). So an answer that comes too early is harmless. It can come too early
// beside a live agent that was stopped between its two steps, or beside one in another time
// namespace, where the clock differs.
#ifndef HOLDFAST_CORE_WAITING_PATIENCE_H
#define HOLDFAST_CORE_WAITING_PATIENCE_H

#include <atomic>
#include <cstdint>

namespace holdfast::core {

class Patience {
 public:
  // `word` is as in layout.h.
  explicit Patience(std::atomic<uint64_t>& word) : word_(word) {}

  // For a try that found the object free and could not have it. True if it was found so two slices
  // ago or earlier, and has not been acquired since. Then the two slices begin anew: of several
  // that look at once, one is told.
  bool exhausted(uint64_t acquisitions);

 private:
  std::atomic<uint64_t>& word_;
};

}  // namespace holdfast::core

#endif
