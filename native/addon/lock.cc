#include "core/primitives/lock.h"

#include "addon/owned.h"

namespace holdfast::addon {

napi_value bind_lock(Environment& environment, core::Object* object) {
  return Owned<core::Lock>::bind(environment, object);
}

}  // namespace holdfast::addon
