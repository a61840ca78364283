// What somebody removed by hand: the file or the semaphore of a Lock that is in use, and a
// directory whose semaphores nobody can name any more.
#include <signal.h>
#include <unistd.h>

#include "store_scene.h"

namespace holdfast::test::sweeping {

namespace {

// The victim makes another one. The witness has the old one still, and changes over or not.
struct OpenWithoutSemaphore : StoreScene {
  bool witness_has_it() const override { return true; }
  void set_up() override {
    StoreScene::set_up();
    platform::unlink_semaphore(object->posix_name().c_str());
  }
  void operate() override { open(); }
  void afterwards() override {
    CHECK(party->store().look_at(*object).ok());
    use_unless_taken();
  }
};
OPERATION("Store", "open, a Lock in use without its semaphore", OpenWithoutSemaphore);

// The victim puts the name back, so that it opens what the witness has.
template <bool in_use>
struct OpenWithoutName : StoreScene {
  bool witness_has_it() const override { return in_use; }
  bool has_casualty() const override { return !in_use; }
  void casualty() override {
    enter();
    open();
    CHECK(unlink(file_of(kName).c_str()) == 0);
    kill(getpid(), SIGKILL);
  }
  void set_up() override {
    StoreScene::set_up();
    if (in_use) facts->number = object->tag();
  }
  void operate() override {
    // Not before: to enter the directory puts the name back, too.
    if (in_use) CHECK(unlink(file_of(kName).c_str()) == 0);
    open();
    if (in_use) CHECK_EQUAL(object->tag(), facts->number.load());
  }
  void afterwards() override {
    if (in_use) CHECK(party->store().look_at(*object).ok());
  }
};
OPERATION("Store", "open, a Lock in use without its name", OpenWithoutName<true>);
OPERATION("Store", "open, a Lock without its name, left by the dead", OpenWithoutName<false>);

// The next agent that enters takes it away; if that one dies on the way, the one after it does.
struct EnterAndSweep : StoreScene {
  std::shared_ptr<core::Store> store;
  bool witness_stays() const override { return false; }
  static std::string left() {
    // The key of the run, and the end of the process number: others play the scene beside us.
    const std::string& key = here().semaphore_prefix;
    return "/hf-" + key.substr(0, 6) + key.substr(10, 4) + "-0123456789abcde";
  }
  void set_up() override {
    platform::NamedSemaphore semaphore;
    CHECK(!platform::create_semaphore(left().c_str(), 1, &semaphore));
    platform::close_semaphore(semaphore);
  }
  void get_ready() override {}
  void operate() override { CHECK(core::Store::enter(here().directory, &store).ok()); }
  void finish() override { store.reset(); }
  Progress check() override {
    CHECK(core::Store::enter(here().directory, &store).ok());
    store.reset();
    // Elsewhere than in files nobody finds what is left.
    if (platform::semaphore_directory() == nullptr) platform::unlink_semaphore(left().c_str());
    CHECK(!semaphore_exists(left()));
    return StoreScene::check();
  }
};
OPERATION("Store", "enter, semaphores left by a removed directory", EnterAndSweep);

}  // namespace

}  // namespace holdfast::test::sweeping
