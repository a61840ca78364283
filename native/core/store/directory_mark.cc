#include "core/store/directory_mark.h"

#include <set>
#include <utility>

#include "core/hash.h"
#include "platform/platform.h"

namespace holdfast::core {

uint64_t mark_place(const std::string& text) {
  const uint64_t hash = fnv1a(text);
  return (hash ^ (hash >> 40)) % platform::kMarkPlaces;
}

void DirectoryMark::place(const std::string& directory, uint64_t device) {
  remove();
  const auto place = [](Mark& mark, const std::string& where, const std::string& what) {
    mark.place = mark_place(what);
    if (platform::open_for_marks(where.c_str(), &mark.fd)) return;
    if (platform::place_mark(mark.fd, mark.place)) {
      platform::close_descriptor(std::exchange(mark.fd, -1));
    }
  };
  const size_t slash = directory.rfind('/');
  place(on_parent_, slash == 0 ? "/" : directory.substr(0, slash),
        directory.substr(slash + 1) + '\0' + std::to_string(device));
  place(on_root_, "/", directory + '\0' + std::to_string(platform::mount_namespace()));
}

void DirectoryMark::remove() {
  for (Mark* mark : {&on_parent_, &on_root_}) {
    if (mark->fd < 0) continue;
    // By word: a child that was forked this instant may share the file description.
    platform::remove_mark(mark->fd, mark->place);
    platform::close_descriptor(std::exchange(mark->fd, -1));
  }
}

std::vector<uint32_t> DirectoryMark::others() const {
  std::set<uint32_t> pids;
  for (const Mark* mark : {&on_parent_, &on_root_}) {
    if (mark->fd < 0) continue;
    for (const uint32_t pid : platform::marks_of_others(mark->fd, mark->place)) pids.insert(pid);
  }
  return {pids.begin(), pids.end()};
}

}  // namespace holdfast::core
