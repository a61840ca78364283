#include "core/primitives/read_write_lock.h"

#include "addon/handle.h"

namespace holdfast::addon {

namespace {

using H = Handle<core::ReadWriteLock>;

struct Readers {
  using Primitive = core::ReadWriteLock;
  static core::WaitSet& set(Primitive& lock) { return lock.body().readers; }
  static uint64_t tag(Primitive& lock) { return lock.readers_tag(); }
  static void watch(Primitive& lock) { lock.watch_writer(); }
  static bool soon(Primitive& lock) { return lock.spin_briefly(); }
  static void pass_on(Primitive& lock, core::Registry&) { lock.pass_on_shared(); }
};

struct Writers {
  using Primitive = core::ReadWriteLock;
  static core::WaitSet& set(Primitive& lock) { return lock.body().writers; }
  static uint64_t tag(Primitive& lock) { return lock.writers_tag(); }
  static void watch(Primitive& lock) { lock.watch_all(); }
  static bool soon(Primitive& lock) { return lock.spin_briefly(); }
  static void pass_on(Primitive& lock, core::Registry&) { lock.pass_on_exclusive(); }
};

// tryShared(bypass)
napi_value try_shared(napi_env env, H& handle, const double* argument) {
  const auto bypass = static_cast<core::WritersToBypass>(argument[0]);
  return to_js(env, handle.note(handle.primitive.try_shared(bypass)));
}

// waitShared(bypass, ms)
napi_value wait_shared(napi_env env, H& handle, const double* argument) {
  const auto bypass = static_cast<core::WritersToBypass>(argument[0]);
  return to_js(env, handle.note(handle.primitive.wait_shared(bypass, slice_of(argument[1]))));
}

napi_value try_exclusive(napi_env env, H& handle, const double*) {
  return to_js(env, handle.note(handle.primitive.try_exclusive()));
}

// The head of those who wait: keeps its claim, until withdraw().
napi_value claim_exclusive(napi_env env, H& handle, const double*) {
  return to_js(env, handle.note(handle.primitive.claim_exclusive()));
}

napi_value wait_exclusive(napi_env env, H& handle, const double* argument) {
  return to_js(env, handle.note(handle.primitive.wait_exclusive(slice_of(argument[0]))));
}

napi_value withdraw(napi_env, H& handle, const double*) {
  handle.primitive.withdraw();
  return nullptr;
}

// releaseHold(hold): of either mode.
napi_value release_hold(napi_env, H& handle, const double* argument) {
  const auto hold = static_cast<uint64_t>(argument[0]);
  core::Code code = handle.primitive.release_shared(hold);
  if (code != core::Code::ok) code = handle.primitive.release_exclusive(hold);
  return code == core::Code::ok ? nullptr : handle.environment().raise(code, handle);
}

napi_value contend(napi_env, H& handle, const double*) {
  handle.primitive.body().contentions.fetch_add(1, std::memory_order_relaxed);
  return nullptr;
}

napi_value reads_here(napi_env env, H& handle, const double*) {
  return boolean(env, handle.primitive.is_read_by_caller());
}

napi_value writes_here(napi_env env, H& handle, const double*) {
  return boolean(env, handle.primitive.is_written_by_caller());
}

napi_value all_mine(napi_env env, H& handle, const double*) {
  return boolean(env, handle.primitive.all_held_by_caller());
}

napi_value inspect(napi_env env, H& handle, const double*) {
  core::ReadWriteLock& lock = handle.primitive;
  core::ReadWriteBody& body = lock.body();
  core::Registry& registry = handle.agent().registry();
  const core::AgentId died = body.writing.load();
  napi_value state = nullptr, readers = nullptr;
  napi_create_object(env, &state);
  napi_create_array(env, &readers);
  uint32_t count = 0;
  for (uint32_t i = 0; i < core::kReadersMax; i++) {
    const core::AgentId owner = lock.reader_at(i);
    if (owner == 0 || !registry.alive(owner)) continue;
    napi_set_element(env, readers, count++, describe(env, registry, owner));
  }
  set(env, state, "writer", describe(env, registry, lock.writing()));
  set(env, state, "readers", readers);
  set(env, state, "abandoned", boolean(env, died != 0 && !registry.alive(died)));
  set(env, state, "waitingReaders", core::count_waiting(body.readers, registry));
  set(env, state, "waitingWriters", core::count_waiting(body.writers, registry));
  set(env, state, "acquisitions", static_cast<double>(body.acquisitions.load()));
  set(env, state, "contentions", static_cast<double>(body.contentions.load()));
  set(env, state, "abandonments", static_cast<double>(body.abandonments.load()));
  return state;
}

}  // namespace

napi_value bind_read_write_lock(Environment& environment, core::Object* object) {
  Binder<core::ReadWriteLock> binder(environment, object);
  binder.add_source<Readers>("readers");
  binder.add_source<Writers>("writers");
  binder.add<try_shared, 1>("tryShared");
  binder.add<wait_shared, 2>("waitShared");
  binder.add<try_exclusive>("tryExclusive");
  binder.add<claim_exclusive>("claimExclusive");
  binder.add<wait_exclusive, 1>("waitExclusive");
  binder.add<withdraw>("withdraw");
  binder.add<release_hold, 1>("releaseHold");
  binder.add<contend>("contend");
  binder.add<reads_here>("readsHere");
  binder.add<writes_here>("writesHere");
  binder.add<all_mine>("allMine");
  binder.add<inspect>("inspect");
  return binder.value();
}

}  // namespace holdfast::addon
