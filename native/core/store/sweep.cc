#include <algorithm>

#include "core/kill_point.h"
#include "core/store/directory_lock.h"
#include "core/store/found.h"
#include "core/store/kind_ops.h"

namespace holdfast::core {

Status Store::list(std::vector<Listing>* listings, Look look) {
  Locked locked(*this);
  if (!locked.acquired()) return Locked::busy();
  platform::OsError error;
  for (const std::string& file_name : list_files(&error)) {
    Found found;
    if (!is_object_file(file_name) || !inspect_file(file_name, &found).ok() ||
        found.what != Found::What::object) {
      continue;
    }
    listings->push_back({found.header.kind,
                         found.name,
                         found.persistent(),
                         found.in_use,
                         found.is_foreign ? to_text(format_of(found.header)) : "",
                         {}});
    if (look == Look::at_bodies) observe(found, &listings->back().seen);
  }
  return error ? Status::from(error, "cannot list " + directory_) : Status::success();
}

void Store::observe(const Found& found, Observation* seen) {
  const KindOps* ops = ops_of(found.header.kind);
  if (found.is_foreign || ops == nullptr || ops->observe == nullptr) return;
  const uint32_t table_offset = table_offset_of(*ops, found.header.name_length);
  ops->observe({BodyReader(found.fd), registry_, found.header.initial, table_offset}, seen);
}

// Takes away what killed processes left, whatever its format. What is no file of holdfast stays: it
// gets its error from open().
void Store::sweep() {
  const int64_t started = platform::monotonic_ns();
  platform::OsError error;
  for (const std::string& file_name : list_files(&error)) {
    if (registry_.is_stale_doorbell(file_name))
      platform::unlink_file(directory_fd_, file_name.c_str());
    KILL_POINT("store.sweep.doorbell");
    if (is_draft_file(file_name)) destroy_draft(file_name);
    Found found;
    if (!is_object_file(file_name) || !find(file_name, &found).ok() || found.in_use) {
      continue;
    }
    if (found.what == Found::What::half_made ||
        (found.is_leftover() && found.unreported_death() == 0)) {
      destroy(found.semaphore_name(), file_name);
    }
  }
  // At most one part in a hundred of a process's time, however many objects there are.
  const int64_t ended = platform::monotonic_ns();
  next_sweep_ns_ = ended + std::max(1000 * platform::kNanosPerMilli, 100 * (ended - started));
}

// After a reboot: no object has users, and a page that was being written then may be torn. So
// persistent ones go, too, as they do where the directory is in memory.
void Store::destroy_all() {
  platform::OsError error;
  for (const std::string& file_name : list_files(&error)) {
    Found found;
    if (!is_object_file(file_name) || !inspect_file(file_name, &found).ok() || found.in_use) {
      continue;
    }
    if (found.what == Found::What::object) destroy(found.semaphore_name(), file_name);
    KILL_POINT("store.destroy_all.object");
  }
}

void Store::sweep_if_due() {
  if (platform::monotonic_ns() >= next_sweep_ns_) sweep();
}

}  // namespace holdfast::core
