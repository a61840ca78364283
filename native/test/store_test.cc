// The store: opening, persistence, listing, unlinking.
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <set>

#include "store_suite.h"

namespace holdfast::test {

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

// Where files outlive the machine's boot and the system names it. The file is changed, as a reboot
// would change the system.
TEST(a_reboot_ends_persistent_objects) {
  const bool named = platform::current_boot().words[0] != 0;
  {
    Party party;
    party.open(persistent(Kind::semaphore, "kept"));
  }
  const std::string registry = here().directory + "/registry";
  std::string bytes = read_file(registry);
  CHECK((header_of(bytes).boot[0] != 0) == named);
  header_of(bytes).boot[0] ^= 1;
  write_file(registry, bytes);
  Party party;
  core::Object* object = nullptr;
  const Status status = party.try_open(existing(Kind::semaphore, "kept"), &object);
  CHECK(status.code == (named ? Code::not_found : Code::ok));
  if (status.ok()) party.close(*object);
  CHECK_EQUAL(semaphore_exists(posix_name_of("kept")), !named);
  party.store().unlink(Kind::semaphore, "kept", file_key_of("kept"));
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

// What is open goes on working. Nothing new is shared with those who come to the new directory,
// and they are not let in.
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
      CHECK_EQUAL(party.try_open(request_for(Kind::lock, "new"), &object).code, Code::removed);
      CHECK(bool(lock.try_acquire_or_rescue()));
      CHECK_EQUAL(lock.release(), Code::ok);
    };
    empty();
    new_ones_are_refused();
    const auto newcomers_are_refused = [&] {
      std::shared_ptr<Store> store;
      CHECK_EQUAL(Store::enter(directory, &store).code, Code::removed);
    };
    newcomers_are_refused();
    new_ones_are_refused();
    CHECK(rmdir(directory.c_str()) == 0);
    new_ones_are_refused();
    CHECK(mkdir(directory.c_str(), 0700) == 0);
    newcomers_are_refused();
    new_ones_are_refused();
  }
  Party(directory).open(Kind::rlock, "new");
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

}  // namespace holdfast::test
