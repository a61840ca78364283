#include "core/store/format.h"

namespace holdfast::core {

namespace {

// The numbers are those of kLibraryId in traits.h.
std::string library_name(uint64_t id) {
  switch (id) {
    case 1:
      return "glibc";
    case 2:
      return "portable build";
    case 3:
      return "musl";
    case 4:
      return "portable build, musl";
    default:
      return "C library " + std::to_string(id);
  }
}

}  // namespace

std::string to_text(const Format& format) {
  const uint64_t signature = format.signature;
  std::string version = "format " + std::to_string(format.version);
  if (signature == 0) return version;
  return version + " (" + std::to_string(8 * (signature >> 56)) + "-bit, " +
         library_name((signature >> 48) & 0xFF) + ", sem_t " +
         std::to_string((signature >> 24) & 0xFF'FFFF) + ", mutex " +
         std::to_string(signature & 0xFF'FFFF) + ")";
}

}  // namespace holdfast::core
