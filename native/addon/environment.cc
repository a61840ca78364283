#include "addon/environment.h"

#include <algorithm>
#include <cstdlib>
#include <map>
#include <mutex>
#include <set>
#include <utility>
#include <vector>

namespace holdfast::addon {

namespace {

// What the threads of the process share. Never destroyed: threads may outlive static destructors.
struct Process {
  const uint32_t pid = platform::current_pid();
  std::mutex mutex;
  // By directory: a worker thread may have another HOLDFAST_DIR. Each alive as long as an agent is.
  std::map<std::string, std::weak_ptr<core::Store>> stores;
  std::set<Environment*> environments;
};

Process& process() {
  static Process* const shared = new Process();
  return *shared;
}

std::string string_of(napi_env env, napi_value value) {
  size_t length = 0;
  if (napi_get_value_string_utf8(env, value, nullptr, 0, &length) != napi_ok) return "";
  std::string text(length, '\0');
  napi_get_value_string_utf8(env, value, text.data(), length + 1, &length);
  return text;
}

// The memory of a typed array, which is kept for as long as the thread lives.
void* keep_memory(napi_env env, napi_value array, size_t* length) {
  void* data = nullptr;
  napi_get_typedarray_info(env, array, nullptr, length, &data, nullptr, nullptr);
  napi_ref kept = nullptr;
  napi_create_reference(env, array, 1, &kept);
  return data;
}

}  // namespace

napi_value Environment::init(napi_env env, napi_value exports) {
  std::shared_ptr<Environment> environment(new Environment());
  environment->self_ = environment;
  environment->env_ = env;
  environment->thread_ = std::this_thread::get_id();
  {
    Process& shared = process();
    const std::lock_guard<std::mutex> guard(shared.mutex);
    // process.exit() runs no cleanup hooks of the main thread, but it runs these.
    static const int registered = atexit(at_process_exit);
    (void)registered;
    shared.environments.insert(environment.get());
  }
  // Two owners: this one for calls, and one reference from each native.
  auto* owner = new std::shared_ptr<Environment>(environment);
  napi_set_instance_data(
      env, owner,
      [](napi_env, void* data, void*) {
        auto* last = static_cast<std::shared_ptr<Environment>*>(data);
        (*last)->end();
        {
          const std::lock_guard<std::mutex> guard(process().mutex);
          process().environments.erase(last->get());
        }
        delete last;
      },
      nullptr);
  napi_value function = nullptr;
  napi_create_function(env, "configure", NAPI_AUTO_LENGTH, configure, nullptr, &function);
  napi_set_named_property(env, exports, "configure", function);
  napi_create_function(env, "useMailbox", NAPI_AUTO_LENGTH, use_mailbox, nullptr, &function);
  napi_set_named_property(env, exports, "useMailbox", function);
  napi_create_function(env, "useOutbox", NAPI_AUTO_LENGTH, use_outbox, nullptr, &function);
  napi_set_named_property(env, exports, "useOutbox", function);
  napi_create_function(env, "useLoopWaits", NAPI_AUTO_LENGTH, use_loop_waits, nullptr, &function);
  napi_set_named_property(env, exports, "useLoopWaits", function);
  environment->make_subject(exports);
  return exports;
}

// addon.subject and addon.number: the words in which JavaScript names the object of an operation,
// and gives it a number.
void Environment::make_subject(napi_value exports) {
  void* data = nullptr;
  napi_value memory = nullptr, subject = nullptr, number = nullptr;
  napi_create_arraybuffer(env_, 2 * sizeof(double), &data, &memory);
  napi_create_typedarray(env_, napi_uint32_array, 1, memory, 0, &subject);
  napi_create_typedarray(env_, napi_float64_array, 1, memory, sizeof(double), &number);
  napi_set_named_property(env_, exports, "subject", subject);
  napi_set_named_property(env_, exports, "number", number);
  size_t length = 0;
  auto* place = static_cast<uint32_t*>(keep_memory(env_, subject, &length));
  auto* value = static_cast<double*>(keep_memory(env_, number, &length));
  if (place != nullptr && value != nullptr) natives_.use(place, value);  // the thread may be ending
}

Environment* Environment::from(napi_env env) {
  void* data = nullptr;
  napi_get_instance_data(env, &data);
  return static_cast<std::shared_ptr<Environment>*>(data)->get();
}

// configure(directory, threadId, processName, hasLibuv, onWakeUps, makeError, warn): before
// anything else. Each copy of our JavaScript calls it, and the functions of the last one are called
// from then on.
napi_value Environment::configure(napi_env env, napi_callback_info info) {
  size_t count = 7;
  napi_value arguments[7];
  napi_get_cb_info(env, info, &count, arguments, nullptr, nullptr);
  Environment* self = from(env);
  self->directory_ = string_of(env, arguments[0]);
  napi_get_value_uint32(env, arguments[1], &self->thread_id_);
  self->process_name_ = string_of(env, arguments[2]);
  napi_get_value_bool(env, arguments[3], &self->has_libuv_);
  napi_ref* const functions[] = {&self->on_rings_, &self->make_error_, &self->warn_};
  for (size_t i = 0; i < 3; i++) {
    if (*functions[i] != nullptr) napi_delete_reference(env, *functions[i]);
    napi_create_reference(env, arguments[4 + i], 1, functions[i]);
  }
  return nullptr;
}

// useMailbox(inbox, table, answer, order): once, before the first queue is opened.
napi_value Environment::use_mailbox(napi_env env, napi_callback_info info) {
  constexpr size_t kParts = 4;
  size_t count = kParts, lengths[kParts] = {};
  napi_value arguments[kParts];
  void* data[kParts] = {};
  napi_get_cb_info(env, info, &count, arguments, nullptr, nullptr);
  for (size_t i = 0; i < kParts; i++) data[i] = keep_memory(env, arguments[i], &lengths[i]);
  Mailbox& mailbox = from(env)->mailbox_;
  mailbox.inbox = static_cast<char*>(data[0]);
  mailbox.inbox_length = lengths[0];
  mailbox.table = static_cast<uint32_t*>(data[1]);
  mailbox.records = lengths[1] / 3;
  mailbox.answer = static_cast<double*>(data[2]);
  mailbox.order = static_cast<const uint32_t*>(data[3]);
  return nullptr;
}

// useOutbox(bytes): whenever it is another Buffer.
napi_value Environment::use_outbox(napi_env env, napi_callback_info info) {
  size_t count = 1, length = 0;
  napi_value bytes = nullptr;
  void* data = nullptr;
  napi_get_cb_info(env, info, &count, &bytes, nullptr, nullptr);
  Environment& self = *from(env);
  if (napi_get_buffer_info(env, bytes, &data, &length) != napi_ok) return nullptr;
  if (self.outbox_ != nullptr) napi_delete_reference(env, self.outbox_);
  napi_create_reference(env, bytes, 1, &self.outbox_);
  self.mailbox_.outbox = static_cast<const char*>(data);
  self.mailbox_.outbox_length = length;
  return nullptr;
}

// useLoopWaits(count): once, before the first object is opened.
napi_value Environment::use_loop_waits(napi_env env, napi_callback_info info) {
  size_t count = 1, length = 0;
  napi_value words = nullptr;
  napi_get_cb_info(env, info, &count, &words, nullptr, nullptr);
  from(env)->loop_waits_ = static_cast<const int32_t*>(keep_memory(env, words, &length));
  return nullptr;
}

core::Status Environment::ensure_agent() {
  if (ended_) return core::Status::of(core::Code::closed, "this thread is shutting down");
  if (agent_ != nullptr && open_.empty() && !store().look_around().ok()) {
    leave_removed_directory();
  }
  if (agent_ != nullptr) return core::Status::success();
  core::Status status;
  {
    Process& shared = process();
    const std::lock_guard<std::mutex> guard(shared.mutex);
    std::weak_ptr<core::Store>& known = shared.stores[directory_];
    std::shared_ptr<core::Store> store = known.lock();
    if (store == nullptr || !store->look_around().ok()) {
      status = core::Store::enter(directory_, &store);
      known = store;
    }
    if (status.ok()) {
      status = core::Agent::begin(std::move(store), thread_id_, process_name_, &agent_);
    }
  }
  if (status.ok() && !start_doorbell()) {
    agent_.reset();
    status = core::Status::of(core::Code::system, "the event loop cannot watch the doorbell");
  }
  return status;
}

bool Environment::start_doorbell() {
  loop_ = has_libuv_ ? make_uv_event_loop(env_, *this) : make_listener(env_, *this);
  if (!loop_->start(&agent_->doorbell())) return false;
  agent_->set_watcher(this);
  agent_->set_loop_waits(loop_waits_);
  return true;
}

// ---------------------------------------------------------------- removed files

// With nothing open, the thread may begin anew in the directory that is there now.
void Environment::leave_removed_directory() {
  loop_->stop();
  told_waits_.reset();
  agent_.reset();
  loop_.reset();
}

core::Status Environment::look_at(NativeObject& native) {
  core::Status status = store().look_at(*native.object_);
  if (!status.ok() && store().is_news()) warn(status.detail);
  return status;
}

// A look takes some system calls. So of many objects each is looked at once in so many slices that
// there are 16 of them in a slice on average. There are never more than 32: otherwise all that were
// acquired at one time would be looked at in one slice. The objects in front cannot keep the others
// from being looked at, because each of them is due once only until then.
bool Environment::look_at_held() {
  constexpr size_t kAverage = 16, kMost = 2 * kAverage;
  const auto more_slices = static_cast<int64_t>(held_ == 0 ? 0 : (held_ - 1) / kAverage);
  const int64_t late_ns = more_slices * core::kSlice_ms * platform::kNanosPerMilli;
  held_ = 0;
  size_t looks = 0;
  each_open([&](NativeObject& native) {
    if (!native.held()) return;
    held_++;
    native.note_hold();
    if (looks == kMost || !native.object_->look_is_due(late_ns)) return;
    look_at(native);
    looks++;
  });
  return held_ != 0;
}

std::vector<core::Held> Environment::holds() const {
  std::vector<core::Held> held;
  each_open([&](const NativeObject& native) { native.list_holds(&held); });
  return held;
}

core::ToldWaits& Environment::told_waits() {
  if (told_waits_ == nullptr) told_waits_ = std::make_unique<core::ToldWaits>(*agent_);
  return *told_waits_;
}

void Environment::warn(const std::string& message) {
  napi_value text = nullptr, global = nullptr, function = nullptr, result = nullptr;
  napi_create_string_utf8(env_, message.data(), message.size(), &text);
  napi_get_global(env_, &global);
  napi_get_reference_value(env_, warn_, &function);
  napi_call_function(env_, global, function, 1, &text, &result);
}

// ---------------------------------------------------------------- news

void Environment::on_death(size_t place) {
  agent_->end_watch(place);
  call_on_rings({0});
}

void Environment::on_doorbell() {
  std::vector<uint64_t> tags = agent_->take_wakes();
  tags.erase(std::remove(tags.begin(), tags.end(), kNudge), tags.end());
  if (!tags.empty()) call_on_rings(tags);
}

// Tells src/waiting/pending-waits.ts for which objects a wake-up came; 0 says that an agent died.
void Environment::call_on_rings(const std::vector<uint64_t>& tags) {
  napi_env env = env_;
  napi_handle_scope scope = nullptr;
  napi_open_handle_scope(env, &scope);
  napi_value list = nullptr, global = nullptr, function = nullptr, result = nullptr;
  napi_create_array_with_length(env, tags.size(), &list);
  for (size_t i = 0; i < tags.size(); i++) {
    napi_value tag = nullptr;
    napi_create_double(env, static_cast<double>(tags[i]), &tag);
    napi_set_element(env, list, static_cast<uint32_t>(i), tag);
  }
  napi_get_global(env, &global);
  napi_get_reference_value(env, on_rings_, &function);
  if (napi_make_callback(env, nullptr, global, function, 1, &list, &result) ==
      napi_pending_exception) {
    napi_value error = nullptr;
    napi_get_and_clear_last_exception(env, &error);
    napi_fatal_exception(env, error);
  }
  napi_close_handle_scope(env, scope);
}

// ---------------------------------------------------------------- the end

void Environment::end() {
  if (std::exchange(ended_, true) || agent_ == nullptr) return;
  loop_->stop();
  // What this agent holds, each object once: looked up before its end, after which others take
  // over.
  std::vector<NativeObject*> held;
  each_open([&](NativeObject& native) {
    if (!native.held()) return;
    bool first = true;
    for (const NativeObject* other : held) first &= other->object_ != native.object_;
    if (first) held.push_back(&native);
  });
  agent_->end();
  // Everybody takes us for dead from here on, so a waiter that wakes finds an abandoned owner. All
  // that may wait for the directory's lock comes after this.
  for (NativeObject* native : held) native->abandon();
  while (!open_.empty()) {
    NativeObject* native = open_.back();
    close(native);
    if (native->collected_) remove(native);
  }
  told_waits_.reset();
  agent_.reset();
}

void Environment::at_process_exit() {
  Process& shared = process();
  // A child that a foreign add-on forked without exec: the agents are its parent's.
  if (platform::current_pid() != shared.pid) return;
  std::set<Environment*> of_thread;
  {
    const std::lock_guard<std::mutex> guard(shared.mutex);
    for (Environment* environment : shared.environments) {
      if (environment->thread_ == std::this_thread::get_id()) of_thread.insert(environment);
    }
  }
  for (Environment* environment : of_thread) environment->end();
}

napi_value Environment::raise(const core::Status& status, core::Kind kind,
                              const std::string& name) {
  napi_value function = nullptr, error = nullptr, global = nullptr;
  napi_value arguments[6];
  napi_create_uint32(env_, static_cast<uint32_t>(status.code), &arguments[0]);
  napi_create_uint32(env_, static_cast<uint32_t>(kind), &arguments[1]);
  napi_create_string_utf8(env_, name.data(), name.size(), &arguments[2]);
  napi_create_string_utf8(env_, status.detail.data(), status.detail.size(), &arguments[3]);
  napi_create_int32(env_, status.errnum, &arguments[4]);
  napi_create_string_utf8(env_, status.call != nullptr ? status.call : "", NAPI_AUTO_LENGTH,
                          &arguments[5]);
  napi_get_global(env_, &global);
  napi_get_reference_value(env_, make_error_, &function);
  if (napi_call_function(env_, global, function, 6, arguments, &error) == napi_ok) {
    napi_throw(env_, error);
  }
  return nullptr;
}

}  // namespace holdfast::addon
