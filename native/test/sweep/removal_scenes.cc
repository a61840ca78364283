// What somebody removed by hand: the semaphore of a Lock that is in use, and a directory whose
// semaphores nobody can name any more.
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
