// The module: open, list, unlink, and the functions of each kind. Each is one line of NativeAddon
// in src/native/bindings.ts.
// Warnings about somebody else's header are no concern of ours.
#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wconversion"
#pragma GCC diagnostic ignored "-Wshadow"
#include <napi.h>
#pragma GCC diagnostic pop

#include <cstdlib>

#include "addon/external_bytes.h"
#include "addon/kinds.h"
#include "addon/observed.h"
#include "core/primitives/queue_layout.h"
#include "core/primitives/semaphore.h"
#include "platform/parent.h"

namespace holdfast::addon {

namespace {

// Begins the agent if need be, does `work`, throws what goes wrong.
template <class Work>
bool attempt(Environment& environment, core::Kind kind, const std::string& name, Work work) {
  core::Status status = environment.ensure_agent();
  if (status.ok()) {
    core::Agent& agent = environment.agent();
    agent.end_dead_watches();
    status = work(environment.store());
    if (platform::is_out_of_descriptors(status.errnum) && agent.give_back_descriptors()) {
      status = work(environment.store());
    }
  }
  if (!status.ok()) environment.raise(status, kind, name);
  return status.ok();
}

// enter(kind, name): begins the agent of this thread if need be, for an object of that kind and
// name. Returns what the names of its semaphores begin with.
Napi::Value enter(const Napi::CallbackInfo& info) {
  Environment& environment = *Environment::from(info.Env());
  const auto kind = static_cast<core::Kind>(info[0].As<Napi::Number>().Uint32Value());
  const std::string name = info[1].As<Napi::String>();
  std::string prefix;
  const auto ask = [&](core::Store& store) {
    prefix = store.semaphore_prefix();
    return core::Status::success();
  };
  if (!attempt(environment, kind, name, ask)) return {};
  return Napi::String::New(info.Env(), prefix);
}

// What open() is asked for. src/objects/shared.ts has checked the arguments.
core::OpenRequest request_of(const Napi::CallbackInfo& info) {
  const uint32_t flags = info[3].As<Napi::Number>();
  const auto asked = [flags](core::OpenFlag flag) {
    return (flags & static_cast<uint32_t>(flag)) != 0;
  };
  core::OpenRequest request;
  request.kind = static_cast<core::Kind>(info[0].As<Napi::Number>().Uint32Value());
  request.name = info[1].As<Napi::String>();
  request.file_key = info[2].As<Napi::String>();
  request.exclusive = asked(core::OpenFlag::exclusive);
  request.must_exist = asked(core::OpenFlag::must_exist);
  request.persistent = asked(core::OpenFlag::persistent);
  request.anonymous = asked(core::OpenFlag::anonymous);
  request.initial_given = asked(core::OpenFlag::initial_given);
  request.initial = info[4].As<Napi::Number>();
  request.bytes = static_cast<uint64_t>(info[5].As<Napi::Number>().Int64Value());
  request.queue.max_items = static_cast<uint64_t>(info[6].As<Napi::Number>().Int64Value());
  request.queue.max_bytes = static_cast<uint64_t>(info[7].As<Napi::Number>().Int64Value());
  request.queue.codec = info[8].As<Napi::Number>();
  request.lock_given = asked(core::OpenFlag::lock_given);
  request.lock_kind = static_cast<core::Kind>(info[9].As<Napi::Number>().Uint32Value());
  request.lock_name = info[10].As<Napi::String>();
  return request;
}

// open(kind, name, fileKey, flags, initial, bytes, maxItems, maxBytes, codec, lockKind, lockName):
// the object.
Napi::Value open(const Napi::CallbackInfo& info) {
  Environment& environment = *Environment::from(info.Env());
  core::OpenRequest request = request_of(info);
  core::Object* object = nullptr;
  const bool opened = attempt(environment, request.kind, request.name, [&](core::Store& store) {
    request.semaphore_key = store.semaphore_key(request.file_key);
    return store.open(request, &object);
  });
  if (!opened) return {};
  for (const KindBinding* binding : kKinds) {
    if (binding->kind != request.kind) continue;
    return Napi::Value(info.Env(), environment.adopt(binding->make_native(environment, object)));
  }
  return {};
}

// list(observes): [{ kind, name, persistent, inUse, format, state }]; state only if asked for
Napi::Value list(const Napi::CallbackInfo& info) {
  const Napi::Env env = info.Env();
  std::vector<core::Listing> listings;
  const bool observes = info[0].As<Napi::Boolean>();
  const auto look = observes ? core::Store::Look::at_bodies : core::Store::Look::at_headers;
  if (!attempt(*Environment::from(env), core::Kind::registry, "",
               [&](core::Store& store) { return store.list(&listings, look); })) {
    return {};
  }
  Napi::Array result = Napi::Array::New(env, listings.size());
  for (uint32_t i = 0; i < listings.size(); i++) {
    Napi::Object entry = Napi::Object::New(env);
    entry["kind"] = static_cast<uint32_t>(listings[i].kind);
    entry["name"] = listings[i].name;
    entry["persistent"] = listings[i].persistent;
    entry["inUse"] = listings[i].in_use;
    entry["format"] = listings[i].format;
    if (observes) entry["state"] = Napi::Value(env, to_state(env, listings[i].seen));
    result[i] = entry;
  }
  return result;
}

// unlink(kind, name, fileKey)
Napi::Value unlink(const Napi::CallbackInfo& info) {
  const auto kind = static_cast<core::Kind>(info[0].As<Napi::Number>().Uint32Value());
  const std::string name = info[1].As<Napi::String>();
  const std::string file_key = info[2].As<Napi::String>();
  attempt(*Environment::from(info.Env()), kind, name,
          [&](core::Store& store) { return store.unlink(kind, name, file_key); });
  return {};
}

// sweep(): see Environment::sweep_further.
Napi::Value sweep(const Napi::CallbackInfo& info) {
  return Napi::Boolean::New(info.Env(), Environment::from(info.Env())->sweep_further());
}

// lookAtHeld(): see Environment::look_at_held.
Napi::Value look_at_held(const Napi::CallbackInfo& info) {
  return Napi::Boolean::New(info.Env(), Environment::from(info.Env())->look_at_held());
}

// heldHere(): all that this thread holds; tag, hold and mode of each, all in a row.
Napi::Value held_here(const Napi::CallbackInfo& info) {
  const std::vector<core::Held> held = Environment::from(info.Env())->holds();
  Napi::Array result = Napi::Array::New(info.Env(), 3 * held.size());
  uint32_t length = 0;
  for (const core::Held& one : held) {
    result[length++] = static_cast<double>(one.tag);
    result[length++] = static_cast<double>(one.hold);
    result[length++] = static_cast<double>(one.mode);
  }
  return result;
}

// tellWaits(text): see ToldWaits::tell. False also if this thread has opened nothing.
Napi::Value tell_waits(const Napi::CallbackInfo& info) {
  Environment& environment = *Environment::from(info.Env());
  const bool told = environment.has_agent() &&
                    environment.told_waits().tell(info[0].As<Napi::String>().Utf8Value());
  return Napi::Boolean::New(info.Env(), told);
}

// takeBackWaits(text): see ToldWaits::take_back.
Napi::Value take_back_waits(const Napi::CallbackInfo& info) {
  Environment& environment = *Environment::from(info.Env());
  const bool is_written = !environment.has_agent() || environment.told_waits().take_back(
                                                          info[0].As<Napi::String>().Utf8Value());
  return Napi::Boolean::New(info.Env(), is_written);
}

// hearWaits(): id, version and text of each agent that tells of its waits, all in a row.
Napi::Value hear_waits(const Napi::CallbackInfo& info) {
  const Napi::Env env = info.Env();
  std::vector<core::WaitRecord> records;
  const auto hear = [&](core::Store& store) {
    records = store.wait_records();
    return core::Status::success();
  };
  if (!attempt(*Environment::from(env), core::Kind::registry, "", hear)) return {};
  Napi::Array result = Napi::Array::New(env, 3 * records.size());
  uint32_t length = 0;
  for (const core::WaitRecord& record : records) {
    result[length++] = Napi::String::New(env, std::to_string(record.agent));
    result[length++] = static_cast<double>(record.version);
    result[length++] = Napi::String::New(env, record.text);
  }
  return result;
}

// tellWaitsIfUnchanged(seen, text): see ToldWaits. `seen`: agents and texts, all in a row.
Napi::Value tell_waits_if_unchanged(const Napi::CallbackInfo& info) {
  Environment& environment = *Environment::from(info.Env());
  const Napi::Array list = info[0].As<Napi::Array>();
  std::vector<core::WaitRecord> seen(list.Length() / 2);
  for (uint32_t i = 0; i < seen.size(); i++) {
    const std::string agent = Napi::Value(list[2 * i]).As<Napi::String>();
    seen[i].agent = strtoull(agent.c_str(), nullptr, 10);
    seen[i].text = Napi::Value(list[2 * i + 1]).As<Napi::String>().Utf8Value();
  }
  const std::string text = info[1].As<Napi::String>();
  const bool told =
      environment.has_agent() && environment.told_waits().tell_if_unchanged(seen, text);
  return Napi::Boolean::New(info.Env(), told);
}

// agentId(): of this thread, as hearWaits() has it.
Napi::Value agent_id(const Napi::CallbackInfo& info) {
  return Napi::String::New(info.Env(), std::to_string(Environment::from(info.Env())->agent().id()));
}

// How long a process has for an orderly end, after that of its parent.
constexpr int64_t kOrderlyEnd_ns = 1000 * platform::kNanosPerMilli;

// endWithParent(pid): from now on this process does not outlive its parent, which is `pid`, for
// longer than that, whatever its threads do: one that computes without a pause hears of nothing.
// If the system has no thread to spare, it does.
void end_with_parent(const Napi::CallbackInfo& info) {
  static uint32_t parent;  // of the process: every call has the same one
  parent = info[0].As<Napi::Number>().Uint32Value();
  const auto watch = [](void* pid) {
    platform::wait_for_parent_end(*static_cast<const uint32_t*>(pid));
    platform::sleep_ns(kOrderlyEnd_ns);
    platform::kill_this_process();
  };
  platform::Thread thread;  // it ends with the process
  platform::start_thread(watch, &parent, &thread);
}

// allowsExternalBuffers(): asks the runtime for one, of a byte.
Napi::Value allows_external_buffers(const Napi::CallbackInfo& info) {
  auto* byte = new char(0);
  const auto end = [](napi_env, void* bytes, void*) { delete static_cast<char*>(bytes); };
  napi_value buffer = nullptr;
  const napi_status status = make_external(info.Env(), byte, 1, end, nullptr, &buffer);
  if (status != napi_ok) delete byte;
  return Napi::Boolean::New(info.Env(), status != napi_no_external_buffers_allowed);
}

// detachBuffer(buffer): from here on its views have no bytes.
void detach_buffer(const Napi::CallbackInfo& info) { info[0].As<Napi::ArrayBuffer>().Detach(); }

// What all objects have: each is one line of CommonOperations.
bool may_close(NativeObject& native) { return native.environment().may_close(&native); }

void close(NativeObject& native) {
  if (may_close(native)) native.environment().close(&native);
}

core::Status unlink_object(NativeObject& native) {
  return native.environment().store().unlink(&native.object());
}

// Looks, whenever the last look was.
bool is_removed(NativeObject& native) { return !native.environment().look_at(native).ok(); }

// Throws RemovedError if they are, as an operation that needs them does.
void need_files(NativeObject&) {}

std::string posix_name(NativeObject& native) { return native.object().posix_name(); }

// Descriptors for a child process: as long as it has them open, others take this agent for alive
// and the object for used. The caller closes them.
napi_value for_child(NativeObject& native) {
  napi_env env = native.environment().env();
  const int doorbell = native.environment().agent().doorbell().fd;
  napi_value list = nullptr;
  napi_create_array(env, &list);
  uint32_t count = 0;
  for (const int fd : {doorbell, native.object().descriptor()}) {
    napi_set_element(env, list, count++, number(env, platform::copy_for_child(fd)));
  }
  return list;
}

napi_value common_functions(napi_env env) {
  Binder<void> binder(env);
  binder.method<may_close>("mayClose");
  binder.method<close>("close");
  binder.method<unlink_object>("unlink");
  binder.method<posix_name>("posixName");
  binder.method<is_removed>("isRemoved");
  binder.method<need_files, Needs::files>("needFiles");
  binder.method<for_child>("forChild");
  return binder.value();
}

Napi::Object init(Napi::Env env, Napi::Object exports) {
  Environment::init(env, exports);
  exports["enter"] = Napi::Function::New<enter>(env, "enter");
  exports["common"] = common_functions(env);
  for (const KindBinding* binding : kKinds) exports[binding->name] = binding->functions(env);
  exports["open"] = Napi::Function::New<open>(env, "open");
  exports["lookAtHeld"] = Napi::Function::New<look_at_held>(env, "lookAtHeld");
  exports["heldHere"] = Napi::Function::New<held_here>(env, "heldHere");
  exports["agentId"] = Napi::Function::New<agent_id>(env, "agentId");
  exports["tellWaits"] = Napi::Function::New<tell_waits>(env, "tellWaits");
  exports["takeBackWaits"] = Napi::Function::New<take_back_waits>(env, "takeBackWaits");
  exports["hearWaits"] = Napi::Function::New<hear_waits>(env, "hearWaits");
  exports["tellWaitsIfUnchanged"] =
      Napi::Function::New<tell_waits_if_unchanged>(env, "tellWaitsIfUnchanged");
  exports["sweep"] = Napi::Function::New<sweep>(env, "sweep");
  exports["endWithParent"] = Napi::Function::New<end_with_parent>(env, "endWithParent");
  exports["detachBuffer"] = Napi::Function::New<detach_buffer>(env, "detachBuffer");
  exports["allowsExternalBuffers"] =
      Napi::Function::New<allows_external_buffers>(env, "allowsExternalBuffers");
  exports["list"] = Napi::Function::New<list>(env, "list");
  exports["unlink"] = Napi::Function::New<unlink>(env, "unlink");
  exports["defaultDirectory"] = platform::default_directory();
  exports["maxPermits"] = platform::kSemaphoreValueMax;
  exports["maxOwnedPermits"] = core::kPermitsMax;
  exports["maxParties"] = core::kPartiesMax;
  exports["maxConditionWaits"] = core::kConditionWaitsMax;
  exports["maxSharedMemory"] = static_cast<double>(core::kSharedMemoryMax);
  exports["queueItemsMax"] = static_cast<double>(core::kQueueItemsMax);
  exports["queueBytesMin"] = static_cast<double>(core::kQueueBytesMin);
  exports["queueBytesMax"] = static_cast<double>(core::kQueueBytesMax);
  if (const char* home = platform::semaphore_directory(); home != nullptr) {
    exports["shmDirectory"] = home;
  }
  return exports;
}

}  // namespace

}  // namespace holdfast::addon

static Napi::Object init_module(Napi::Env env, Napi::Object exports) {
  return holdfast::addon::init(env, exports);
}

NODE_API_MODULE(holdfast, init_module)
