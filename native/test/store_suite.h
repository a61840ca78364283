// What the tests of the store share: requests, and files that are not whole.
#ifndef HOLDFAST_TEST_STORE_SUITE_H
#define HOLDFAST_TEST_STORE_SUITE_H

#include <sys/stat.h>
#include <unistd.h>

#include <memory>
#include <string>

#include "support.h"

namespace holdfast::test {

using core::Header;
using core::kMagic;
using core::kObjectLength;
using core::Lock;
using core::OpenRequest;
using core::RLock;
using core::Semaphore;
using core::State;
using core::Store;

inline constexpr uid_t kNobody = 65534;

inline OpenRequest persistent(Kind kind, const std::string& name) {
  OpenRequest request = request_for(kind, name);
  request.persistent = true;
  return request;
}

inline OpenRequest existing(Kind kind, const std::string& name) {
  OpenRequest request = request_for(kind, name);
  request.must_exist = true;
  return request;
}

inline Code open_code(Party& party, const OpenRequest& request) {
  core::Object* object = nullptr;
  const Status status = party.try_open(request, &object);
  if (status.ok()) {
    party.close(*object);
  } else {
    CHECK(!status.detail.empty());
  }
  return status.code;
}

inline Code enter_code(const std::string& directory) {
  std::shared_ptr<Store> store;
  const Status status = Store::enter(directory, &store);
  CHECK(status.ok() == (store != nullptr));
  return status.code;
}

inline bool directory_is_empty() { return names_in(here().directory).empty(); }

// ---- the bytes of a file, to be spoiled

// A whole file of that kind and name, of which nothing remains.
inline std::string good_file(Kind kind, const std::string& name) {
  Party party;
  core::Object& object = party.open(persistent(kind, name));
  std::string bytes = read_file(file_of(name));
  CHECK(party.store().unlink(&object).ok());
  return bytes;
}

inline Header& header_of(std::string& bytes) { return *reinterpret_cast<Header*>(bytes.data()); }

// As write_file(), of a file whose semaphore was made for it and not for the one it is a copy of.
inline void write_original(const std::string& path, std::string bytes) {
  write_file(path, bytes);
  struct stat facts;
  CHECK(stat(path.c_str(), &facts) == 0);
  header_of(bytes).home_device = facts.st_dev;
  header_of(bytes).home_inode = facts.st_ino;
  write_file(path, bytes);
}

// Copies the objects that are in the test's directory.
inline void copy_objects_to(const std::string& directory) {
  for (const std::string& name : names_in(here().directory)) {
    if (name.rfind("object.", 0) != 0) continue;
    write_file(directory + "/" + name, read_file(here().directory + "/" + name));
  }
}

// Opening must refuse the file with that code, and neither that nor a sweep may touch it.
inline void refuses(const std::string& bytes, Code expected, Kind kind = Kind::lock) {
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
inline void remakes(Kind kind, const std::string& bytes, bool with_semaphore) {
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

}  // namespace holdfast::test

#endif
