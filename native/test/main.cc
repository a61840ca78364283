// native-test [filter...]: runs the tests whose full name contains one of the filters, or all.
//
// One line a test, and last `N passed, N failed`. HOLDFAST_SEED=<n> repeats the random choices of a
// run (not the scheduling of its processes).
#include <dirent.h>
#include <signal.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstdarg>
#include <cstdio>
#include <cstdlib>
#include <cstring>

#include "core/hash.h"
#include "framework.h"
#include "host.h"
#include "platform/platform.h"

namespace holdfast::test {

namespace {

constexpr int kFailed = 1;
constexpr int kSkipped = 77;
// Far above what a test takes: it is there for a hang, not to measure.
constexpr int64_t kWatchdog_ms = 90'000;

// Shared with every process of the running test.
struct Report {
  std::atomic<uint32_t> failures;
  std::atomic<bool> seeded;
  char note[256];
  char reason[256];
};

Report* report = nullptr;
Here current;

std::string format_of(const char* format, va_list arguments) {
  char text[256];
  vsnprintf(text, sizeof text, format, arguments);
  return text;
}

// One write(2) a line, so that the lines of several processes do not mix.
void print(const std::string& line) {
  const std::string text = line + "\n";
  if (write(STDOUT_FILENO, text.data(), text.size()) < 0) abort();
}

}  // namespace

std::vector<Test>& all_tests() {
  static std::vector<Test> tests;
  return tests;
}

Registration::Registration(const char* file, const char* name, void (*body)()) {
  std::string group = file;
  group.erase(0, group.rfind('/') + 1);  // npos + 1 is 0
  group.erase(group.find("_test.cc"));
  all_tests().push_back({group + "." + name, body});
}

void fail(const char* file, int line, const std::string& what) {
  print("  " + current.test + ": " + file + ":" + to_text(line) + ": " + what + " (process " +
        to_text(getpid()) + ")");
  // Last: a process that sees it ends the test, and this process with it.
  report->failures.fetch_add(1);
  _exit(kFailed);
}

void skip(const std::string& reason) {
  snprintf(report->reason, sizeof report->reason, "%s", reason.c_str());
  _exit(kSkipped);
}

void note(const char* format, ...) {
  va_list arguments;
  va_start(arguments, format);
  const std::string text = format_of(format, arguments);
  va_end(arguments);
  const size_t length = strlen(report->note);
  snprintf(report->note + length, sizeof report->note - length, "%s%s", length > 0 ? ", " : "",
           text.c_str());
}

const Here& here() { return current; }
bool has_failed() { return report->failures.load() != 0; }
void show_seed() { report->seeded.store(true); }

namespace {

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

void remove_tree(const std::string& path) {
  struct stat facts;
  if (lstat(path.c_str(), &facts) != 0) return;
  if (S_ISDIR(facts.st_mode)) {
    for (const std::string& name : entries_of(path)) remove_tree(path + "/" + name);
    rmdir(path.c_str());
  } else {
    unlink(path.c_str());
  }
}

bool is_directory(const char* path) {
  struct stat facts;
  return stat(path, &facts) == 0 && S_ISDIR(facts.st_mode);
}

const char* shared_memory_directory() { return is_directory("/dev/shm") ? "/dev/shm" : nullptr; }

// What the test left behind, taken away and listed.
std::string clear_away() {
  std::string left;
  for (const std::string& name : entries_of(current.directory)) left += " " + name;
  remove_tree(current.directory);
  if (const char* directory = shared_memory_directory()) {
    const std::string prefix = "sem.hf-" + current.semaphore_prefix;
    for (const std::string& name : entries_of(directory)) {
      if (name.compare(0, prefix.size(), prefix) != 0) continue;
      left += " " + name;
      unlink((std::string(directory) + "/" + name).c_str());
    }
  }
  return left;
}

// Waits for every process that the test has started; the kernel kills them when the test dies.
bool wait_for_orphans() {
  for (int round = 0; round < 5000; round++) {
    int status = 0;
    const pid_t pid = waitpid(-1, &status, WNOHANG);
    if (pid < 0 && errno == ECHILD) return true;
    if (pid == 0) platform::sleep_ns(platform::kNanosPerMilli);
  }
  return false;
}

int wait_with_watchdog(pid_t pid, bool* hung) {
  const int64_t deadline = platform::monotonic_ns() + kWatchdog_ms * platform::kNanosPerMilli;
  *hung = false;
  int status = 0;
  int64_t pause_ns = 50'000;
  while (waitpid(pid, &status, WNOHANG) == 0) {
    if (platform::monotonic_ns() >= deadline) {
      *hung = true;
      kill(pid, SIGKILL);
      waitpid(pid, &status, 0);
      break;
    }
    platform::sleep_ns(pause_ns);
    pause_ns = std::min<int64_t>(pause_ns * 2, 2 * platform::kNanosPerMilli);
  }
  return status;
}

void prepare(const Test& test, uint32_t number, uint64_t run_key, uint64_t run_seed) {
  current.test = test.full_name;
  current.seed = core::fnv1a(test.full_name, run_seed ^ 0xCBF29CE484222325);
  current.run_seed = run_seed;
  char prefix[15];
  snprintf(prefix, sizeof prefix, "%010llx%04x",
           static_cast<unsigned long long>(run_key & 0xFF'FFFF'FFFF), number);
  current.semaphore_prefix = prefix;
  const char* parent = shared_memory_directory();
  std::string path = std::string(parent != nullptr ? parent : "/tmp") + "/hf-native-XXXXXX";
  if (mkdtemp(path.data()) == nullptr) {  // which makes it with mode 0700
    print("cannot make a directory " + path + ": " + strerror(errno));
    exit(2);
  }
  current.directory = path;
  report = new (report) Report();
}

enum class Verdict { passed, failed, skipped };

Verdict run(const Test& test) {
  const int64_t started = platform::monotonic_ns();
  const pid_t pid = fork();
  if (pid == 0) {
    host::die_with_parent();
    test.body();
    exit(0);  // with the last words of the sanitizers
  }
  bool hung = false;
  const int status = wait_with_watchdog(pid, &hung);
  const bool orphans = !wait_for_orphans();
  const std::string left = clear_away();
  const auto took_ms = (platform::monotonic_ns() - started) / platform::kNanosPerMilli;

  std::string faults;
  if (hung) faults += " stopped by the watchdog;";
  if (WIFSIGNALED(status) && !hung) faults += " ended by signal " + to_text(WTERMSIG(status)) + ";";
  const int code = WIFEXITED(status) ? WEXITSTATUS(status) : kFailed;
  if (WIFEXITED(status) && code != 0 && code != kSkipped) {
    faults += " exit code " + to_text(code) + ";";
  }
  if (report->failures.load() != 0 && code == 0) faults += " a check failed in a child;";
  if (orphans) faults += " it left processes behind;";
  // A test that was cut short could not clear away anything itself.
  if (code == 0 && !left.empty()) faults += " it left behind" + left + ";";

  const bool skipped = faults.empty() && code == kSkipped;
  std::string line = !faults.empty() ? "FAILED  " : skipped ? "skipped " : "ok      ";
  line += test.full_name + " (" + to_text(took_ms) + " ms)";
  if (report->note[0] != '\0') line += " " + std::string(report->note);
  if (skipped) line += " " + std::string(report->reason);
  if (!faults.empty()) line += faults;
  if (report->seeded.load()) line += " [seed " + to_text(current.run_seed) + "]";
  print(line);
  return !faults.empty() ? Verdict::failed : skipped ? Verdict::skipped : Verdict::passed;
}

bool is_chosen(const Test& test, int count, char** filters) {
  for (int i = 0; i < count; i++) {
    if (test.full_name.find(filters[i]) != std::string::npos) return true;
  }
  return count == 0;
}

uint64_t seed_of_run() {
  if (const char* given = getenv("HOLDFAST_SEED")) return strtoull(given, nullptr, 10);
  uint32_t seed = 0;
  platform::random_bytes(&seed, sizeof seed);
  return seed;
}

int run_all(int filter_count, char** filters) {
  // Waking an agent that has just died must be an error code and not the end of the process.
  signal(SIGPIPE, SIG_IGN);
  host::adopt_orphans();
  void* shared =
      mmap(nullptr, sizeof(Report), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
  if (shared == MAP_FAILED) return 2;
  report = new (shared) Report();

  const uint64_t run_seed = seed_of_run();
  uint64_t run_key = 0;
  platform::random_bytes(&run_key, sizeof run_key);
  print("HOLDFAST_SEED=" + to_text(run_seed));

  uint32_t counts[3] = {};
  uint32_t number = 0;
  for (const Test& test : all_tests()) {
    number++;
    if (!is_chosen(test, filter_count, filters)) continue;
    prepare(test, number, run_key, run_seed);
    counts[static_cast<int>(run(test))]++;
  }
  const auto& [passed, failed, skipped] = counts;
  std::string last = to_text(passed) + " passed, " + to_text(failed) + " failed";
  if (skipped > 0) last += ", " + to_text(skipped) + " skipped";
  print(last);
  return failed > 0 ? 1 : 0;
}

}  // namespace

}  // namespace holdfast::test

int main(int argc, char** argv) { return holdfast::test::run_all(argc - 1, argv + 1); }
