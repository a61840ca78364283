// A runtime as Electron, whose V8 lets no memory of the system become a buffer. This file takes the
// place of native/addon/external_bytes.cc. The addon for this test is compiled with
// NODE_API_NO_EXTERNAL_BUFFERS_ALLOWED: then Node's headers declare no function for such a buffer,
// so that the compiler finds any other use.
#include "addon/external_bytes.h"

namespace holdfast::addon {

napi_status make_external(napi_env, void*, size_t, napi_finalize, void*, napi_value*) {
  return napi_no_external_buffers_allowed;
}

}  // namespace holdfast::addon
