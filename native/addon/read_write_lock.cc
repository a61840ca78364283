#include "core/primitives/read_write_lock.h"

#include "addon/kinds.h"
#include "addon/waiting.h"

namespace holdfast::addon {

namespace {

using N = Native<core::ReadWriteLock>;

struct Readers {
  using Primitive = core::ReadWriteLock;
  static core::WaitSet& set(Primitive& lock) { return lock.body().readers; }
  static uint64_t tag(Primitive& lock) { return lock.readers_tag(); }
  static void watch(Primitive& lock) { lock.watch_writer(); }
  static bool spin_briefly(Primitive& lock) { return lock.spin_briefly(); }
  static void pass_on(Primitive& lock, core::Registry&) { lock.pass_on_shared(); }
  // Only writers give way to a reader.
  static void leave_it_to_others(Primitive& lock) { lock.pass_on_exclusive(); }
};

struct Writers {
  using Primitive = core::ReadWriteLock;
  static core::WaitSet& set(Primitive& lock) { return lock.body().writers; }
  static uint64_t tag(Primitive& lock) { return lock.writers_tag(); }
  static void watch(Primitive& lock) { lock.watch_all(); }
  static bool spin_briefly(Primitive& lock) { return lock.spin_briefly(); }
  static void pass_on(Primitive& lock, core::Registry&) { lock.pass_on_exclusive(); }
  static void leave_it_to_others(Primitive& lock) { lock.pass_on_exclusive(); }
};

// Of either mode.
core::Code release_hold(N& native, uint64_t hold) {
  const core::Code code = native.primitive.release_shared(hold);
  return code == core::Code::ok ? code : native.primitive.release_exclusive(hold);
}

napi_value inspect(N& native) {
  napi_env env = native.environment().env();
  core::ReadWriteLock& lock = native.primitive;
  core::ReadWriteBody& body = lock.body();
  core::Registry& registry = native.registry();
  const core::AgentId died = body.writing.load();
  napi_value readers = nullptr;
  napi_create_array(env, &readers);
  uint32_t count = 0;
  for (uint32_t i = 0; i < core::kReadersMax; i++) {
    const core::AgentId owner = lock.reader_at(i);
    if (owner == 0 || !registry.alive(owner)) continue;
    napi_set_element(env, readers, count++, describe(env, registry, owner));
  }
  const core::AgentId writing = lock.writing();
  const core::HeldSince since(body.held_since);
  const uint32_t waiting_readers = core::count_waiting(body.readers, registry);
  const uint32_t waiting_writers = core::count_waiting(body.writers, registry);
  return State(env)
      .set("writer", describe(env, registry, writing))
      .set("heldFor",
           number_or_null(env, writing != 0 ? since.age_ms(body.acquisitions.load()) : -1))
      .set("readers", readers)
      .set("abandoned", died != 0 && !registry.alive(died))
      .set("waitingReaders", waiting_readers)
      .set("waitingWriters", waiting_writers)
      .set("longestReaderWait", longest_wait(env, registry, body.readers, waiting_readers))
      .set("longestWriterWait", longest_wait(env, registry, body.writers, waiting_writers))
      .set("acquisitions", body.acquisitions.load())
      .set("contentions", body.contentions.load())
      .set("abandonments", body.abandonments.load())
      .value();
}

napi_value functions(napi_env env) {
  Binder<core::ReadWriteLock> binder(env);
  binder.group("readers", GivingWayOperations<Readers>::bind(env));
  binder.group("writers", GivingWayOperations<Writers>::bind(env));
  binder.method<&core::ReadWriteLock::try_shared, Needs::files>("tryShared");
  binder.method<&core::ReadWriteLock::wait_shared, Needs::files>("waitShared");
  binder.method<&core::ReadWriteLock::try_exclusive, Needs::files>("tryExclusive");
  binder.method<&core::ReadWriteLock::claim_exclusive, Needs::files>("claimExclusive");
  binder.method<&core::ReadWriteLock::wait_exclusive, Needs::files>("waitExclusive");
  binder.method<&core::ReadWriteLock::withdraw>("withdraw");
  binder.method<release_hold>("releaseHold");
  binder.method<contend<core::ReadWriteLock>>("contend");
  bind_free<Writers>(binder);
  binder.method<&core::ReadWriteLock::is_read_by_caller>("isReadByCaller");
  binder.method<&core::ReadWriteLock::is_written_by_caller>("isWrittenByCaller");
  binder.method<&core::ReadWriteLock::all_held_by_caller>("allHeldByCaller");
  binder.method<inspect>("inspect");
  return binder.value();
}

}  // namespace

const KindBinding kReadWriteLock = {core::Kind::read_write_lock, "ReadWriteLock", functions,
                                    make_native<N>};

}  // namespace holdfast::addon
