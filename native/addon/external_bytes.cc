#include "addon/external_bytes.h"

namespace holdfast::addon {

napi_status make_external(napi_env env, void* bytes, size_t length, napi_finalize end, void* hint,
                          napi_value* buffer) {
  return napi_create_external_arraybuffer(env, bytes, length, end, hint, buffer);
}

}  // namespace holdfast::addon
