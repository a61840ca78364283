// The store: the sweep of more files than one step looks at.
#include <unistd.h>

#include <atomic>
#include <optional>
#include <string>
#include <vector>

#include "store_suite.h"

namespace holdfast::test {

namespace {

constexpr int kFiles = 200;  // musl lets a process open 256 semaphores

std::string name_of(int i) { return "left " + std::to_string(i); }

template <class Act>
void leave_many_by_death(Act before_death) {
  Shared<std::atomic<bool>> ready;
  Child child([&] {
    Party dying;
    for (int i = 0; i < kFiles; i++) dying.open(Kind::lock, name_of(i));
    *ready = true;
    for (;;) pause();
  });
  EVENTUALLY(ready->load());
  before_death();
  child.kill();
}

void leave_many_by_death() {
  leave_many_by_death([] {});
}

int files_left() {
  int count = 0;
  for (const std::string& name : names_in(here().directory)) {
    if (name.rfind("object.", 0) == 0) count++;
  }
  return count;
}

}  // namespace

TEST(an_enter_sweeps_some_of_many_files_and_later_steps_the_rest) {
  leave_many_by_death();
  Party party;
  int left = files_left();
  CHECK(left > kFiles / 2 && left < kFiles);
  while (party.store().sweep_further()) {
    CHECK(files_left() < left);
    left = files_left();
  }
  CHECK_EQUAL(files_left(), 0);
}

TEST(nobody_sees_what_is_not_swept_yet) {
  leave_many_by_death();
  Party party;
  std::vector<core::Listing> listings;
  CHECK(party.store().list(&listings).ok() && listings.empty());
  for (int i = 0; i < kFiles; i += 100) {
    CHECK_EQUAL(open_code(party, existing(Kind::lock, name_of(i))), Code::not_found);
    User<Lock> user(name_of(i));
    const Outcome outcome = acquire(user);
    CHECK(bool(outcome) && !outcome.abandoned);
    CHECK_EQUAL(user->release(), Code::ok);
  }
}

TEST(each_open_does_a_step_of_the_sweep) {
  leave_many_by_death();
  Party party;
  for (int i = 0; i < 10; i++) party.open(Kind::event, "opened " + std::to_string(i));
  CHECK_EQUAL(files_left(), 10);
  CHECK(!party.store().sweep_further());
}

TEST(the_last_one_out_sweeps_what_is_left) {
  leave_many_by_death();
  {
    Party party;
    CHECK(files_left() > kFiles / 2);
  }
  CHECK(directory_is_empty());
}

TEST(the_last_one_out_sweeps_what_those_left_who_died_after_it_came) {
  std::optional<Party> party;
  leave_many_by_death([&] { party.emplace(); });
  CHECK_EQUAL(files_left(), kFiles);
  party.reset();
  CHECK(directory_is_empty());
}

// A directory that is made again in the place of a removed one often has its number, and so the
// names of its semaphores begin as theirs did.
TEST(who_enters_an_empty_directory_removes_the_semaphores_of_its_number) {
  std::string left;
  {
    Party party;
    left = "/hf-" + party.store().semaphore_prefix() + "0123456789abcde";
  }
  platform::NamedSemaphore semaphore;
  CHECK(!platform::create_semaphore(left.c_str(), 1, &semaphore));
  platform::close_semaphore(semaphore);
  Shared<std::atomic<int>> step;
  Child other([&] {
    Party party;
    party.open(Kind::event, "it");
    *step = 1;
    EVENTUALLY(step->load() == 2);
  });
  EVENTUALLY(step->load() == 1);
  // Elsewhere than in files nobody finds what is left.
  const bool can_list = platform::semaphore_directory() != nullptr;
  if (can_list) CHECK(!semaphore_exists(left));
  if (can_list) CHECK(!platform::create_semaphore(left.c_str(), 1, &semaphore));
  { Party party; }
  CHECK(semaphore_exists(left));  // it may be of the other one
  *step = 2;
  other.join();
  platform::unlink_semaphore(left.c_str());
}

}  // namespace holdfast::test
