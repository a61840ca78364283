// The directory's lock and this process's own mutex, for one scope. The mutex is needed as well,
// because all threads of a process share one file description.
#ifndef HOLDFAST_CORE_STORE_DIRECTORY_LOCK_H
#define HOLDFAST_CORE_STORE_DIRECTORY_LOCK_H

#include <mutex>
#include <utility>

#include "core/store/store.h"

namespace holdfast::core {

constexpr const char* kRegistryName = "registry";
constexpr const char* kObjectPrefix = "object.";
constexpr const char* kSparePrefix = "spare.";  // see spare_name.cc
constexpr const char* kDraftPrefix = "draft.";  // see Store::remake
constexpr int64_t kOpenPatience_ns = 10'000 * platform::kNanosPerMilli;
constexpr int64_t kClosePatience_ns = 1'000 * platform::kNanosPerMilli;
constexpr int64_t kHurry_ns = 10'000 * platform::kNanosPerMilli;

inline bool is_object_file(const std::string& file_name) {
  return file_name.rfind(kObjectPrefix, 0) == 0;
}

inline bool is_spare_file(const std::string& file_name) {
  return file_name.rfind(kSparePrefix, 0) == 0;
}

inline bool is_draft_file(const std::string& file_name) {
  return file_name.rfind(kDraftPrefix, 0) == 0;
}

class Store::Locked {
 public:
  enum Purpose { kForOpening, kForClosing, kForSweeping };

  // Waits for the lock: kForOpening as long as an open may take, kForSweeping not at all,
  // kForClosing for a moment, because a close works without it. If that moment was in vain, the
  // next closes do not wait at all: at its end a process closes everything that it has open.
  explicit Locked(Store& store, Purpose purpose = kForOpening);
  ~Locked() {
    // Explicitly, not by closing: a child that was forked this instant may share the file
    // description.
    if (std::exchange(store_.is_locked_, false)) platform::unlock_file(store_.directory_fd_);
  }
  bool acquired() const { return store_.is_locked_; }
  static Status busy() {
    return Status::of(Code::busy, "the directory is locked by another process");
  }

 private:
  std::unique_lock<std::mutex> guard_;  // has the mutex, acquired or not
  Store& store_;
};

}  // namespace holdfast::core

#endif
