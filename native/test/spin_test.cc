// Spin: when a thread looks before it sleeps, and for how long.
#include "core/waiting/spin.h"

#include "support.h"

namespace holdfast::test {

using core::LongLooks;
using core::Spin;

namespace {

// Looks of one call that are all in vain.
int looks_of(Spin& spin, LongLooks& long_looks) {
  int looks = 0;
  CHECK(!spin.seldom(long_looks, [&] {
    looks++;
    return false;
  }));
  return looks;
}

}  // namespace

// Two threads that answer each other both sleep after looks in vain. Each wakes the other up too
// late for a short look.
TEST(who_has_looked_in_vain_looks_for_longer_now_and_then) {
  if (platform::processor_count() < 2) return;
  Spin spin;
  LongLooks long_looks;
  EVENTUALLY(looks_of(spin, long_looks) == 0);
  EVENTUALLY(looks_of(spin, long_looks) > 30);
}

TEST(who_sees_something_looks_again_at_once) {
  if (platform::processor_count() < 2) return;
  Spin spin;
  LongLooks long_looks;
  EVENTUALLY(looks_of(spin, long_looks) == 0);
  EVENTUALLY(spin.seldom(long_looks, [] { return true; }));
  CHECK(spin.looks());
}

}  // namespace holdfast::test
