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

// How long one call of between_turns() waited before it looked for the first time.
template <class Turns>
int64_t first_look_ns(Spin& spin, Turns turns) {
  const int64_t begun_ns = platform::monotonic_ns();
  int64_t looked_ns = 0;
  CHECK(spin.between_turns(
      [&] {
        if (looked_ns == 0) looked_ns = platform::monotonic_ns();
        return true;
      },
      turns));
  return looked_ns - begun_ns;
}

constexpr int64_t kMicrosecond_ns = 1'000;

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

TEST(what_is_handed_over_is_looked_at_from_the_first_moment_on) {
  if (platform::processor_count() < 2) return;
  Spin spin;
  const auto same = [] { return uint64_t{1}; };
  for (int i = 0; i < 3; i++) CHECK(first_look_ns(spin, same) >= kMicrosecond_ns);
  EVENTUALLY(first_look_ns(spin, same) < kMicrosecond_ns);
}

// So it goes on only for as long as nobody has turns meanwhile.
TEST(what_others_have_turns_at_is_not_looked_at_in_the_first_microsecond) {
  if (platform::processor_count() < 2) return;
  Spin spin;
  uint64_t turn = 0;
  const auto next = [&] { return ++turn; };
  const auto same = [] { return uint64_t{1}; };
  for (int i = 0; i < 200; i++) CHECK(first_look_ns(spin, next) >= kMicrosecond_ns);
  EVENTUALLY(first_look_ns(spin, same) < kMicrosecond_ns);
  // It looks at once for a while, and finds out then.
  for (int i = 0; i < 200; i++) first_look_ns(spin, next);
  for (int i = 0; i < 200; i++) CHECK(first_look_ns(spin, next) >= kMicrosecond_ns);
}

}  // namespace holdfast::test
