#include "core/primitives/shared_memory.h"

#include "core/store/kind_ops.h"

namespace holdfast::core {

namespace {

uint64_t table_length(const OpenRequest& request) { return request.bytes; }

bool is_plausible(uint32_t, uint64_t length) { return length >= 1 && length <= kSharedMemoryMax; }

Status compare(const OpenRequest& request, const BodyReader&, uint64_t length) {
  if (request.bytes == 0 || request.bytes == length) return Status::success();
  return made_with_another("a size of", length, request.bytes);
}

constexpr KindOps make_ops() {
  KindOps ops{"SharedMemory"};
  ops.table_length = table_length;
  ops.is_plausible = is_plausible;
  ops.compare = compare;
  return ops;
}

}  // namespace

extern const KindOps kSharedMemoryOps;
const KindOps kSharedMemoryOps = make_ops();

}  // namespace holdfast::core
