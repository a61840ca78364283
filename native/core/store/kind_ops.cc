#include "core/store/kind_ops.h"

#include <cstring>

namespace holdfast::core {

bool BodyReader::read(uint64_t offset, void* bytes, size_t length) const {
  if (base_ == nullptr) return platform::read_at(fd_, offset, bytes, length);
  memcpy(bytes, base_ + offset, length);
  return true;
}

bool BodyReader::has_owner_at(uint64_t offset) const {
  AgentId owner = 0;
  return read(offset, &owner, sizeof owner) && owner != 0;
}

bool has_unreported_death(Kind kind, uint32_t flags, const BodyReader& reader) {
  const KindOps& ops = *ops_of(kind);
  return (flags & kAnonymous) == 0 && ops.has_unreported_death != nullptr &&
         ops.has_unreported_death(reader);
}

Status made_with_another(const char* what, uint64_t has, uint64_t wanted) {
  return Status::of(Code::incompatible, std::string("it was made with ") + what + " " +
                                            std::to_string(has) + ", not " +
                                            std::to_string(wanted));
}

}  // namespace holdfast::core
