// Memory of the system that becomes an ArrayBuffer. Some runtimes forbid that, as Electron does,
// where every ArrayBuffer has to lie in V8's own part of the address space.
//
// This is the only code that asks for it. In an addon for tests native/test/addon/ takes its place.
#ifndef HOLDFAST_ADDON_EXTERNAL_BYTES_H
#define HOLDFAST_ADDON_EXTERNAL_BYTES_H

#include <node_api.h>

#include <cstddef>

namespace holdfast::addon {

// napi_no_external_buffers_allowed where the runtime forbids it. `end` is called when the buffer no
// longer uses the bytes; never if this fails.
napi_status make_external(napi_env env, void* bytes, size_t length, napi_finalize end, void* hint,
                          napi_value* buffer);

}  // namespace holdfast::addon

#endif
