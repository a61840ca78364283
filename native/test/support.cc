#include "support.h"

#include <dirent.h>
#include <fcntl.h>
#include <semaphore.h>
#include <signal.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstdio>
#include <cstring>

#include "core/hash.h"
#include "host.h"

// Defined by the runtime of a sanitizer, and nowhere else.
extern "C" void __asan_init() __attribute__((weak));
extern "C" void __tsan_init() __attribute__((weak));

namespace holdfast::test {

namespace {

std::atomic<int> open_parties{0};

std::string hex_of(uint64_t value, int digits) {
  char text[17];
  snprintf(text, sizeof text, "%016llx", static_cast<unsigned long long>(value));
  return text + (16 - digits);
}

}  // namespace

// ---------------------------------------------------------------- time

int64_t now_ns() { return platform::monotonic_ns(); }

double ms_since(int64_t then_ns) {
  return static_cast<double>(now_ns() - then_ns) / static_cast<double>(platform::kNanosPerMilli);
}

void sleep_ms(int64_t ms) { platform::sleep_ns(ms * platform::kNanosPerMilli); }

void spin_us(uint64_t us) {
  const int64_t until = now_ns() + static_cast<int64_t>(us) * 1000;
  while (now_ns() < until) {
  }
}

bool has_sanitizer() { return __asan_init != nullptr || __tsan_init != nullptr; }

uint32_t scaled(uint32_t count) {
  const uint32_t part = host::is_emulated() ? 10 : has_sanitizer() ? 4 : 1;
  return std::max(1u, count / part);
}

void fail_never(const char* file, int line, const char* text) {
  fail(file, line, std::string("never came: ") + text);
}

double median(std::vector<double> values) {
  if (values.empty()) return 0;
  std::sort(values.begin(), values.end());
  return values[values.size() / 2];
}

// ---------------------------------------------------------------- chance

Random::Random(uint64_t stream) : state_(here().seed ^ (stream * 0x9E3779B97F4A7C15)) {
  show_seed();
}

uint64_t Random::next() {
  uint64_t z = (state_ += 0x9E3779B97F4A7C15);
  z = (z ^ (z >> 30)) * 0xBF58476D1CE4E5B9;
  z = (z ^ (z >> 27)) * 0x94D049BB133111EB;
  return z ^ (z >> 31);
}

// ---------------------------------------------------------------- processes

Child::Child(const std::function<void()>& body) {
  CHECK(open_parties.load() == 0);
  const pid_t parent = getpid();
  pid_ = fork();
  CHECK(pid_ >= 0);
  if (pid_ != 0) return;
  host::die_with_parent();
  // pid 0: the parent is in another pid namespace.
  if (getppid() != parent && getppid() != 0) _exit(1);
  body();
  _exit(0);  // what the test has made before the fork is not ours to destroy
}

Child::~Child() {
  if (pid_ > 0) kill();
}

void Child::kill() {
  CHECK(pid_ > 0);
  const pid_t pid = std::exchange(pid_, 0);
  ::kill(pid, SIGKILL);
  int status = 0;
  CHECK(waitpid(pid, &status, 0) == pid);
}

void Child::stop() {
  CHECK(::kill(pid_, SIGSTOP) == 0);
  int status = 0;
  CHECK(waitpid(pid_, &status, WUNTRACED) == pid_);
  CHECK(WIFSTOPPED(status));
}

void Child::resume() { CHECK(::kill(pid_, SIGCONT) == 0); }

void Child::join() {
  int status = 0;
  EVENTUALLY(waitpid(pid_, &status, WNOHANG) == pid_);
  pid_ = 0;
  if (WIFSIGNALED(status)) CHECK_EQUAL(WTERMSIG(status), 0);
  CHECK_EQUAL(WEXITSTATUS(status), 0);
}

void in_child(const std::function<void()>& body) { Child(body).join(); }

void in_two_pid_namespaces(const std::function<void(uint32_t)>& body) {
  Shared<std::atomic<int>> refused;
  std::vector<Child> halves;
  for (uint32_t number = 1; number <= 2; number++) {
    halves.emplace_back([&, number] {
      if (const int error = host::enter_new_pid_namespace()) {
        *refused = error;
        return;
      }
      in_child([&] {
        CHECK_EQUAL(getpid(), 1);
        body(number);
      });
    });
  }
  for (Child& half : halves) half.join();
  if (*refused != 0) skip(std::string("no new pid namespace: ") + strerror(*refused));
}

// ---------------------------------------------------------------- names and files

std::string file_key_of(const std::string& name) {
  return hex_of(core::fnv1a(name), 16) + hex_of(core::fnv1a(name + "!"), 10);
}

std::string semaphore_key_of(const std::string& name) {
  return here().semaphore_prefix + hex_of(core::fnv1a(name), 12);
}

core::OpenRequest request_for(Kind kind, const std::string& name) {
  core::OpenRequest request;
  request.kind = kind;
  request.name = name;
  request.file_key = file_key_of(name);
  request.semaphore_key = semaphore_key_of(name);
  return request;
}

std::string file_of(const std::string& name) {
  return here().directory + "/object." + file_key_of(name);
}

std::string posix_name_of(const std::string& name) { return "/hf-" + semaphore_key_of(name); }

bool file_exists(const std::string& path) {
  struct stat facts;
  return lstat(path.c_str(), &facts) == 0;
}

std::string read_file(const std::string& path) {
  const int fd = open(path.c_str(), O_RDONLY | O_CLOEXEC);
  CHECK(fd >= 0);
  std::string bytes;
  char buffer[4096];
  for (ssize_t got; (got = read(fd, buffer, sizeof buffer)) > 0;) {
    bytes.append(buffer, static_cast<size_t>(got));
  }
  close(fd);
  return bytes;
}

void write_file(const std::string& path, const std::string& bytes) {
  const int fd = open(path.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
  CHECK(fd >= 0);
  CHECK(write(fd, bytes.data(), bytes.size()) == static_cast<ssize_t>(bytes.size()));
  close(fd);
}

std::vector<std::string> names_in(const std::string& path) {
  std::vector<std::string> names;
  DIR* directory = opendir(path.c_str());
  CHECK(directory != nullptr);
  while (const dirent* entry = readdir(directory)) {
    if (entry->d_name[0] != '.') names.emplace_back(entry->d_name);
  }
  closedir(directory);
  std::sort(names.begin(), names.end());
  return names;
}

bool semaphore_exists(const std::string& posix_name) {
  sem_t* opened = sem_open(posix_name.c_str(), 0);
  if (opened == SEM_FAILED) {
    CHECK_EQUAL(errno, ENOENT);
    return false;
  }
  sem_close(opened);
  return true;
}

// ---------------------------------------------------------------- parties

Party::Party(const std::string& directory) {
  open_parties.fetch_add(1);
  const Status status = core::Store::enter(directory, &store_);
  if (!status.ok()) fail(__FILE__, __LINE__, "enter: " + status.detail);
  begin(0);
}

Party::Party(std::shared_ptr<core::Store> store, uint32_t thread_id) : store_(std::move(store)) {
  open_parties.fetch_add(1);
  begin(thread_id);
}

void Party::begin(uint32_t thread_id) {
  const Status status = core::Agent::begin(store_, thread_id, "native-test", &agent_);
  if (!status.ok()) fail(__FILE__, __LINE__, "begin: " + status.detail);
}

Party::~Party() {
  while (!open_.empty()) close(*open_.back());
  agent_.reset();
  store_.reset();
  open_parties.fetch_sub(1);
}

Status Party::try_open(const core::OpenRequest& request, core::Object** object) {
  Status status = store_->open(request, object);
  if (status.ok()) open_.push_back(*object);
  return status;
}

core::Object& Party::open(const core::OpenRequest& request) {
  core::Object* object = nullptr;
  const Status status = try_open(request, &object);
  if (!status.ok()) {
    fail(__FILE__, __LINE__, "open: code " + to_text(status.code) + ", " + status.detail);
  }
  return *object;
}

void Party::close(core::Object& object) {
  const auto found = std::find(open_.begin(), open_.end(), &object);
  CHECK(found != open_.end());
  open_.erase(found);
  store_->close(&object);
}

void sweep() { Party party; }

}  // namespace holdfast::test
