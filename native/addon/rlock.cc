#include "core/primitives/rlock.h"

#include "addon/kinds.h"
#include "addon/owned.h"

namespace holdfast::addon {

const KindBinding kRLock = {core::Kind::rlock, "RLock", Owned<core::RLock>::bind,
                            make_native<Native<core::RLock>>};

}  // namespace holdfast::addon
