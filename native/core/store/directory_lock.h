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
constexpr const char* kDraftPrefix = "draft.";  // see Store::remake
constexpr int64_t kOpenPatience_ns = 10'000 * platform::kNanosPerMilli;
constexpr int64_t kClosePatience_ns = 2'000 * platform::kNanosPerMilli;

inline bool is_object_file(const std::string& file_name) {
  return file_name.rfind(kObjectPrefix, 0) == 0;
}

inline bool is_draft_file(const std::string& file_name) {
  return file_name.rfind(kDraftPrefix, 0) == 0;
}

class Store::Locked {
 public:
  Locked(Store& store, int64_t patience_ns) : guard_(store.mutex_), store_(store) {
    store_.is_locked_ = lock(store.directory_fd_, patience_ns);
  }
  ~Locked() {
    // By word, not by close: a child that was forked this instant may share the file description.
    if (std::exchange(store_.is_locked_, false)) platform::unlock_file(store_.directory_fd_);
  }
  bool acquired() const { return store_.is_locked_; }
  static Status busy() {
    return Status::of(Code::busy, "the directory is locked by another process");
  }

 private:
  static bool lock(int fd, int64_t patience_ns);

  std::lock_guard<std::mutex> guard_;
  Store& store_;
};

}  // namespace holdfast::core

#endif
