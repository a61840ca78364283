// A doorbell that has lost its reader: the write fails, and no signal ends the process. On a kernel
// that can be asked for that, and on one that cannot.
#include <fcntl.h>
#include <signal.h>
#include <sys/stat.h>
#include <unistd.h>

#if defined(__linux__)
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#endif

#include <cerrno>

#include "support.h"

namespace holdfast::test {

namespace {

// A doorbell in the directory of this test, and its writing end.
struct Bell {
  Bell() {
    const std::string path = here().directory + "/quiet";
    CHECK(mkfifo(path.c_str(), 0600) == 0);
    reader = ::open(path.c_str(), O_RDONLY | O_NONBLOCK | O_CLOEXEC);
    const int directory = ::open(here().directory.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    CHECK(platform::open_doorbell(directory, "quiet", &writer) == platform::Reader::present);
    ::close(directory);
    ::unlink(path.c_str());
  }
  ~Bell() {
    ::close(reader);
    ::close(writer);
  }

  int reader = -1;
  int writer = -1;
};

void write_until_full(const Bell& bell) {
  uint64_t written = 0;
  while (platform::write_doorbell(bell.writer, written) == platform::WakeResult::woken) written++;
  CHECK(written >= 8);
  CHECK(platform::write_doorbell(bell.writer, 0) == platform::WakeResult::full);
  uint64_t tag = 0;
  for (uint64_t i = 0; i < written; i++) {
    CHECK(::read(bell.reader, &tag, sizeof tag) == sizeof tag);
    CHECK_EQUAL(tag, i);
  }
}

void write_without_a_reader(Bell& bell) {
  signal(SIGPIPE, SIG_DFL);
  ::close(std::exchange(bell.reader, -1));
  for (int i = 0; i < 2; i++) {
    CHECK(platform::write_doorbell(bell.writer, 1) == platform::WakeResult::no_reader);
  }
  sigset_t pending;
  CHECK(sigpending(&pending) == 0 && sigismember(&pending, SIGPIPE) == 0);
}

#if defined(__linux__) && defined(SYS_pwritev2)
// From here on this process gets `errnum` from pwritev2(2), as in a sandbox or on an older kernel.
bool refuse_pwritev2(uint32_t errnum) {
  sock_filter steps[] = {
      BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(seccomp_data, nr)),
      BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, SYS_pwritev2, 0, 1),
      BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ERRNO | errnum),
      BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW),
  };
  sock_fprog filter{sizeof steps / sizeof steps[0], steps};
  return prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) == 0 &&
         prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &filter) == 0;
}
#endif

}  // namespace

TEST(a_write_to_a_doorbell_without_a_reader_raises_no_signal) {
  in_child([] {
    Bell bell;
    write_until_full(bell);
    write_without_a_reader(bell);
  });
}

#if defined(__linux__) && defined(SYS_pwritev2)
TEST(a_write_to_a_doorbell_raises_no_signal_where_the_kernel_cannot_be_asked) {
  for (const uint32_t errnum : {EOPNOTSUPP, ENOSYS, EPERM}) {
    in_child([&] {
      if (!refuse_pwritev2(errnum)) return;
      Bell bell;
      write_until_full(bell);
      write_without_a_reader(bell);
    });
  }
}
#endif

}  // namespace holdfast::test
