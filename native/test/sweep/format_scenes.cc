// What another format left: after a death in the middle of remaking it, the next agent remakes it,
// and is told of the death that the old file told of.
#include <signal.h>
#include <unistd.h>

#include <optional>

#include "scene.h"

namespace holdfast::test::sweeping {

namespace {

constexpr const char* kName = "foreign";

// As a program with another format would have written it.
void make_foreign(const std::string& path) {
  std::string bytes = read_file(path);
  reinterpret_cast<core::Header*>(bytes.data())->version = core::kFormatVersion + 1;
  write_file(path, bytes);
}

struct ForeignScene : Scene {
  std::optional<Party> party;  // in each process its own
  bool has_casualty() const override { return true; }
  void finish() override { party.reset(); }
  void leave() override { party.reset(); }
  // May have to wait for the victim, who has the directory's lock.
  int standstill_ms() const override { return 30; }

  void check_nothing_left() {
    for (const std::string& name : names_in(here().directory)) {
      const bool is_object = name.rfind("object.", 0) == 0 || name.rfind("draft.", 0) == 0;
      if (is_object) fail(__FILE__, __LINE__, name + " is left");
    }
    CHECK(semaphores_left().empty());
  }
};

// The holder died, and the victim makes its object anew.
template <class Primitive>
struct OpenForeign : ForeignScene {
  core::Object* object = nullptr;
  core::OpenRequest request() const { return request_for(kind_of<Primitive>(), kName); }
  void open() { object = &party->open(request()); }

  void casualty() override {
    User<Primitive> dying(kName);
    CHECK(bool(acquire(dying)));
    make_foreign(file_of(kName));
    kill(getpid(), SIGKILL);
  }
  void get_ready() override {
    party.emplace();
    facts->victim = party->agent().id();
  }
  void operate() override { open(); }

  void arrive() override { party.emplace(); }
  void meanwhile() override { open(); }
  Progress check() override {
    check_semaphores_are_named();
    if (object == nullptr) open();
    check_semaphores_are_named();
    Primitive primitive(party->agent(), *object);
    const Outcome outcome = primitive.try_acquire_or_rescue();
    CHECK(bool(outcome) && outcome.abandoned);
    CHECK_EQUAL(primitive.release(), Code::ok);
    party->close(*std::exchange(object, nullptr));
    check_nothing_left();
    return Progress::unknown;
  }
};
OPERATION("Format", "open, Lock held by the dead", OpenForeign<core::Lock>);
OPERATION("Format", "open, RLock held by the dead", OpenForeign<core::RLock>);

// A maker died before: its draft is there.
struct OpenDraft : OpenForeign<core::Lock> {
  void casualty() override {
    in_child([] {
      User<core::Lock> dying(kName);
      CHECK(bool(acquire(dying)));
      make_foreign(file_of(kName));
      _exit(0);
    });
    die_at("store.remake.news");
    party.emplace();
    open();
  }
};
OPERATION("Format", "open, a draft is there", OpenDraft);

// Nobody uses the directory, and its registry has another format.
struct EnterForeign : ForeignScene {
  std::shared_ptr<core::Store> store;
  void casualty() override {
    Party dying;
    dying.open(request_for(Kind::queue, kName));
    make_foreign(here().directory + "/registry");
    kill(getpid(), SIGKILL);
  }
  void operate() override { CHECK(core::Store::enter(here().directory, &store).ok()); }
  void finish() override { store.reset(); }
  void meanwhile() override { party.emplace(); }
  Progress check() override {
    if (!party) party.emplace();
    party->close(party->open(Kind::queue, kName));
    check_nothing_left();
    party.reset();
    CHECK(names_in(here().directory).empty());
    return Progress::unknown;
  }
};
OPERATION("Format", "enter, registry of another format", EnterForeign);

}  // namespace

}  // namespace holdfast::test::sweeping
