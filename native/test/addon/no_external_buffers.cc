// A runtime as Electron, whose V8 lets no memory of the system become a buffer. The addon for this
// test is compiled with another name for the function of Node-API, and that is this one.
#include <node_api.h>

extern "C" napi_status napi_refuse_external_arraybuffer(napi_env, void*, size_t, napi_finalize,
                                                        void*, napi_value*) {
  return napi_no_external_buffers_allowed;
}
