#include "core/primitives/lock.h"

#include "addon/kinds.h"
#include "addon/owned.h"

namespace holdfast::addon {

const KindBinding kLock = {core::Kind::lock, "Lock", Owned<core::Lock>::bind,
                           make_native<Native<core::Lock>>};

}  // namespace holdfast::addon
