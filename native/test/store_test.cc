#include <fcntl.h>
#include <sys/file.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <set>

#include "host.h"
#include "support.h"

namespace holdfast::test {

namespace {

using core::Header;
using core::kMagic;
using core::kObjectLength;
using core::Lock;
using core::OpenRequest;
using core::RLock;
using core::Semaphore;
using core::State;
using core::Store;

constexpr uid_t kNobody = 65534;

OpenRequest persistent(Kind kind, const std::string& name) {
  OpenRequest request = request_for(kind, name);
  request.persistent = true;
  return request;
}

OpenRequest existing(Kind kind, const std::string& name) {
  OpenRequest request = request_for(kind, name);
  request.must_exist = true;
  return request;
}

Code open_code(Party& party, const OpenRequest& request) {
  core::Object* object = nullptr;
  const Status status = party.try_open(request, &object);
  if (status.ok()) {
    party.close(*object);
  } else {
    CHECK(!status.detail.empty());
  }
  return status.code;
}

Code enter_code(const std::string& directory) {
  std::shared_ptr<Store> store;
  const Status status = Store::enter(directory, &store);
  CHECK(status.ok() == (store != nullptr));
  return status.code;
}

bool directory_is_empty() { return names_in(here().directory).empty(); }

// ---- the bytes of a file, to be spoiled

// A whole file of that kind and name, of which nothing remains.
std::string good_file(Kind kind, const std::string& name) {
  Party party;
  core::Object& object = party.open(persistent(kind, name));
  std::string bytes = read_file(file_of(name));
  CHECK(party.store().unlink(&object).ok());
  return bytes;
}

Header& header_of(std::string& bytes) { return *reinterpret_cast<Header*>(bytes.data()); }

// As write_file(), of a file whose semaphore was made for it and not for the one it is a copy of.
void write_original(const std::string& path, std::string bytes) {
  write_file(path, bytes);
  struct stat facts;
  CHECK(stat(path.c_str(), &facts) == 0);
  header_of(bytes).home_device = facts.st_dev;
  header_of(bytes).home_inode = facts.st_ino;
  write_file(path, bytes);
}

// Copies the objects that are in the test's directory.
void copy_objects_to(const std::string& directory) {
  for (const std::string& name : names_in(here().directory)) {
    if (name.rfind("object.", 0) != 0) continue;
    write_file(directory + "/" + name, read_file(here().directory + "/" + name));
  }
}

// Opening must refuse the file with that code, and neither that nor a sweep may touch it.
void refuses(const std::string& bytes, Code expected, Kind kind = Kind::lock) {
  const std::string path = file_of("spoiled");
  write_file(path, bytes);
  sweep();
  {
    Party party;
    CHECK_EQUAL(open_code(party, request_for(kind, "spoiled")), expected);
    CHECK_EQUAL(open_code(party, existing(kind, "spoiled")), expected);
  }
  sweep();
  CHECK(read_file(path) == bytes);
  CHECK(unlink(path.c_str()) == 0);
  sweep();
}

// A file that its creator did not finish: the next open makes it anew, and so does a sweep away
// with it.
void remakes(Kind kind, const std::string& bytes, bool with_semaphore) {
  const std::string path = file_of("unfinished");
  const auto leave_it = [&] {
    if (!with_semaphore) return write_file(path, bytes);
    write_original(path, bytes);
    platform::NamedSemaphore semaphore;
    CHECK(!platform::create_semaphore(posix_name_of("unfinished").c_str(), 5, &semaphore));
    platform::close_semaphore(semaphore);
  };
  {
    Party party;
    leave_it();
    CHECK_EQUAL(open_code(party, existing(kind, "unfinished")), Code::not_found);
    core::Object& object = party.open(kind, "unfinished");
    CHECK(object.header()->state.load() == State::ready);
    CHECK(object.header()->magic.load() == kMagic);
    if (kind == Kind::lock) {
      Lock lock(party.agent(), object);
      CHECK(bool(lock.try_acquire_or_rescue()));
      CHECK(!platform::try_wait(object.semaphore()));  // a new one, with one token
      CHECK_EQUAL(lock.release(), Code::ok);
    }
  }
  CHECK(directory_is_empty());
  CHECK(!semaphore_exists(posix_name_of("unfinished")));
  leave_it();
  sweep();
  CHECK(directory_is_empty());
  CHECK(!semaphore_exists(posix_name_of("unfinished")));
}

// A child that has the object open, and holds it if told to, until it is killed.
template <class Primitive>
void leave_by_death(const OpenRequest& request, bool hold) {
  Shared<std::atomic<bool>> ready;
  Child child([&] {
    User<Primitive> user(request);
    if (hold) CHECK(bool(acquire(user)));
    *ready = true;
    for (;;) pause();
  });
  EVENTUALLY(ready->load());
  child.kill();
}

}  // namespace

// ---------------------------------------------------------------- coming and going

TEST(last_out_removes_everything) {
  {
    Party party;
    User<Lock> lock("a lock");
    User<RLock> rlock("an rlock");
    User<Semaphore> semaphore("a semaphore");
    CHECK(file_exists(file_of("a lock")) && file_exists(file_of("an rlock")));
    CHECK(semaphore_exists(posix_name_of("a lock")));
    CHECK(!semaphore_exists(posix_name_of("an rlock")));
    CHECK(semaphore_exists(posix_name_of("a semaphore")));
    for (const std::string& name : names_in(here().directory)) {
      struct stat facts;
      CHECK(stat((here().directory + "/" + name).c_str(), &facts) == 0);
      CHECK_EQUAL(facts.st_mode & 0777, 0600u);
    }
  }
  CHECK(directory_is_empty());
  for (const char* name : {"a lock", "a semaphore"}) CHECK(!semaphore_exists(posix_name_of(name)));
}

TEST(not_the_last_out_removes_nothing) {
  Party one, other;  // two stores, as in two processes
  core::Object& mine = one.open(Kind::lock, "shared");
  core::Object& theirs = other.open(Kind::lock, "shared");
  core::Object& mine_again = one.open(Kind::lock, "shared");
  CHECK(&mine == &mine_again);  // one mapping a process
  CHECK(mine.header() != theirs.header() && mine.tag() == theirs.tag());
  one.close(mine);
  one.close(mine_again);
  CHECK(file_exists(file_of("shared")));
  CHECK(semaphore_exists(posix_name_of("shared")));
  CHECK_EQUAL(open_code(one, existing(Kind::lock, "shared")), Code::ok);
  other.close(theirs);
  CHECK(!file_exists(file_of("shared")));
  CHECK(!semaphore_exists(posix_name_of("shared")));
  CHECK_EQUAL(open_code(one, existing(Kind::lock, "shared")), Code::not_found);
}

TEST(flags_of_an_open) {
  Party one, other;
  core::Object* object = nullptr;
  OpenRequest exclusive = request_for(Kind::rlock, "mine");
  exclusive.exclusive = true;
  CHECK_EQUAL(one.try_open(existing(Kind::rlock, "mine"), &object).code, Code::not_found);
  CHECK(directory_is_empty() == false && !file_exists(file_of("mine")));
  one.open(exclusive);
  CHECK_EQUAL(one.try_open(exclusive, &object).code, Code::exists);
  CHECK_EQUAL(other.try_open(exclusive, &object).code, Code::exists);
  CHECK_EQUAL(open_code(other, existing(Kind::rlock, "mine")), Code::ok);
  CHECK_EQUAL(other.try_open(request_for(Kind::lock, "mine"), &object).code, Code::incompatible);
  CHECK_EQUAL(other.try_open(request_for(Kind::semaphore, "mine"), &object).code,
              Code::incompatible);
}

TEST(another_name_with_the_same_digest) {
  Party party;
  party.open(Kind::rlock, "one");
  OpenRequest other = request_for(Kind::rlock, "other");
  other.file_key = file_key_of("one");
  core::Object* object = nullptr;
  CHECK_EQUAL(party.try_open(other, &object).code, Code::incompatible);
  CHECK_EQUAL(party.store().unlink(Kind::rlock, "other", other.file_key).code, Code::not_found);
  CHECK_EQUAL(open_code(party, existing(Kind::rlock, "one")), Code::ok);
}

TEST(tags_never_repeat) {
  std::set<uint64_t> tags;
  for (int round = 0; round < 10; round++) {
    Party party;
    for (int i = 0; i < 20; i++) {
      core::Object& object = party.open(Kind::rlock, "object " + std::to_string(i));
      CHECK(tags.insert(object.tag()).second);
    }
  }
}

TEST(persistent_objects_stay) {
  auto request = persistent(Kind::semaphore, "kept");
  request.initial = 3;
  {
    User<Semaphore> user(request);
    CHECK(bool(user->try_acquire()));
  }
  CHECK(file_exists(file_of("kept")));
  sweep();
  {
    User<Semaphore> user(existing(Kind::semaphore, "kept"));
    CHECK_EQUAL(user->value(), 2);
    OpenRequest exclusive = request;
    exclusive.exclusive = true;
    core::Object* object = nullptr;
    CHECK_EQUAL(user.party.try_open(exclusive, &object).code, Code::exists);
  }
  // Opened once without the flag it is still kept: the flag is the object's.
  CHECK(file_exists(file_of("kept")));
  leave_by_death<Semaphore>(request, false);
  sweep();
  {
    Party party;
    std::vector<core::Listing> listings;
    CHECK(party.store().list(&listings).ok());
    CHECK_EQUAL(listings.size(), 1u);
    CHECK(listings[0].persistent && !listings[0].in_use);
    CHECK_EQUAL(listings[0].name, "kept");
    const std::string key = file_key_of("kept");
    CHECK_EQUAL(party.store().unlink(Kind::lock, "kept", key).code, Code::not_found);
    CHECK(party.store().unlink(Kind::semaphore, "kept", key).ok());
    CHECK_EQUAL(party.store().unlink(Kind::semaphore, "kept", key).code, Code::not_found);
  }
  CHECK(directory_is_empty());
  CHECK(!semaphore_exists(posix_name_of("kept")));
}

TEST(an_open_makes_it_persistent) {
  {
    Party party;
    party.open(Kind::rlock, "kept");
    party.open(persistent(Kind::rlock, "kept"));
  }
  Party party;
  CHECK_EQUAL(open_code(party, existing(Kind::rlock, "kept")), Code::ok);
  CHECK(party.store().unlink(Kind::rlock, "kept", file_key_of("kept")).ok());
}

TEST(list) {
  Party one, other;
  one.open(Kind::lock, "lock");
  other.open(persistent(Kind::rlock, "rlock"));
  std::vector<core::Listing> listings;
  CHECK(one.store().list(&listings).ok());
  CHECK_EQUAL(listings.size(), 2u);
  std::sort(listings.begin(), listings.end(),
            [](const auto& a, const auto& b) { return a.name < b.name; });
  CHECK(listings[0].name == "lock" && listings[0].kind == Kind::lock && !listings[0].persistent);
  CHECK(listings[1].name == "rlock" && listings[1].kind == Kind::rlock && listings[1].persistent);
  CHECK(listings[0].in_use && listings[1].in_use);
  CHECK(one.store().unlink(Kind::rlock, "rlock", file_key_of("rlock")).ok());
}

TEST(unlink_while_open) {
  User<Lock> old("renewed");
  const Outcome held = old->try_acquire_or_rescue();
  CHECK(bool(held));
  CHECK(old.party.store().unlink(&old.object).ok());
  CHECK_EQUAL(old.party.store().unlink(&old.object).code, Code::not_found);
  CHECK(!file_exists(file_of("renewed")));
  CHECK(!semaphore_exists(posix_name_of("renewed")));

  // The name is free; in this process too it is another object now.
  core::Object& anew = old.party.open(Kind::lock, "renewed");
  CHECK(&anew != &old.object && anew.tag() != old.object.tag());
  {
    User<Lock> other("renewed");
    CHECK(bool(other->try_acquire_or_rescue()));
    CHECK_EQUAL(other->release(), Code::ok);
    CHECK_EQUAL(other.object.tag(), anew.tag());
  }
  // Those who have the old one keep it.
  CHECK(old->is_held_by_caller());
  CHECK_EQUAL(old->release_hold(held.hold), Code::ok);
  CHECK(bool(old->try_acquire_or_rescue()));
  CHECK_EQUAL(old->release(), Code::ok);

  // And closing it does not take the new one's file away.
  old.party.close(old.object);
  CHECK(file_exists(file_of("renewed")));
  CHECK(semaphore_exists(posix_name_of("renewed")));
}

// What is open goes on working; nothing new is shared with those who come to the new directory.
TEST(a_directory_that_was_emptied_or_replaced) {
  const std::string directory = here().directory + "/inner";
  const auto empty = [&] {
    for (const std::string& name : names_in(directory)) unlink((directory + "/" + name).c_str());
  };
  {
    Party party(directory);
    Lock lock(party.agent(), party.open(Kind::lock, "open"));
    const auto new_ones_are_refused = [&] {
      core::Object* object = nullptr;
      CHECK_EQUAL(party.try_open(request_for(Kind::lock, "new"), &object).code, Code::incompatible);
      CHECK(bool(lock.try_acquire_or_rescue()));
      CHECK_EQUAL(lock.release(), Code::ok);
    };
    empty();
    new_ones_are_refused();
    {
      Party newcomer(directory);
      newcomer.open(Kind::lock, "new");
      new_ones_are_refused();
    }
    empty();
    CHECK(rmdir(directory.c_str()) == 0);
    new_ones_are_refused();
    CHECK(mkdir(directory.c_str(), 0700) == 0);
    new_ones_are_refused();
  }
  CHECK(names_in(directory).empty());
  CHECK(rmdir(directory.c_str()) == 0);
  // The file was gone before the lock's last user, so nobody took its semaphore away (INV-10).
  CHECK(!platform::unlink_semaphore(posix_name_of("open").c_str()));
}

// A cleaner takes the registry and leaves the objects. The holder's id means nothing to those who
// come then, and they must not take that for its death.
TEST(a_removed_registry_does_not_make_a_holder_dead) {
  Shared<std::atomic<int>> step;
  Child holder([&] {
    User<Lock> lock("held");
    User<RLock> rlock("held too");
    CHECK(bool(lock->try_acquire_or_rescue()) && bool(rlock->try_acquire_or_rescue()));
    *step = 1;
    EVENTUALLY(*step == 2);
    CHECK(lock->is_held_by_caller() && rlock->is_held_by_caller());
    CHECK_EQUAL(lock->release(), Code::ok);
    CHECK_EQUAL(rlock->release(), Code::ok);
  });
  EVENTUALLY(*step == 1);
  CHECK(unlink((here().directory + "/registry").c_str()) == 0);
  in_child([] {
    std::shared_ptr<Store> store;
    if (!Store::enter(here().directory, &store).ok()) return;
    Party party(store);
    core::Object* object = nullptr;
    if (party.try_open(request_for(Kind::lock, "held"), &object).ok()) {
      CHECK(!Lock(party.agent(), *object).try_acquire_or_rescue());
    }
    if (party.try_open(request_for(Kind::rlock, "held too"), &object).ok()) {
      CHECK(!RLock(party.agent(), *object).try_acquire_or_rescue());
    }
  });
  *step = 2;
  holder.join();
  sweep();
}

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

// Whoever stood in the wait set when all died is not woken, counted or waited for.
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

// ------------------------------------------------------------- files that are not ours, or spoiled

TEST(garbage_is_corrupt_and_stays_as_it_is) {
  Random random;
  std::string garbage(kObjectLength, '\0');
  for (char& c : garbage) c = static_cast<char>(random.next());
  refuses(garbage, Code::corrupt);
  refuses("not ours", Code::corrupt);
  refuses("x", Code::corrupt);
  refuses(std::string(100'000, 'x'), Code::corrupt);
}

TEST(a_truncated_file_is_corrupt) {
  for (const Kind kind : {Kind::lock, Kind::rlock, Kind::semaphore}) {
    const std::string good = good_file(kind, "spoiled");
    for (const size_t length : {size_t{9}, size_t{300}, size_t{511}, size_t{512}, size_t{4095}}) {
      refuses(good.substr(0, length), Code::corrupt, kind);
    }
    refuses(good + "x", Code::corrupt, kind);
  }
}

TEST(another_format_is_incompatible) {
  std::string newer = good_file(Kind::lock, "spoiled");
  header_of(newer).version = core::kFormatVersion + 1;
  refuses(newer, Code::incompatible);
  std::string foreign = good_file(Kind::rlock, "spoiled");
  header_of(foreign).signature ^= uint64_t{8} << 24;
  refuses(foreign, Code::incompatible, Kind::rlock);
}

TEST(a_header_that_makes_no_sense_is_corrupt) {
  const std::string good = good_file(Kind::lock, "spoiled");
  const auto with = [&](auto change) {
    std::string bytes = good;
    change(header_of(bytes));
    refuses(bytes, Code::corrupt);
  };
  with([](Header& h) { h.name_length = 300; });
  with([](Header& h) { h.name_length = UINT32_MAX; });
  with([](Header& h) { h.state = static_cast<State>(7); });
  with([](Header& h) { h.state = static_cast<State>(0); });
  with([](Header& h) { h.kind = static_cast<Kind>(99); });
  with([](Header& h) { h.kind = static_cast<Kind>(0); });
  with([](Header& h) { h.byte_length = 1; });
  with([](Header& h) { h.byte_length = UINT64_MAX; });
  with([](Header& h) { h.posix_name[0] = '\0'; });  // a Lock without a semaphore
  with([](Header& h) { memset(h.posix_name, 'x', sizeof h.posix_name); });
}

TEST(what_is_not_a_file_of_ours_is_refused) {
  const std::string path = file_of("spoiled");
  const std::string elsewhere = here().directory + "/elsewhere";
  const auto refused = [&](Code expected) {
    Party party;
    CHECK_EQUAL(open_code(party, request_for(Kind::lock, "spoiled")), expected);
  };
  write_file(elsewhere, good_file(Kind::lock, "spoiled"));
  CHECK(symlink(elsewhere.c_str(), path.c_str()) == 0);
  refused(Code::corrupt);
  CHECK(unlink(path.c_str()) == 0);
  CHECK(unlink(elsewhere.c_str()) == 0);

  CHECK(mkfifo(path.c_str(), 0600) == 0);
  refused(Code::corrupt);  // rather than hang
  CHECK(unlink(path.c_str()) == 0);

  CHECK(mkdir(path.c_str(), 0700) == 0);
  {
    Party party;
    CHECK(open_code(party, request_for(Kind::lock, "spoiled")) != Code::ok);
  }
  CHECK(rmdir(path.c_str()) == 0);
  sweep();

  if (geteuid() != 0) return;
  write_file(path, good_file(Kind::lock, "spoiled"));
  CHECK(chown(path.c_str(), kNobody, kNobody) == 0);
  refused(Code::permission);
  CHECK(file_exists(path));
  CHECK(unlink(path.c_str()) == 0);
  sweep();
}

TEST(a_spoiled_registry) {
  const std::string path = here().directory + "/registry";
  std::string good;
  {
    Party party;
    good = read_file(path);
  }
  const auto refused = [&](const std::string& bytes, Code expected) {
    write_file(path, bytes);
    CHECK_EQUAL(enter_code(here().directory), expected);
    CHECK(read_file(path) == bytes);
    CHECK(unlink(path.c_str()) == 0);
  };
  refused("garbage", Code::corrupt);
  refused(std::string(core::kRegistryLength, 'x'), Code::corrupt);
  refused(good.substr(0, 4096), Code::corrupt);
  refused(good_file(Kind::rlock, "an object"), Code::corrupt);
  CHECK_EQUAL(enter_code(here().directory), Code::ok);
}

// One spoiled file is the matter of those who want that name, not of all.
TEST(a_spoiled_file_disturbs_nobody_else) {
  write_file(file_of("spoiled"), "garbage");
  CHECK(mkfifo((here().directory + "/object.fifo").c_str(), 0600) == 0);
  {
    User<Lock> lock("other");
    CHECK(bool(lock->try_acquire_or_rescue()));
    CHECK_EQUAL(lock->release(), Code::ok);
    std::vector<core::Listing> listings;
    CHECK(lock.party.store().list(&listings).ok());
    CHECK_EQUAL(listings.size(), 1u);
  }
  CHECK(unlink(file_of("spoiled").c_str()) == 0);
  CHECK(unlink((here().directory + "/object.fifo").c_str()) == 0);
  sweep();
}

// ---------------------------------------------------------------- the directory

TEST(directories_that_cannot_be_trusted) {
  const std::string directory = here().directory + "/inner";
  CHECK(mkdir(directory.c_str(), 0700) == 0);
  CHECK_EQUAL(enter_code(directory), Code::ok);

  for (const mode_t mode : {0701u, 0710u, 0750u, 0755u, 0777u, 01777u}) {
    CHECK(chmod(directory.c_str(), mode) == 0);
    CHECK_EQUAL(enter_code(directory), Code::permission);
  }
  CHECK(chmod(directory.c_str(), 0700) == 0);

  const std::string link = here().directory + "/link";
  CHECK(symlink(directory.c_str(), link.c_str()) == 0);
  CHECK_EQUAL(enter_code(link), Code::permission);
  CHECK(unlink(link.c_str()) == 0);
  CHECK(symlink((here().directory + "/nowhere").c_str(), link.c_str()) == 0);
  CHECK_EQUAL(enter_code(link), Code::permission);
  CHECK(!file_exists(here().directory + "/nowhere"));
  CHECK(unlink(link.c_str()) == 0);

  const std::string file = here().directory + "/file";
  write_file(file, "");
  CHECK_EQUAL(enter_code(file), Code::permission);
  CHECK(unlink(file.c_str()) == 0);

  if (geteuid() == 0) {
    CHECK(chown(directory.c_str(), kNobody, kNobody) == 0);
    CHECK_EQUAL(enter_code(directory), Code::permission);
  } else {
    CHECK_EQUAL(enter_code("/usr"), Code::permission);
  }
  CHECK(names_in(directory).empty());
  CHECK(rmdir(directory.c_str()) == 0);
  CHECK(enter_code(here().directory + "/no/such/parent") != Code::ok);
}

TEST(a_directory_is_made_private) {
  const std::string directory = here().directory + "/inner";
  umask(0);
  {
    Party party(directory);
    struct stat facts;
    CHECK(stat(directory.c_str(), &facts) == 0);
    CHECK_EQUAL(facts.st_mode & 0777, 0700u);
  }
  CHECK(rmdir(directory.c_str()) == 0);
}

// A peer that was stopped while it had the directory's lock must not stop the others for ever. This
// waits as long as they do: ten seconds for an open, two for a close.
TEST(a_stopped_peer_makes_the_directory_busy) {
  Shared<std::atomic<uint32_t>> ready, answered;
  Shared<std::atomic<bool>> locked, over;
  const std::vector<std::function<Code(Party&)>> attempts = {
      [](Party& party) { return open_code(party, request_for(Kind::rlock, "any")); },
      [](Party&) { return enter_code(here().directory); },
      [](Party& party) {
        return party.store().unlink(Kind::rlock, "any", file_key_of("any")).code;
      },
      [](Party& party) {
        std::unique_ptr<core::Agent> agent;
        return core::Agent::begin(party.shared_store(), 0, "late", &agent).code;
      },
  };
  std::vector<Child> children;
  for (const auto& attempt : attempts) {
    children.emplace_back([&] {
      Party party;
      ready->fetch_add(1);
      EVENTUALLY(locked->load());
      const int64_t started = now_ns();
      CHECK_EQUAL(attempt(party), Code::busy);
      CHECK(ms_since(started) >= 10'000);
      answered->fetch_add(1);
      EVENTUALLY(over->load());
      CHECK_EQUAL(attempt(party) == Code::busy, false);
    });
  }
  children.emplace_back([&] {
    Party party;
    core::Object& object = party.open(Kind::lock, "closed meanwhile");
    ready->fetch_add(1);
    EVENTUALLY(locked->load());
    const int64_t started = now_ns();
    party.close(object);  // cannot remove the file, and does not hang
    note("close() after %.0f ms", ms_since(started));
    CHECK(file_exists(file_of("closed meanwhile")));
    answered->fetch_add(1);
    EVENTUALLY(over->load());
  });
  const auto everybody = static_cast<uint32_t>(children.size());
  EVENTUALLY(*ready == everybody);
  Child peer([&] {
    const int fd = open(here().directory.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    CHECK(fd >= 0 && flock(fd, LOCK_EX) == 0);
    *locked = true;
    for (;;) pause();
  });
  EVENTUALLY(locked->load());
  peer.stop();
  EVENTUALLY(*answered == everybody);
  peer.kill();
  *over = true;
  for (Child& child : children) child.join();
  sweep();
}

// ---------------------------------------------------------------- what runs out

TEST(a_full_file_system_is_no_space) {
  const std::string small = here().directory + "/small";
  CHECK(mkdir(small.c_str(), 0700) == 0);
  Shared<std::atomic<int>> refused;
  in_child([&] {
    if ((*refused = host::mount_private_tmpfs(small.c_str(), 1 << 20)) != 0) return;
    const auto fill = [&](size_t all_but) {
      const int fd = open((small + "/ballast").c_str(), O_WRONLY | O_CREAT | O_CLOEXEC, 0600);
      const std::string page(4096, 'x');
      while (write(fd, page.data(), page.size()) > 0) {
      }
      CHECK(errno == ENOSPC);
      const off_t length = lseek(fd, 0, SEEK_END) - static_cast<off_t>(all_but);
      CHECK(ftruncate(fd, length) == 0);
      close(fd);
    };
    fill(64 << 10);  // too little for a registry
    CHECK_EQUAL(enter_code(small), Code::no_space);
    CHECK_EQUAL(names_in(small).size(), 1u);
    CHECK(unlink((small + "/ballast").c_str()) == 0);

    Party party(small);
    fill(0);
    for (const Kind kind : {Kind::lock, Kind::rlock, Kind::semaphore}) {
      CHECK_EQUAL(open_code(party, request_for(kind, "any")), Code::no_space);
    }
    CHECK_EQUAL(names_in(small).size(), 3u);  // registry, doorbell and ballast
    CHECK(!semaphore_exists(posix_name_of("any")));
    CHECK(unlink((small + "/ballast").c_str()) == 0);
    CHECK_EQUAL(open_code(party, request_for(Kind::lock, "any")), Code::ok);
  });
  CHECK(rmdir(small.c_str()) == 0);
  if (*refused != 0) skip(std::string("cannot mount: ") + strerror(*refused));
}

TEST(no_descriptor_left_is_no_space) {
  Party party;
  core::Object& kept = party.open(Kind::lock, "kept");
  Lock lock(party.agent(), kept);
  CHECK(bool(lock.try_acquire_or_rescue()));
  rlimit limit;
  CHECK(getrlimit(RLIMIT_NOFILE, &limit) == 0);
  const int lowest_free = dup(STDOUT_FILENO);
  close(lowest_free);
  for (rlim_t spare = 0; spare < 4; spare++) {
    const rlimit tight{static_cast<rlim_t>(lowest_free) + spare, limit.rlim_max};
    CHECK(setrlimit(RLIMIT_NOFILE, &tight) == 0);
    for (const Kind kind : {Kind::lock, Kind::rlock, Kind::semaphore}) {
      const Code code = open_code(party, request_for(kind, "one more"));
      CHECK(code == Code::no_space || (spare > 0 && code == Code::ok));
    }
    std::unique_ptr<core::Agent> agent;
    const Code code = core::Agent::begin(party.shared_store(), 1, "late", &agent).code;
    CHECK(code == Code::no_space || (spare > 0 && code == Code::ok));
    const Code entering = enter_code(here().directory);
    CHECK(entering == Code::no_space || (spare > 2 && entering == Code::ok));
    CHECK(party.registry().alive(party.agent().id()));  // not for want of a descriptor
  }
  CHECK(setrlimit(RLIMIT_NOFILE, &limit) == 0);
  CHECK(!file_exists(file_of("one more")));
  CHECK(lock.is_held_by_caller());
  CHECK_EQUAL(lock.release(), Code::ok);
  CHECK_EQUAL(open_code(party, request_for(Kind::lock, "one more")), Code::ok);
}

// --------------------------------------------------------------- a semaphore that was there before

TEST(a_planted_semaphore_is_replaced) {
  platform::NamedSemaphore planted;
  CHECK(!platform::create_semaphore(posix_name_of("planted").c_str(), 7, &planted));
  {
    User<Lock> lock("planted");
    CHECK_EQUAL(std::string(lock.object.header()->posix_name), posix_name_of("planted"));
    CHECK(bool(lock->try_acquire_or_rescue()));
    CHECK(!platform::try_wait(lock.object.semaphore()));  // 1, not 7
    CHECK(platform::try_wait(planted));                   // another one
    CHECK_EQUAL(lock->release(), Code::ok);
  }
  platform::close_semaphore(planted);
  CHECK(!semaphore_exists(posix_name_of("planted")));
}

// Somebody else's we cannot take away: another name will do, and is found through the file.
TEST(a_semaphore_planted_by_another_user_is_stepped_around) {
  if (geteuid() != 0) skip("only root can be two users");
  platform::NamedSemaphore planted;
  CHECK(!platform::create_semaphore(posix_name_of("planted").c_str(), 7, &planted));
  CHECK(chmod(here().directory.c_str(), 0711) == 0);
  const std::string directory = here().directory + "/of nobody";
  CHECK(mkdir(directory.c_str(), 0700) == 0);
  CHECK(chown(directory.c_str(), kNobody, kNobody) == 0);
  struct Text {
    char text[64];
  };
  Shared<Text> found;
  Child other_user([&] {
    CHECK(setgid(kNobody) == 0 && setuid(kNobody) == 0);
    Party one(directory), other(directory);
    core::Object& object = one.open(Kind::lock, "planted");
    snprintf(found->text, sizeof found->text, "%s", object.header()->posix_name);
    CHECK(posix_name_of("planted") != found->text);
    CHECK(semaphore_exists(found->text));
    Lock lock(one.agent(), object);
    Lock lock_of_other(other.agent(), other.open(Kind::lock, "planted"));
    CHECK(bool(lock.try_acquire_or_rescue()));
    CHECK(!lock_of_other.try_acquire_or_rescue());
    CHECK_EQUAL(lock.release(), Code::ok);
    CHECK(bool(lock_of_other.try_acquire_or_rescue()));
    CHECK_EQUAL(lock_of_other.release(), Code::ok);
  });
  other_user.join();
  CHECK(!semaphore_exists(found->text));
  CHECK(names_in(directory).empty());
  CHECK(rmdir(directory.c_str()) == 0);
  platform::close_semaphore(planted);
  CHECK(!platform::unlink_semaphore(posix_name_of("planted").c_str()));
}

}  // namespace holdfast::test
