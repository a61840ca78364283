// The invariants of docs/architecture.md, checked while the program runs.
//
// HOLDFAST_INVARIANT(INV_1, condition) ends the process if the condition is false, and its message
// names the invariant. It is on in the C++ tests, in the sweep and in the addons that are built
// with a sanitizer (HOLDFAST_INVARIANTS). A build for users compiles the condition and never
// evaluates it, so a condition must change nothing.
//
// A condition speaks of what this code has just done. Words that another program may have written
// over are no matter for it: for those there is Code::corrupt.
//
// INV-2, INV-4, INV-5, INV-6, INV-23 to INV-25 and INV-27 have no check, because no place in the
// code sees both ends of them. docs/architecture.md says which model and which test hold each.
#ifndef HOLDFAST_CORE_INVARIANT_H
#define HOLDFAST_CORE_INVARIANT_H

#ifdef HOLDFAST_INVARIANTS

#include <cstdio>
#include <cstdlib>

#endif

namespace holdfast::core {

// Those that are checked. A name that is not here does not compile.
enum class Invariant {
  INV_1 = 1,
  INV_3 = 3,
  INV_7 = 7,
  INV_8 = 8,
  INV_9 = 9,
  INV_10 = 10,
  INV_11 = 11,
  INV_12 = 12,
  INV_13 = 13,
  INV_14 = 14,
  INV_15 = 15,
  INV_16 = 16,
  INV_17 = 17,
  INV_18 = 18,
  INV_19 = 19,
  INV_22 = 22,
  INV_26 = 26,
  INV_29 = 29,
};

#ifdef HOLDFAST_INVARIANTS

[[noreturn]] inline void report_broken(Invariant invariant, const char* condition, const char* file,
                                       int line) {
  fprintf(stderr, "INV-%d is broken at %s:%d: %s\n", static_cast<int>(invariant), file, line,
          condition);
  abort();
}

#define HOLDFAST_INVARIANT(name, ...)                                                 \
  ((__VA_ARGS__) ? void()                                                             \
                 : ::holdfast::core::report_broken(::holdfast::core::Invariant::name, \
                                                   #__VA_ARGS__, __FILE__, __LINE__))

#else

#define HOLDFAST_INVARIANT(name, ...) \
  static_cast<void>(sizeof((__VA_ARGS__) ? int(::holdfast::core::Invariant::name) : 0))

#endif

}  // namespace holdfast::core

#endif
