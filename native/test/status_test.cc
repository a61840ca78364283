// What a person is told about a limit of the system, in the words of that system.
#include "core/status.h"

#include <cerrno>

#include "support.h"

namespace holdfast::test {

namespace {

bool says(const Status& status, const char* words) {
  return status.detail.find(words) != std::string::npos;
}

// macOS alone keeps its semaphores in no directory.
bool is_darwin() { return platform::semaphore_directory() == nullptr; }

}  // namespace

TEST(a_limit_is_told_by_the_names_that_the_system_has_for_it) {
  const struct {
    int errnum;
    const char* words;
    const char* on_darwin;
  } cases[] = {
      {EMFILE, "(ulimit -n", "launchctl limit maxfiles"},
      {ENFILE, "raise its limit (", "sysctl kern.maxfiles)"},
      {EFBIG, "(ulimit -f)", "(ulimit -f)"},
      {ENOMEM, "(ulimit -v)", "end some programs"},
  };
  for (const auto& it : cases) {
    const Status status = Status::from({it.errnum, "open"}, "cannot open it");
    CHECK_EQUAL(status.code, Code::no_space);
    CHECK(status.detail.rfind("cannot open it: ", 0) == 0);
    CHECK(says(status, it.words));
    CHECK(!is_darwin() || says(status, it.on_darwin));
    for (const char* foreign : {"container", "vm.max_map_count", "fs.file-max", "/dev/shm"}) {
      CHECK(!is_darwin() || !says(status, foreign));
    }
  }
  CHECK_EQUAL(Status::from({EIO, "read"}, "cannot read it").detail, std::string("cannot read it"));
}

}  // namespace holdfast::test
