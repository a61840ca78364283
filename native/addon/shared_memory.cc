#include "core/shared_memory.h"

#include "addon/handle.h"

namespace holdfast::addon {

namespace {

using H = Handle<core::SharedMemory>;
using Mapping = core::SharedMemory::Mapping;

// map(): an ArrayBuffer whose bytes are the mapping. V8 owns the mapping from here on and gives it back when
// no view can reach it any more, closed or not: so no view outlives it.
napi_value map(napi_env env, H& handle, const double*) {
  auto* mapping = new Mapping();
  if (platform::OsError error = handle.primitive.map(mapping)) {
    delete mapping;
    return handle.environment().raise(core::Status::from(error, "cannot map its bytes"), handle);
  }
  napi_value buffer = nullptr;
  const napi_status status = napi_create_external_arraybuffer(
      env, mapping->bytes, static_cast<size_t>(handle.primitive.size()),
      [](napi_env, void*, void* data) {
        auto* mapping = static_cast<Mapping*>(data);
        core::SharedMemory::unmap(*mapping);
        delete mapping;
      },
      mapping, &buffer);
  if (status == napi_ok) return buffer;
  core::SharedMemory::unmap(*mapping);
  delete mapping;
  return handle.environment().raise(
      core::Status::of(core::Code::system,
                       status == napi_no_external_buffers_allowed
                           ? "this runtime does not let memory of the system become a buffer"
                           : "its bytes cannot become a buffer"),
      handle);
}

// detach(buffer): from here on its views have no bytes.
napi_value detach(napi_env env, napi_callback_info info) {
  size_t count = 1;
  napi_value buffer = nullptr;
  napi_get_cb_info(env, info, &count, &buffer, nullptr, nullptr);
  napi_detach_arraybuffer(env, buffer);
  return nullptr;
}

napi_value inspect(napi_env env, H& handle, const double*) {
  napi_value state = nullptr;
  napi_create_object(env, &state);
  set(env, state, "size", static_cast<double>(handle.primitive.size()));
  return state;
}

}  // namespace

napi_value bind_shared_memory(Environment& environment, core::Object* object) {
  Binder<core::SharedMemory> binder(environment, object);
  set(environment.env(), binder.value(), "size", static_cast<double>(binder.handle().primitive.size()));
  binder.add<map>("map");
  binder.add("detach", detach);
  binder.add<inspect>("inspect");
  return binder.value();
}

}  // namespace holdfast::addon
