// The store: files that are spoiled or not ours, directories that cannot be used.
#include <fcntl.h>
#include <sys/file.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>

#include "host.h"
#include "store_suite.h"

namespace holdfast::test {

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
