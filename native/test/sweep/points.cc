#include "points.h"

#include <cstring>
#include <string>

#include "core/kill_point.h"
#include "scene.h"

using holdfast::core::KillPoint;

// The linker's names for the two ends of the section.
extern "C" KillPoint __start_holdfast_kill_points[];
extern "C" KillPoint __stop_holdfast_kill_points[];

namespace holdfast::test::sweeping {

namespace {

constexpr uint64_t kNever = uint64_t{1} << 62;

KillPoint& point(size_t index) { return __start_holdfast_kill_points[index]; }

// Code of waits in the kernel: of an RLock's mutex, which no agent locks where threads cannot wait
// in it, of entries that are not to be woken, and of threads that are parked.
const char* const kOfKernelMutexes[] = {"rlock.claim_with.", "rlock.unlock_mutex.",
                                        "wait_set.ask_not_to_be_woken."};
const char* const kOnlyOfKernelMutexes[] = {"rlock.release.owner", "parking.wake_one.word",
                                            "parking.wake_one.nobody"};

}  // namespace

size_t point_count() {
  return static_cast<size_t>(__stop_holdfast_kill_points - __start_holdfast_kill_points);
}

const char* point_name(size_t index) { return point(index).name; }

bool is_reachable(size_t index) {
  if (platform::traits::kTimedWaits) return true;
  const std::string name = point_name(index);
  for (const char* prefix : kOfKernelMutexes) {
    if (name.compare(0, strlen(prefix), prefix) == 0) return false;
  }
  for (const char* whole : kOnlyOfKernelMutexes) {
    if (name == whole) return false;
  }
  return true;
}

void light(size_t index, uint64_t nth) { point(index).fuse = nth; }

void start_counting() {
  for (size_t i = 0; i < point_count(); i++) point(i).fuse = kNever;
}

void stop_counting(uint64_t* visits) {
  for (size_t i = 0; i < point_count(); i++) {
    visits[i] = kNever - point(i).fuse;
    point(i).fuse = 0;
  }
}

void die_at(const char* name) {
  for (size_t i = 0; i < point_count(); i++) {
    if (strcmp(point_name(i), name) == 0) return light(i, 1);
  }
  fail(__FILE__, __LINE__, std::string("there is no kill point ") + name);
}

}  // namespace holdfast::test::sweeping
