#include "core/primitives/rlock.h"

#include "addon/owned.h"

namespace holdfast::addon {

napi_value bind_rlock(Environment& environment, core::Object* object) {
  return Owned<core::RLock>::bind(environment, object);
}

}  // namespace holdfast::addon
