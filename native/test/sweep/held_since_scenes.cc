// Another agent looks at a lock that is held, and dies or stands still while it writes down since
// when. The lock goes on, and no later hold gets the time of an earlier one.
#include <optional>

#include "core/primitives/rlock.h"
#include "scene.h"

namespace holdfast::test::sweeping {

namespace {

using core::Lock;
using core::RLock;

template <class Primitive>
struct NoteHold : Scene {
  static constexpr const char* kName = "swept";
  std::optional<User<Primitive>> user;

  Primitive& object() { return user->primitive; }
  int64_t age_ms() {
    core::OwnedBody& body = object().body();
    return core::HeldSince(body.held_since).age_ms(body.acquisitions.load());
  }
  void acquire_anew() {
    CHECK_EQUAL(object().release(), Code::ok);
    CHECK(bool(object().try_acquire_or_rescue()));
  }

  void get_ready() override {
    user.emplace(kName);
    facts->victim = user->id();
  }
  void operate() override { object().note_hold(); }
  void finish() override { user.reset(); }

  void arrive() override { user.emplace(kName); }
  void leave() override { user.reset(); }
  void set_up() override { CHECK(bool(object().try_acquire_or_rescue())); }
  void meanwhile() override { acquire_anew(); }
  Progress check() override {
    const Progress progress = age_ms() >= 0 ? Progress::done : Progress::not_done;
    CHECK(object().is_held_by_caller());
    acquire_anew();
    CHECK_EQUAL(age_ms(), -1);
    object().note_hold();
    CHECK(age_ms() >= 0);
    CHECK_EQUAL(object().release(), Code::ok);
    return facts->died ? progress : Progress::unknown;
  }
};
OPERATION("Lock", "note since when it is held", NoteHold<Lock>);
OPERATION("RLock", "note since when it is held", NoteHold<RLock>);

}  // namespace

}  // namespace holdfast::test::sweeping
