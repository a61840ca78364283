#include "core/store/semaphore_home.h"

#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <set>
#include <utility>

#include "core/hash.h"
#include "core/store/directory_mark.h"
#include "core/store/open_request.h"
#include "platform/platform.h"

namespace holdfast::core {

namespace {

constexpr size_t kPrefixDigits = 10;

// "0123456789-": no older version has a name with a hyphen there, and none of theirs is swept.
bool is_prefix(const std::string& text) {
  return text.size() == kPrefixDigits + 1 && text.back() == '-' &&
         strspn(text.c_str(), "0123456789abcdef") == kPrefixDigits;
}

uint64_t place_of_users(const std::string& prefix) { return mark_place("used " + prefix); }
uint64_t place_of_sweepers(const std::string& prefix) { return mark_place("swept " + prefix); }

}  // namespace

SemaphoreHome::~SemaphoreHome() {
  if (fd_ < 0) return;
  platform::remove_mark(fd_, place_of_users(prefix_));
  platform::close_descriptor(fd_);
}

bool SemaphoreHome::enter(const std::string& identity, int64_t deadline_ns) {
  char digits[kPrefixDigits + 1];
  snprintf(digits, sizeof digits, "%010llx", static_cast<unsigned long long>(mark_place(identity)));
  prefix_ = digits;
  space_ = fnv1a(platform::semaphore_space());
  const char* directory = platform::semaphore_directory();
  if (directory == nullptr || platform::open_for_marks(directory, &fd_)) return true;
  const std::string prefix = prefix_ + "-";
  if (platform::place_mark(fd_, place_of_users(prefix))) {
    platform::close_descriptor(std::exchange(fd_, -1));  // nobody will know what is left
    return true;
  }
  prefix_ = prefix;
  while (!platform::marks_of_others(fd_, place_of_sweepers(prefix)).empty()) {
    if (platform::monotonic_ns() >= deadline_ns) return false;
    platform::sleep_ns(platform::kNanosPerMilli);
  }
  return true;
}

std::string SemaphoreHome::key(const std::string& file_key) const {
  std::string key = prefix_;
  for (size_t i = 0; key.size() < kSemaphoreKeyLength; i++) {
    const std::string digit(1, file_key[i]);
    const uint64_t mixed = strtoull(digit.c_str(), nullptr, 16) ^ (space_ >> (4 * i) & 15);
    key += "0123456789abcdef"[mixed];
  }
  return key;
}

void SemaphoreHome::sweep(const std::string& prefix) {
  if (platform::place_mark(fd_, place_of_sweepers(prefix))) return;
  if (platform::marks_of_others(fd_, place_of_users(prefix)).empty()) {
    for (const std::string& name : platform::list_semaphores(("/hf-" + prefix).c_str())) {
      if (!platform::is_kept_semaphore(name.c_str())) platform::unlink_semaphore(name.c_str());
    }
  }
  platform::remove_mark(fd_, place_of_sweepers(prefix));
}

void SemaphoreHome::sweep_own() {
  if (fd_ >= 0) sweep(prefix_);
}

void SemaphoreHome::sweep() {
  if (fd_ < 0) return;
  std::set<std::string> prefixes;
  for (const std::string& name : platform::list_semaphores("/hf-")) {
    const std::string prefix = name.substr(4, kPrefixDigits + 1);
    if (is_prefix(prefix) && prefix != prefix_) prefixes.insert(prefix);
  }
  for (const std::string& prefix : prefixes) {
    if (platform::marks_of_others(fd_, place_of_users(prefix)).empty()) sweep(prefix);
  }
}

}  // namespace holdfast::core
