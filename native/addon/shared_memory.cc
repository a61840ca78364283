#include "core/primitives/shared_memory.h"

#include <utility>

#include "addon/external_bytes.h"
#include "addon/kinds.h"

namespace holdfast::addon {

namespace {

using N = Native<core::SharedMemory>;
// What an ArrayBuffer shows. Two ends have to come, in whatever order: that of V8's use of the
// bytes (detached, or unreachable), and that of the JS object.
//
// Between detachBuffer() and the end of the object a thread of libuv's pool may still be at work on
// the bytes (zlib, say): it goes by address, and what it keeps alive is the view and so the object.
// It must find memory there, though no longer ours.
struct Shown : core::SharedMemory::Mapping {
  bool one_has_ended = false;
};

void end_of_one(Shown* shown) {
  if (std::exchange(shown->one_has_ended, true)) {
    core::SharedMemory::unmap(*shown);
    delete shown;
  }
}

void end_of_use(napi_env, void*, void* hint) {
  auto* shown = static_cast<Shown*>(hint);
  core::SharedMemory::let_go(*shown);
  end_of_one(shown);
}

void end_of_object(napi_env, void* data, void*) { end_of_one(static_cast<Shown*>(data)); }

// map(): an ArrayBuffer whose bytes are the mapping.
napi_value map(N& native) {
  napi_env env = native.environment().env();
  auto* mapping = new Shown();
  if (platform::OsError error = native.primitive.map(mapping)) {
    delete mapping;
    return native.environment().raise(core::Status::from(error, "cannot map its bytes"), native);
  }
  napi_value buffer = nullptr;
  const auto length = static_cast<size_t>(native.primitive.size());
  if (make_external(env, mapping->bytes, length, end_of_use, mapping, &buffer) == napi_ok) {
    napi_add_finalizer(env, buffer, mapping, end_of_object, nullptr, nullptr);
    return buffer;
  }
  core::SharedMemory::unmap(*mapping);
  delete mapping;
  return native.environment().raise(
      core::Status::of(core::Code::system, "its bytes cannot become a buffer"), native);
}

napi_value inspect(N& native) {
  return State(native.environment().env()).set("size", native.primitive.size()).value();
}

napi_value functions(napi_env env) {
  Binder<core::SharedMemory> binder(env);
  binder.method<&core::SharedMemory::size>("size");
  binder.method<map>("map");
  binder.method<inspect>("inspect");
  return binder.value();
}

}  // namespace

const KindBinding kSharedMemory = {core::Kind::shared_memory, "SharedMemory", functions,
                                   make_native<N>};

}  // namespace holdfast::addon
