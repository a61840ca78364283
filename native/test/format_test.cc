// Files of other formats: what nobody uses is remade, what somebody uses is told apart, and all of
// it can be listed and removed.
#include <unistd.h>

#include "core/store/format.h"
#include "support.h"

namespace holdfast::test {

namespace {

using core::Header;
using core::kFormatVersion;
using core::kRegistryFormat;
using core::Lock;
using core::OpenRequest;
using core::Store;

constexpr uint32_t kOther = kFormatVersion + 1;

std::string registry_path() { return here().directory + "/registry"; }

// Rewrites a header in place, as a program with another format would have written it.
template <class Change>
void change_header(const std::string& path, Change change) {
  std::string bytes = read_file(path);
  change(*reinterpret_cast<Header*>(bytes.data()));
  write_file(path, bytes);
}

void make_foreign(const std::string& path) {
  change_header(path, [](Header& header) { header.version = kOther; });
}

bool names_both_formats(const Status& status, uint32_t own) {
  return status.detail.find("format " + to_text(kOther)) != std::string::npos &&
         status.detail.find("format " + to_text(own)) != std::string::npos;
}

OpenRequest persistent(Kind kind, const std::string& name) {
  OpenRequest request = request_for(kind, name);
  request.persistent = true;
  return request;
}

void refuses(const OpenRequest& request) {
  Party party;
  core::Object* object = nullptr;
  for (const bool must_exist : {false, true}) {
    OpenRequest asked = request;
    asked.must_exist = must_exist;
    const Status status = party.try_open(asked, &object);
    CHECK_EQUAL(status.code, Code::incompatible);
    CHECK(names_both_formats(status, kFormatVersion));
  }
}

std::vector<core::Listing> listed() {
  Party party;
  std::vector<core::Listing> listings;
  CHECK(party.store().list(&listings).ok());
  return listings;
}

// A process that enters, does `work`, and is killed when the test says so.
struct Victim {
  Shared<std::atomic<bool>> ready;
  Child child;
  explicit Victim(const std::function<void(Party&)>& work)
      : child([&, work] {
          Party party;
          work(party);
          *ready = true;
          for (;;) pause();
        }) {
    EVENTUALLY(ready->load());
  }
};

// Holds the object, whatever it is.
void hold(Party& party, const OpenRequest& request) {
  core::Object& object = party.open(request);
  core::Agent& agent = party.agent();
  switch (request.kind) {
    case Kind::lock:
      return CHECK(bool(Lock(agent, object).try_acquire_or_rescue()));
    case Kind::rlock:
      return CHECK(bool(core::RLock(agent, object).try_acquire_or_rescue()));
    case Kind::bounded_semaphore:
      return CHECK(bool(core::BoundedSemaphore(agent, object).try_acquire_or_rescue()));
    case Kind::read_write_lock:
      return CHECK(bool(core::ReadWriteLock(agent, object).try_exclusive()));
    default:
      return;
  }
}

// Acquires and releases; was the holder before a dead one?
bool is_abandoned(const OpenRequest& request) {
  Party party;
  core::Object& object = party.open(request);
  core::Agent& agent = party.agent();
  CHECK_EQUAL(object.header()->version, kFormatVersion);
  const auto acquired = [](const Outcome& outcome, Code released) {
    CHECK(bool(outcome));
    CHECK_EQUAL(released, Code::ok);
    return outcome.abandoned;
  };
  if (request.kind == Kind::lock) {
    Lock lock(agent, object);
    const Outcome outcome = lock.try_acquire_or_rescue();
    return acquired(outcome, lock.release());
  }
  if (request.kind == Kind::rlock) {
    core::RLock lock(agent, object);
    const Outcome outcome = lock.try_acquire_or_rescue();
    return acquired(outcome, lock.release());
  }
  if (request.kind == Kind::bounded_semaphore) {
    core::BoundedSemaphore semaphore(agent, object);
    const Outcome outcome = semaphore.try_acquire_or_rescue();
    return acquired(outcome, semaphore.release_hold(outcome.hold));
  }
  core::ReadWriteLock lock(agent, object);
  const Outcome outcome = lock.try_exclusive();
  return acquired(outcome, lock.release_exclusive(outcome.hold));
}

// Not a LockManager: what was left does not say which of its names a dead one held.
const Kind kWithNews[] = {Kind::lock, Kind::rlock, Kind::bounded_semaphore, Kind::read_write_lock};

bool directory_is_empty() { return names_in(here().directory).empty(); }

}  // namespace

// ---------------------------------------------------------------- the registry

TEST(a_registry_of_another_format_that_nobody_uses_is_remade) {
  for (const bool by_version : {true, false}) {
    Victim victim([](Party& party) { hold(party, request_for(Kind::rlock, "swept")); });
    victim.child.kill();
    change_header(registry_path(), [&](Header& header) {
      if (by_version) header.version = 3;
      if (!by_version) header.signature = core::layout_signature();
    });
    {
      User<Lock> lock("lock");
      CHECK(bool(lock->try_acquire_or_rescue()));
      CHECK_EQUAL(lock->release(), Code::ok);
      const std::string bytes = read_file(registry_path());
      const Header& header = *reinterpret_cast<const Header*>(bytes.data());
      CHECK_EQUAL(header.version, kRegistryFormat);
      CHECK_EQUAL(header.signature, 0u);
    }
    CHECK(is_abandoned(request_for(Kind::rlock, "swept")));
    CHECK(directory_is_empty());
  }
}

TEST(a_registry_of_another_format_in_use_is_one_clear_error) {
  const auto is_refused = [] {
    std::shared_ptr<Store> store;
    const Status status = Store::enter(here().directory, &store);
    CHECK_EQUAL(status.code, Code::incompatible);
    CHECK(names_both_formats(status, kRegistryFormat));
  };
  Victim victim([](Party& party) { party.open(Kind::rlock, "it"); });
  make_foreign(registry_path());
  is_refused();
  // A registry that nobody has open, beside an object that somebody has.
  const std::string bytes = read_file(registry_path());
  CHECK(unlink(registry_path().c_str()) == 0);
  write_file(registry_path(), bytes);
  is_refused();
  victim.child.kill();
  sweep();
  CHECK(directory_is_empty());
}

// ---------------------------------------------------------------- objects

TEST(a_persistent_object_of_another_format_is_listed_and_unlinked) {
  for (const Kind kind : {Kind::lock, Kind::queue, Kind::condition}) {
    const OpenRequest request = persistent(kind, "kept");
    { Party().open(request); }
    const bool has_semaphore = semaphore_exists(posix_name_of("kept"));
    CHECK_EQUAL(has_semaphore, kind == Kind::lock);
    make_foreign(file_of("kept"));
    sweep();
    refuses(request);
    const std::vector<core::Listing> listings = listed();
    CHECK(listings.size() == 1 && listings[0].kind == kind && listings[0].name == "kept");
    CHECK(listings[0].persistent && !listings[0].in_use);
    CHECK(listings[0].format.rfind("format " + to_text(kOther) + " (", 0) == 0);
    Party party;
    CHECK(party.store().unlink(kind, "kept", request.file_key).ok());
    CHECK(!file_exists(file_of("kept")) && !semaphore_exists(posix_name_of("kept")));
    party.close(party.open(request_for(kind, "kept")));
  }
  CHECK(directory_is_empty());
}

TEST(an_object_of_another_format_in_use_is_one_clear_error) {
  Shared<std::atomic<int>> step;
  Child holder([&] {
    User<Lock> lock("it");
    CHECK(bool(lock->try_acquire_or_rescue()));
    *step = 1;
    EVENTUALLY(*step == 2);
    CHECK_EQUAL(lock->release(), Code::ok);
  });
  EVENTUALLY(*step == 1);
  make_foreign(file_of("it"));
  refuses(request_for(Kind::lock, "it"));
  refuses(request_for(Kind::event, "it"));
  CHECK(listed()[0].in_use);
  // No other object is disturbed.
  { User<Lock> other("other"); }
  {
    Party party;
    CHECK(party.store().unlink(Kind::lock, "it", file_key_of("it")).ok());
    Lock lock(party.agent(), party.open(Kind::lock, "it"));
    CHECK(bool(lock.try_acquire_or_rescue()));  // another one by now
    CHECK_EQUAL(lock.release(), Code::ok);
  }
  *step = 2;
  holder.join();
  sweep();
}

TEST(what_killed_users_of_another_format_left_is_swept) {
  for (const bool anonymous : {false, true}) {
    Victim victim([&](Party& party) {
      for (const Kind kind : {Kind::lock, Kind::queue, Kind::rlock}) {
        OpenRequest request = request_for(kind, "left " + to_text(kind));
        request.anonymous = anonymous;
        if (anonymous) hold(party, request);
        if (!anonymous) party.open(request);
      }
    });
    victim.child.kill();
    for (const Kind kind : {Kind::lock, Kind::queue, Kind::rlock}) {
      make_foreign(file_of("left " + to_text(kind)));
    }
    sweep();
    CHECK(directory_is_empty());
    CHECK(!semaphore_exists(posix_name_of("left " + to_text(Kind::lock))));
  }
}

// The promise that the next holder is told outlives the upgrade.
TEST(the_next_holder_is_told_of_a_death_in_another_format) {
  for (const uint32_t version : {3u, kOther}) {
    for (const Kind kind : kWithNews) {
      const OpenRequest request = request_for(kind, "held");
      Victim victim([&](Party& party) { hold(party, request); });
      victim.child.kill();
      change_header(file_of("held"), [&](Header& header) {
        header.version = version;
        if (version == 3) header.owners_offset = header.owners_stride = header.owners_count = 0;
      });
      sweep();
      CHECK(file_exists(file_of("held")));
      CHECK(!listed()[0].in_use);
      CHECK(is_abandoned(request));
      CHECK(!is_abandoned(request));
      CHECK(directory_is_empty());
      CHECK(!semaphore_exists(posix_name_of("held")));
    }
  }
}

TEST(another_kind_may_have_the_name_that_the_dead_left) {
  Victim victim([](Party& party) { hold(party, request_for(Kind::lock, "held")); });
  victim.child.kill();
  make_foreign(file_of("held"));
  CHECK(!is_abandoned(request_for(Kind::rlock, "held")));
  CHECK(directory_is_empty());
}

TEST(a_kind_that_this_version_does_not_know) {
  const std::string key = file_key_of("kept");
  { Party().open(persistent(Kind::event, "kept")); }
  change_header(file_of("kept"), [](Header& header) {
    header.version = kOther;
    header.kind = static_cast<Kind>(99);
  });
  CHECK(static_cast<uint32_t>(listed()[0].kind) == 99 && listed()[0].name == "kept");
  Party party;
  CHECK_EQUAL(party.store().unlink(Kind::event, "kept", key).code, Code::not_found);
  CHECK(party.store().unlink(core::kUnknownKind, "kept", key).ok());
  party.open(persistent(Kind::event, "kept"));
  CHECK_EQUAL(party.store().unlink(core::kUnknownKind, "kept", key).code, Code::not_found);
  CHECK(party.store().unlink(Kind::event, "kept", key).ok());
}

// What is frozen must make sense in every format.
TEST(a_foreign_header_that_makes_no_sense_is_corrupt) {
  { Party().open(persistent(Kind::lock, "kept")); }
  const std::string good = read_file(file_of("kept"));
  const auto is_corrupt = [&](auto change) {
    write_file(file_of("kept"), good);
    change_header(file_of("kept"), [&](Header& header) {
      header.version = kOther;
      change(header);
    });
    Party party;
    core::Object* object = nullptr;
    const OpenRequest request = request_for(Kind::lock, "kept");
    CHECK_EQUAL(party.try_open(request, &object).code, Code::corrupt);
    CHECK_EQUAL(party.store().unlink(Kind::lock, "kept", request.file_key).code, Code::corrupt);
  };
  is_corrupt([](Header& header) { header.byte_length++; });
  is_corrupt([](Header& header) { header.name_length = 256; });
  is_corrupt([](Header& header) { header.name_offset = 511; });
  is_corrupt([](Header& header) { header.name_offset = UINT32_MAX; });
  is_corrupt([](Header& header) { header.owners_count = core::kOwnersMax + 1; });
  is_corrupt([](Header& header) { header.posix_name[1] = 'x'; });
  is_corrupt([](Header& header) { header.state = static_cast<core::State>(4); });
  write_file(file_of("kept"), good);
  Party party;
  CHECK(party.store().unlink(Kind::lock, "kept", file_key_of("kept")).ok());
}

TEST(formats_in_words) {
  CHECK_EQUAL(core::to_text({9, 0}), "format 9");
  const uint64_t signature = (uint64_t{8} << 56) | (uint64_t{1} << 48) | (uint64_t{32} << 24) | 40;
  CHECK_EQUAL(core::to_text({9, signature}), "format 9 (64-bit, glibc, sem_t 32, mutex 40)");
}

}  // namespace holdfast::test
