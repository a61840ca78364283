// The store: what crashes leave behind, and makers that are killed.
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>

#include "host.h"
#include "store_suite.h"

namespace holdfast::test {

// ---------------------------------------------------------------- what crashes leave

TEST(half_made_files_are_remade) {
  const std::string good_lock = good_file(Kind::lock, "unfinished");
  const std::string good_rlock = good_file(Kind::rlock, "unfinished");
  const auto rewritten = [](std::string bytes, auto change) {
    change(header_of(bytes));
    return bytes;
  };
  for (const Kind kind : {Kind::lock, Kind::rlock, Kind::semaphore}) {
    remakes(kind, "", false);
    remakes(kind, std::string(kObjectLength, '\0'), false);
    remakes(kind, std::string(sizeof(Header), '\0'), false);
  }
  // The header is written and the magic number not yet.
  remakes(Kind::rlock, rewritten(good_rlock, [](Header& h) { h.magic = 0; }), false);
  remakes(Kind::rlock,
          rewritten(good_rlock,
                    [](Header& h) {
                      h.magic = 0;
                      h.state = State::making;
                    }),
          false);
  remakes(Kind::lock,
          rewritten(good_lock,
                    [](Header& h) {
                      h.magic = 0;
                      h.state = State::making;
                    }),
          false);
  // The name of the semaphore is there; the semaphore may be.
  const auto making = [](Header& h) { h.state = State::making; };
  remakes(Kind::lock, rewritten(good_lock, making), false);
  remakes(Kind::lock, rewritten(good_lock, making), true);
  // Killed in destroy(): the semaphore is gone and the file is not.
  const auto not_persistent = [](Header& h) { h.flags = 0; };
  remakes(Kind::lock, rewritten(good_lock, not_persistent), false);
  remakes(Kind::lock, rewritten(good_lock, not_persistent), true);
}

TEST(a_persistent_semaphore_that_is_gone_is_made_again) {
  write_original(file_of("kept"), good_file(Kind::lock, "kept"));  // as after a restart
  User<Lock> lock("kept");
  CHECK(bool(lock->try_acquire_or_rescue()));
  CHECK(!platform::try_wait(lock.object.semaphore()));
  CHECK_EQUAL(lock->release(), Code::ok);
  CHECK(lock.party.store().unlink(&lock.object).ok());
}

// What is made for a file that was written over must be what is taken away again.
TEST(a_semaphore_is_made_by_the_name_of_its_object_and_not_by_that_in_the_file) {
  const std::string wrong = posix_name_of("wrong");
  std::string bytes = good_file(Kind::lock, "kept");
  memcpy(header_of(bytes).posix_name, wrong.c_str(), wrong.size() + 1);
  write_original(file_of("kept"), bytes);
  User<Lock> lock("kept");
  CHECK_EQUAL(lock.object.posix_name(), posix_name_of("kept"));
  CHECK_EQUAL(std::string(lock.object.header()->posix_name), posix_name_of("kept"));
  CHECK(!semaphore_exists(wrong));
  CHECK(lock.party.store().unlink(&lock.object).ok());
}

TEST(a_copy_of_an_object_has_a_semaphore_of_its_own) {
  const std::string copy = here().directory + "/copy";
  CHECK(mkdir(copy.c_str(), 0700) == 0);
  {
    User<Lock> original(persistent(Kind::lock, "it"));
    const Outcome held = original->try_acquire_or_rescue();
    CHECK(bool(held));
    copy_objects_to(copy);
    {
      Party party(copy);
      OpenRequest request = existing(Kind::lock, "it");
      request.semaphore_key = semaphore_key_of("it, copied");
      core::Object& object = party.open(request);
      CHECK_EQUAL(object.posix_name(), posix_name_of("it, copied"));
      Lock lock(party.agent(), object);
      CHECK(lock.try_acquire_or_rescue().abandoned);  // nobody here has the holder's id
      CHECK_EQUAL(lock.release(), Code::ok);
      CHECK(!platform::try_wait(original.object.semaphore()));
      CHECK(party.store().unlink(&object).ok());
    }
    CHECK(semaphore_exists(posix_name_of("it")));
    CHECK_EQUAL(original->release_hold(held.hold), Code::ok);
    CHECK(original.party.store().unlink(&original.object).ok());
  }
  CHECK(rmdir(copy.c_str()) == 0);
}

TEST(what_removes_a_copy_leaves_the_semaphore_of_the_original) {
  const std::string copy = here().directory + "/copy";
  CHECK(mkdir(copy.c_str(), 0700) == 0);
  {
    User<Semaphore> swept("swept");
    User<Semaphore> kept(persistent(Kind::semaphore, "kept"));
    copy_objects_to(copy);
    {
      Party party(copy);
      CHECK(!file_exists(copy + "/object." + file_key_of("swept")));
      const std::string key = file_key_of("kept");
      CHECK(party.store().unlink(Kind::semaphore, "kept", key).ok());
    }
    CHECK(names_in(copy).empty());
    CHECK(semaphore_exists(posix_name_of("swept")) && semaphore_exists(posix_name_of("kept")));
    CHECK(kept.party.store().unlink(&kept.object).ok());
  }
  CHECK(rmdir(copy.c_str()) == 0);
}

// By whatever path others come to it, it has one; and no other directory has the same.
TEST(the_identity_of_a_directory) {
  const std::string inner = here().directory + "/inner", link = here().directory + "/link";
  CHECK(mkdir(inner.c_str(), 0700) == 0 && symlink(here().directory.c_str(), link.c_str()) == 0);
  {
    Party outside, inside(inner), around(link + "/inner");
    CHECK_EQUAL(inside.store().identity(), around.store().identity());
    CHECK(inside.store().identity() != outside.store().identity());
  }
  CHECK(unlink(link.c_str()) == 0 && rmdir(inner.c_str()) == 0);
}

TEST(a_half_made_registry_is_remade) {
  const std::string path = here().directory + "/registry";
  for (const size_t length : {size_t{0}, core::kRegistryLength, size_t{4096}}) {
    write_file(path, std::string(length, '\0'));
    User<Lock> lock("any");
    CHECK(bool(lock->try_acquire_or_rescue()));
    CHECK_EQUAL(lock->release(), Code::ok);
  }
  CHECK(directory_is_empty());
}

TEST(leftovers_of_non_holders_are_swept) {
  for (const bool anonymous : {false, true}) {
    for (const Kind kind : {Kind::lock, Kind::rlock, Kind::semaphore}) {
      OpenRequest request = request_for(kind, "left");
      request.anonymous = anonymous;
      if (kind == Kind::lock) leave_by_death<Lock>(request, false);
      if (kind == Kind::rlock) leave_by_death<RLock>(request, false);
      if (kind == Kind::semaphore) leave_by_death<Semaphore>(request, true);
      CHECK(file_exists(file_of("left")));
      std::shared_ptr<Store> store;
      CHECK(Store::enter(here().directory, &store).ok());
      CHECK_EQUAL(names_in(here().directory).size(), 1u);  // the registry
      CHECK(!semaphore_exists(posix_name_of("left")));
      store.reset();
      CHECK(directory_is_empty());
    }
  }
}

template <class Primitive>
static void adopts_what_a_dead_holder_left() {
  const Kind kind = kind_of<Primitive>();
  leave_by_death<Primitive>(request_for(kind, "named"), true);
  sweep();
  CHECK(file_exists(file_of("named")));
  {
    Party party;
    std::vector<core::Listing> listings;
    CHECK(party.store().list(&listings).ok());
    CHECK(listings.size() == 1 && listings[0].name == "named" && !listings[0].in_use);
    CHECK_EQUAL(open_code(party, existing(kind, "named")), Code::not_found);
  }
  // Opened and closed without a look, it still has its news.
  {
    Party party;
    party.open(kind, "named");
  }
  CHECK(file_exists(file_of("named")));
  {
    User<Primitive> user("named");
    User<Primitive> other("named");
    const Outcome outcome = acquire(user);
    CHECK(bool(outcome) && outcome.abandoned);
    CHECK(!other->try_acquire_or_rescue());
    CHECK_EQUAL(user->release(), Code::ok);
    const Outcome next = other->try_acquire_or_rescue();
    CHECK(bool(next) && !next.abandoned);
    CHECK_EQUAL(other->release(), Code::ok);
  }
  CHECK(directory_is_empty());

  // Its name belongs to nobody: another kind may have it.
  leave_by_death<Primitive>(request_for(kind, "named"), true);
  {
    User<Semaphore> semaphore("named");
    CHECK(bool(semaphore->try_acquire_or_rescue()));
  }
  CHECK(directory_is_empty());

  // Nobody can ask for an anonymous one again.
  OpenRequest anonymous = request_for(kind, "nobody knows");
  anonymous.anonymous = true;
  leave_by_death<Primitive>(anonymous, true);
  CHECK(file_exists(file_of("nobody knows")));
  sweep();
  CHECK(directory_is_empty());
}

TEST(a_lock_of_a_dead_holder_is_adopted) { adopts_what_a_dead_holder_left<Lock>(); }
TEST(an_rlock_of_a_dead_holder_is_adopted) { adopts_what_a_dead_holder_left<RLock>(); }

// An agent that was in the wait set when all died is not woken, counted or waited for.
TEST(the_wait_set_of_the_dead_is_emptied) {
  Shared<std::atomic<bool>> ready;
  Child child([&] {
    User<Lock> lock(persistent(Kind::lock, "kept"));
    core::Agent& agent = lock.party.agent();
    for (int i = 0; i < 100; i++) {
      core::enrol(lock->waiters(), agent.registry(), agent.id(), 1, core::WaitHow::at_doorbell);
    }
    *ready = true;
    for (;;) pause();
  });
  EVENTUALLY(ready->load());
  child.kill();
  User<Lock> lock("kept");
  for (const auto& entry : lock->waiters().entry) CHECK_EQUAL(entry.load(), 0u);
  for (const auto& word : lock->waiters().wake_bits) CHECK_EQUAL(word.load(), 0u);
  CHECK(bool(lock->try_acquire_or_rescue()));
  CHECK_EQUAL(lock->release(), Code::ok);
  CHECK(lock.party.store().unlink(&lock.object).ok());
}

// ---------------------------------------------------------------- killed in the middle

namespace {

// A /dev/shm of the test's own where that is allowed, because glibc leaves a file that nobody can
// attribute (sem.XXXXXX, 32 bytes) when it is killed between link(2) and unlink(2) in sem_open(3).
struct PrivateMemory {
  std::string directory = here().directory;
  bool is_private = false;
  PrivateMemory() {
    if (host::mount_private_tmpfs("/dev/shm", 64 << 20) != 0) return;
    is_private = true;
    directory = "/dev/shm/objects";
    CHECK(mkdir(directory.c_str(), 0700) == 0);
  }
  void finish() const {
    CHECK(names_in(directory).empty());
    if (!is_private) return;
    size_t of_glibc = 0;
    for (const std::string& name : names_in("/dev/shm")) {
      if (name.compare(0, 7, "sem.hf-") == 0) fail(__FILE__, __LINE__, "left behind: " + name);
      of_glibc += name.size() == 10 && name.compare(0, 4, "sem.") == 0;
    }
    note("%zu files left by glibc's sem_open()", of_glibc);
  }
};

struct Loops {
  std::atomic<uint64_t> started{0};
  std::atomic<uint64_t> opened{0};
};

// Comes, opens, holds now and then, closes and goes, for as long as it lives.
void live(const std::string& directory, Loops& loops, uint64_t stream) {
  Random chance(stream);
  static const char* const kNames[] = {"lock", "rlock", "semaphore"};
  loops.started.fetch_add(1);
  for (;;) {
    Party party(directory);
    for (uint64_t n = chance.below(4); n > 0; n--) {
      const auto which = chance.below(3);
      const Kind kind = which == 0 ? Kind::lock : which == 1 ? Kind::rlock : Kind::semaphore;
      OpenRequest request = request_for(kind, kNames[which]);
      if (chance.one_in(3)) {
        request = request_for(kind, "anonymous " + std::to_string(chance.next()));
        request.anonymous = true;
      }
      core::Object& object = party.open(request);
      loops.opened.fetch_add(1);
      if (kind == Kind::lock && chance.one_in(3)) {
        Lock lock(party.agent(), object);
        if (lock.try_acquire_or_rescue()) CHECK_EQUAL(lock.release(), Code::ok);
      }
      if (kind == Kind::rlock && chance.one_in(3)) {
        RLock lock(party.agent(), object);
        if (lock.try_acquire_or_rescue()) CHECK_EQUAL(lock.release(), Code::ok);
      }
      if (chance.one_in(2)) party.close(object);
    }
  }
}

// Every name can be opened and used, and afterwards nothing is left.
void all_is_well(const std::string& directory) {
  {
    Party party(directory);
    for (const std::string& name : names_in(directory)) {
      const bool object = name.compare(0, 7, "object.") == 0;
      // A killed holder leaves its news; nothing else may be there after a sweep.
      const bool known =
          name == "object." + file_key_of("lock") || name == "object." + file_key_of("rlock");
      if (object && !known) fail(__FILE__, __LINE__, "not swept: " + name);
    }
    Lock lock(party.agent(), party.open(Kind::lock, "lock"));
    RLock rlock(party.agent(), party.open(Kind::rlock, "rlock"));
    Semaphore semaphore(party.agent(), party.open(Kind::semaphore, "semaphore"));
    CHECK(bool(lock.try_acquire_or_rescue()) && bool(rlock.try_acquire_or_rescue()) &&
          bool(semaphore.try_acquire_or_rescue()));
    CHECK_EQUAL(lock.release(), Code::ok);
    CHECK_EQUAL(rlock.release(), Code::ok);
    CHECK_EQUAL(semaphore.release(1), Code::ok);
  }
  CHECK(names_in(directory).empty());
}

}  // namespace

TEST(a_killed_creator_leaves_nothing_that_a_sweep_does_not_clear_away) {
  const PrivateMemory memory;
  Random random;
  Shared<Loops> loops;
  const uint32_t kills = 300;
  for (uint32_t i = 0; i < kills; i++) {
    const uint64_t before = loops->started;
    Child child([&] { live(memory.directory, *loops, 1000 + i); });
    EVENTUALLY(loops->started > before);
    spin_us(random.below(has_sanitizer() ? 6000 : 2000));
    child.kill();
    all_is_well(memory.directory);
  }
  note("%u kills, %llu objects opened", kills,
       static_cast<unsigned long long>(loops->opened.load()));
  memory.finish();
}

// Others go on meanwhile, and never see an error (CHECK in live()).
TEST(killed_creators_do_not_disturb_the_others) {
  const PrivateMemory memory;
  Random random;
  Shared<Loops> doomed, survivors;
  std::vector<Child> others;
  for (uint64_t n = 0; n < 2; n++) {
    others.emplace_back([&, n] { live(memory.directory, *survivors, n); });
  }
  const uint32_t kills = scaled(200);
  for (uint32_t i = 0; i < kills; i++) {
    const uint64_t before = doomed->started;
    const uint64_t opened = survivors->opened;
    Child child([&] { live(memory.directory, *doomed, 1000 + i); });
    EVENTUALLY(doomed->started > before);
    spin_us(random.below(4000));
    child.kill();
    EVENTUALLY(survivors->opened > opened);
  }
  for (Child& other : others) other.kill();
  all_is_well(memory.directory);
  note("%u kills beside %llu objects opened", kills,
       static_cast<unsigned long long>(survivors->opened.load()));
  memory.finish();
}

}  // namespace holdfast::test
