// What framework.h and support.h expect of a runner, for the sweep.
#include <dirent.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstdarg>
#include <cstdio>
#include <cstdlib>
#include <cstring>

#include "scene.h"
#include "stage.h"

namespace holdfast::test {

namespace {

struct Board {
  std::atomic<uint32_t> failures{0};
  char where[256] = {};
};

Here current;
Shared<Board>* board = nullptr;

void print(const std::string& line) {
  const std::string text = line + "\n";
  if (write(STDOUT_FILENO, text.data(), text.size()) < 0) abort();
}

std::vector<std::string> entries_of(const std::string& path) {
  std::vector<std::string> names;
  DIR* directory = opendir(path.c_str());
  if (directory == nullptr) return names;
  while (const dirent* entry = readdir(directory)) {
    const std::string name = entry->d_name;
    if (name != "." && name != "..") names.push_back(name);
  }
  closedir(directory);
  return names;
}

}  // namespace

void fail(const char* file, int line, const std::string& what) {
  sweeping::complain(std::string(file) + ":" + to_text(line) + ": " + what);
  _exit(1);
}

void skip(const std::string& reason) { fail(__FILE__, __LINE__, reason); }
const Here& here() { return current; }
bool has_failed() { return board != nullptr && (*board)->failures.load() != 0; }
void show_seed() {}
void note(const char*, ...) {}

namespace sweeping {

std::vector<Operation>& operations() {
  static std::vector<Operation> all;
  return all;
}

void prepare_world(const std::string& operation, uint64_t seed) {
  current.test = operation;
  current.seed = current.run_seed = seed;
  // The script that runs us removes what begins so, should we not come to it.
  const char* key = getenv("HOLDFAST_SWEEP_KEY");
  char prefix[15];
  snprintf(prefix, sizeof prefix, "%.6s%08x", key != nullptr ? key : "5eed00",
           static_cast<unsigned>(getpid()));
  current.semaphore_prefix = prefix;
  const char* parent = getenv("HOLDFAST_DIR");
  std::string path = std::string(parent != nullptr ? parent : "/dev/shm") + "/sweep-XXXXXX";
  if (mkdtemp(path.data()) == nullptr) {
    print("cannot make a directory " + path + ": " + strerror(errno));
    _exit(2);
  }
  current.directory = path;
  board = new Shared<Board>();
}

void set_where(const std::string& where) {
  snprintf((*board)->where, sizeof(*board)->where, "%s", where.c_str());
}

uint32_t take_failures() { return (*board)->failures.exchange(0); }

void complain(const std::string& what) {
  print("  FAILED " + current.test + ", " + (*board)->where + ": " + what);
  (*board)->failures.fetch_add(1);
}

std::vector<std::string> semaphores_left() {
  std::vector<std::string> names;
  const std::string prefix = "sem.hf-" + current.semaphore_prefix;
  for (const std::string& name : entries_of("/dev/shm")) {
    if (name.compare(0, prefix.size(), prefix) == 0) names.push_back(name);
  }
  return names;
}

std::string clear_world() {
  std::string left;
  for (const std::string& name : entries_of(current.directory)) {
    left += " " + name;
    unlink((current.directory + "/" + name).c_str());
  }
  for (const std::string& name : semaphores_left()) {
    left += " " + name;
    unlink(("/dev/shm/" + name).c_str());
  }
  return left;
}

void leave_world() { rmdir(current.directory.c_str()); }

void check_semaphores_are_named() {
  std::string named;
  for (const std::string& name : entries_of(current.directory)) {
    if (name.rfind("object.", 0) != 0 && name.rfind("spare.", 0) != 0 &&
        name.rfind("draft.", 0) != 0) {
      continue;
    }
    char posix_name[platform::kSemaphoreNameMax + 2] = " ";
    const int fd = open((current.directory + "/" + name).c_str(), O_RDONLY | O_CLOEXEC);
    const ssize_t got =
        pread(fd, posix_name + 1, platform::kSemaphoreNameMax, offsetof(core::Header, posix_name));
    close(fd);
    if (got > 0) named += posix_name;
  }
  for (const std::string& name : semaphores_left()) {
    if (named.find("/" + name.substr(strlen("sem."))) == std::string::npos) {
      fail(__FILE__, __LINE__, name + " is named by no file (INV-10)");
    }
  }
}

}  // namespace sweeping

}  // namespace holdfast::test
