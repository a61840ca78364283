// The store: opening an object, in each state that its file may be in.
#include <signal.h>
#include <unistd.h>

#include "store_scene.h"

namespace holdfast::test::sweeping {

namespace {

// ---------------------------------------------------------------- open

template <Kind kind>
struct OpenNew : StoreScene {
  OpenRequest request() const override { return request_for(kind, kName); }
  void operate() override {
    open();
    facts->number = object->tag();
  }
  // Two objects of one name would exclude nobody.
  void afterwards() override {
    if (object != nullptr) CHECK_EQUAL(object->tag(), facts->number.load());
  }
};
OPERATION("Store", "open, new Lock", OpenNew<Kind::lock>);
OPERATION("Store", "open, new RLock", OpenNew<Kind::rlock>);
OPERATION("Store", "open, new Semaphore", OpenNew<Kind::semaphore>);
OPERATION("Store", "open, new Queue", OpenNew<Kind::queue>);
OPERATION("Store", "open, new JoinableQueue", OpenNew<Kind::joinable_queue>);
OPERATION("Store", "open, new Condition", OpenNew<Kind::condition>);
OPERATION("Store", "open, new Barrier", OpenNew<Kind::barrier>);
OPERATION("Store", "open, new LockManager", OpenNew<Kind::lock_manager>);

template <Kind kind>
struct OpenLongName : OpenNew<kind> {
  OpenRequest request() const override {
    return request_for(kind, std::string(core::kNameMax, 'n'));
  }
};
OPERATION("Store", "open, new RLock with a long name", OpenLongName<Kind::rlock>);
OPERATION("Store", "open, new Barrier with a long name", OpenLongName<Kind::barrier>);

template <Kind kind>
struct OpenShared : OpenNew<kind> {
  bool witness_has_it() const override { return true; }
};
OPERATION("Store", "open, in use", OpenShared<Kind::lock>);
OPERATION("Store", "open, a Queue in use", OpenShared<Kind::queue>);

// The holder died, and the object outlives it to say so.
template <class Primitive>
struct OpenWithNews : OpenNew<kind_of<Primitive>()> {
  bool has_casualty() const override { return true; }
  bool has_news() const override { return true; }
  void casualty() override {
    User<Primitive> dying(kName);
    CHECK(bool(acquire(dying)));
    kill(getpid(), SIGKILL);
  }
};
OPERATION("Store", "open, held by the dead", OpenWithNews<core::Lock>);
OPERATION("Store", "open, RLock held by the dead", OpenWithNews<core::RLock>);

template <Kind kind>
struct OpenLeftover : OpenNew<kind> {
  bool has_casualty() const override { return true; }
  void casualty() override {
    this->enter();
    this->open();
    kill(getpid(), SIGKILL);
  }
};
OPERATION("Store", "open, left by the dead", OpenLeftover<Kind::lock>);
OPERATION("Store", "open, Queue left by the dead", OpenLeftover<Kind::queue>);

// A file whose maker died just before it was whole.
struct OpenHalfMade : OpenNew<Kind::semaphore> {
  bool has_casualty() const override { return true; }
  void casualty() override {
    enter();
    die_at("store.make.semaphore");
    open();
  }
};
OPERATION("Store", "open, half-made", OpenHalfMade);

// Persistent, and its users died with the token in hand.
template <Kind kind, bool keeps_semaphore>
struct OpenPersistent : OpenNew<kind> {
  bool has_casualty() const override { return true; }
  OpenRequest request() const override {
    OpenRequest request = request_for(kind, kName);
    request.persistent = true;
    return request;
  }
  void casualty() override {
    this->enter();
    this->open();
    if (kind == Kind::lock) platform::try_wait(this->object->semaphore());
    begin_to_use(*this->party, *this->object);
    // As after a restart of the machine, where /dev/shm is not kept.
    if (!keeps_semaphore) platform::unlink_semaphore(this->object->header()->posix_name);
    kill(getpid(), SIGKILL);
  }
  Progress check() override {
    if (this->object == nullptr) this->open();
    use(*this->party, *this->object);
    CHECK(this->party->store().unlink(this->object).ok());
    this->close();
    this->check_objects_gone();
    return Progress::unknown;
  }
};
OPERATION("Store", "open, persistent", OpenPersistent<Kind::lock, true>);
OPERATION("Store", "open, persistent without semaphore", OpenPersistent<Kind::lock, false>);
OPERATION("Store", "open, persistent Queue", OpenPersistent<Kind::queue, true>);
OPERATION("Store", "open, persistent JoinableQueue", OpenPersistent<Kind::joinable_queue, true>);
OPERATION("Store", "open, persistent ReadWriteLock", OpenPersistent<Kind::read_write_lock, true>);
OPERATION("Store", "open, persistent Condition", OpenPersistent<Kind::condition, true>);
OPERATION("Store", "open, persistent Barrier", OpenPersistent<Kind::barrier, true>);
OPERATION("Store", "open, persistent LockManager", OpenPersistent<Kind::lock_manager, true>);

// A copy of the object's file: the semaphore that it names is the original's.
struct OpenCopy : OpenPersistent<Kind::lock, true> {
  void casualty() override {
    enter();
    open();
    const std::string path = file_of(kName), bytes = read_file(path);
    CHECK(unlink(path.c_str()) == 0);
    write_file(path, bytes);
    kill(getpid(), SIGKILL);
  }
};
OPERATION("Store", "open, a copy", OpenCopy);

// The same process opens it a second time and makes it persistent.
struct OpenAgain : OpenPersistent<Kind::lock, true> {
  bool has_casualty() const override { return false; }
  void get_ready() override {
    enter();
    party->open(request_for(Kind::lock, kName));
  }
};
OPERATION("Store", "open again, now persistent", OpenAgain);

}  // namespace

}  // namespace holdfast::test::sweeping
