// What Lock and RLock have in common for the store.
#ifndef HOLDFAST_CORE_PRIMITIVES_OWNED_H
#define HOLDFAST_CORE_PRIMITIVES_OWNED_H

#include "core/store/kind_ops.h"

namespace holdfast::core {

// KindOps::has_unreported_death: `owner` still names the holder that died.
inline bool has_owner(const BodyReader& reader) {
  return reader.has_owner_at(sizeof(Header) + offsetof(OwnedBody, owner));
}

}  // namespace holdfast::core

#endif
