#include <algorithm>

#include "core/invariant.h"
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
        found.what != Found::What::object || found.is_litter()) {
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

// How many files a step of the sweep looks at. Each that has to go takes a tenth of a millisecond,
// and meanwhile this process waits, and whoever else needs the directory's lock.
constexpr size_t kSweepStep = 64;

// A sweep takes away what killed processes left, whatever its format. What is no file of holdfast
// stays: it gets its error from open(). The files are listed at once, and looked at step by step.
// What comes or goes between the steps does no harm, because a file is looked at under the lock,
// and an open looks itself at the file that it needs.
void Store::begin_sweep() {
  const int64_t started = platform::monotonic_ns();
  platform::OsError error;
  to_sweep_ = list_files(&error);
  // A spare name goes with the file's first one.
  to_sweep_.erase(std::remove_if(to_sweep_.begin(), to_sweep_.end(), is_spare_file),
                  to_sweep_.end());
  sweep_ns_ = platform::monotonic_ns() - started;
  sweep_step();
}

void Store::sweep_step() {
  HOLDFAST_INVARIANT(INV_8, is_locked_);
  const int64_t started = platform::monotonic_ns();
  for (size_t left = kSweepStep; left > 0 && !to_sweep_.empty(); left--) {
    sweep_file(to_sweep_.back());
    to_sweep_.pop_back();
    KILL_POINT("store.sweep.file");
  }
  const int64_t ended = platform::monotonic_ns();
  sweep_ns_ += ended - started;
  is_sweeping_.store(!to_sweep_.empty(), std::memory_order_relaxed);
  // At most one part in a hundred of a process's time, however many objects there are.
  next_sweep_ns_ = ended + std::max(1000 * platform::kNanosPerMilli, 100 * sweep_ns_);
}

void Store::sweep_file(const std::string& file_name) {
  if (registry_.is_of_ended_agent(file_name)) {
    platform::unlink_file(directory_fd_, file_name.c_str());
  }
  KILL_POINT("store.sweep.doorbell");
  if (is_draft_file(file_name)) destroy_draft(file_name);
  Found found;
  if (!is_object_file(file_name) || !find(file_name, &found).ok() || found.in_use) return;
  if (found.what == Found::What::half_made || found.is_litter()) {
    destroy(found.semaphore_name(), file_name);
  }
}

// For an open: the next step, or the first one if a sweep is due.
void Store::sweep_if_due() {
  if (is_sweeping()) {
    sweep_step();
  } else if (platform::monotonic_ns() >= next_sweep_ns_) {
    begin_sweep();
  }
}

bool Store::sweep_further() {
  if (!is_sweeping()) return false;
  Locked locked(*this, Locked::kForSweeping);
  if (locked.acquired() && is_sweeping() && check_surroundings().ok()) sweep_step();
  return is_sweeping();
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

}  // namespace holdfast::core
