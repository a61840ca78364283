#include "core/store/directory_mark.h"

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
  const size_t slash = directory.rfind('/');
  const std::string parent = slash == 0 ? "/" : directory.substr(0, slash);
  place_ = mark_place(directory.substr(slash + 1) + '\0' + std::to_string(device));
  if (platform::open_for_marks(parent.c_str(), &fd_)) return;
  if (platform::place_mark(fd_, place_)) platform::close_descriptor(std::exchange(fd_, -1));
}

void DirectoryMark::remove() {
  if (fd_ < 0) return;
  // By word: a child that was forked this instant may share the file description.
  platform::remove_mark(fd_, place_);
  platform::close_descriptor(std::exchange(fd_, -1));
}

std::vector<uint32_t> DirectoryMark::others() const {
  return fd_ < 0 ? std::vector<uint32_t>() : platform::marks_of_others(fd_, place_);
}

}  // namespace holdfast::core
