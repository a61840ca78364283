#include "core/store/kind_ops.h"

#include <cstring>

namespace holdfast::core {

bool BodyReader::read(uint64_t offset, void* bytes, size_t length) const {
  if (base_ == nullptr) return platform::read_at(fd_, offset, bytes, length);
  memcpy(bytes, base_ + offset, length);
  return true;
}

uint32_t name_offset_of(const KindOps& ops, size_t name_length) {
  return name_length > kShortNameMax ? static_cast<uint32_t>(ops.body_length) : 0;
}

uint32_t table_offset_of(const KindOps& ops, size_t name_length) {
  const size_t name_room = name_length > kShortNameMax ? kLongNameLength : 0;
  return static_cast<uint32_t>(ops.body_length + name_room);
}

OwnerWords owner_words_of(const KindOps& ops, uint32_t initial, uint32_t table_offset) {
  return ops.owner_words != nullptr ? ops.owner_words(initial, table_offset) : OwnerWords{};
}

AgentId unreported_death(uint32_t flags, const OwnerWords& words, const BodyReader& reader) {
  if ((flags & kAnonymous) != 0) return 0;
  for (uint32_t i = 0; i < words.count; i++) {
    AgentId owner = 0;
    const uint64_t offset = uint64_t{words.offset} + uint64_t{i} * words.stride;
    if (reader.read(offset, &owner, sizeof owner) && owner != 0) return owner;
  }
  return 0;
}

Status made_with_another(const char* what, uint64_t has, uint64_t wanted) {
  return Status::of(Code::incompatible, std::string("it was made with ") + what + " " +
                                            std::to_string(has) + ", not " +
                                            std::to_string(wanted));
}

}  // namespace holdfast::core
