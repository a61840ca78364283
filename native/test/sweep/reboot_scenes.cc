// The store after a reboot of the machine: the first to enter ends all objects, and the persistent
// ones too. Only macOS tells one boot from another, so the sweep has a current_boot() of its own.
#include <signal.h>
#include <unistd.h>

#include "store_scene.h"

namespace holdfast::test::sweeping {

namespace {

platform::Boot boot;  // as this process sees it. Zero: the system does not tell

}  // namespace

}  // namespace holdfast::test::sweeping

namespace holdfast::platform {

Boot current_boot() { return test::sweeping::boot; }

}  // namespace holdfast::platform

namespace holdfast::test::sweeping {

namespace {

OpenRequest persistent(Kind kind, const std::string& name) {
  OpenRequest request = request_for(kind, name);
  request.persistent = true;
  return request;
}

// Before the reboot somebody held a Lock and had a Queue open. Afterwards both are gone, and with
// them the news of that death.
struct EnterAfterReboot : StoreScene {
  std::shared_ptr<core::Store> store;

  EnterAfterReboot() { boot.words[0] = 2; }
  ~EnterAfterReboot() override { boot = {}; }

  bool witness_stays() const override { return false; }
  bool has_casualty() const override { return true; }
  // Refused where anything of that name is left.
  OpenRequest request() const override {
    OpenRequest request = persistent(Kind::lock, kName);
    request.exclusive = true;
    return request;
  }
  void casualty() override {
    boot.words[0] = 1;
    party.emplace();
    Object& held = party->open(persistent(Kind::lock, kName));
    CHECK(bool(core::Lock(party->agent(), held).try_acquire_or_rescue()));
    party->open(persistent(Kind::queue, "ends too"));
    kill(getpid(), SIGKILL);
  }
  void get_ready() override {}
  void operate() override { CHECK(core::Store::enter(here().directory, &store).ok()); }
  void finish() override { store.reset(); }

  Progress check() override {
    if (!party) party.emplace();
    if (object == nullptr) open();
    use(*party, *object);
    CHECK(party->store().unlink(object).ok());
    close();
    check_objects_gone();
    party.reset();
    CHECK(names_in(here().directory).empty());
    return Progress::unknown;
  }
};
OPERATION("Store", "enter, after a reboot", EnterAfterReboot);

}  // namespace

}  // namespace holdfast::test::sweeping
