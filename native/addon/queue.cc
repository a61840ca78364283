#include "core/primitives/queue.h"
#include "core/primitives/joinable_queue.h"

#include "addon/handle.h"

namespace holdfast::addon {

namespace {

// Records are bytes here, with a type that means nothing: src/records/codec.ts makes them of
// values, and values of them. Those that come out go into the thread's mailbox.
template <class Q>
class QueueHandle final : public Handle<Q> {
 public:
  QueueHandle(Environment& environment, core::Object* object)
      : Handle<Q>(environment.agent(), object), mailbox(environment.mailbox()) {
    this->primitive.set_inbox(mailbox.inbox, mailbox.inbox_length);
  }

  const Mailbox& mailbox;
  std::vector<core::Record> records;
  uint32_t leases = 0;  // taken through this handle and not settled

  // Leases end with the agent, by its death or by its end.
  bool held() const override { return leases != 0; }
  bool holds() const override { return leases != 0; }
  void abandon() override {
    if constexpr (std::is_same_v<Q, core::JoinableQueue>) this->primitive.abandon();
  }

  // Says how it went.
  bool answer(core::TransferStatus status) {
    mailbox.answer[0] = static_cast<double>(status);
    return status == core::TransferStatus::yes;
  }
  // undefined if the bytes are in the inbox, otherwise a Buffer.
  napi_value bytes_of(napi_env env, const core::Record& record) {
    if (record.bytes == mailbox.inbox) return nullptr;
    napi_value buffer = nullptr;
    napi_create_buffer_copy(env, record.length, record.bytes, nullptr, &buffer);
    return buffer;
  }
};

// A function with JavaScript values for arguments, bound to a queue.
template <class Q, napi_value (*kBody)(napi_env, QueueHandle<Q>&, const napi_value*),
          size_t kArguments>
napi_value with_values(napi_env env, napi_callback_info info) {
  void* data = nullptr;
  size_t count = kArguments;
  napi_value arguments[kArguments + 1] = {};
  napi_get_cb_info(env, info, &count, arguments, nullptr, &data);
  auto& handle = *static_cast<QueueHandle<Q>*>(static_cast<Handle<Q>*>(data));
  if (!handle.is_open()) return Environment::from(env)->raise(core::Code::closed, handle);
  return kBody(env, handle, arguments);
}

uint32_t uint32_of(napi_env env, napi_value value) {
  uint32_t number = 0;
  napi_get_value_uint32(env, value, &number);
  return number;
}

// False, with a JavaScript error pending, if there are no such bytes.
bool read_bytes(napi_env env, napi_value from, uint32_t start, uint32_t end, core::Record* record) {
  void* bytes = nullptr;
  size_t length = 0;
  if (napi_get_buffer_info(env, from, &bytes, &length) != napi_ok || start > end || end > length) {
    napi_throw_range_error(env, nullptr, "not the bytes of a record");
    return false;
  }
  record->bytes = static_cast<const char*>(bytes) + start;
  record->length = end - start;
  return true;
}

// put(type, bytes, start, end): how it went, a number of core::TransferStatus.
template <class Q>
napi_value put(napi_env env, QueueHandle<Q>& handle, const napi_value* arguments) {
  core::Record record;
  record.type = uint32_of(env, arguments[0]);
  if (!read_bytes(env, arguments[1], uint32_of(env, arguments[2]), uint32_of(env, arguments[3]),
                  &record)) {
    return nullptr;
  }
  size_t done = 0;
  return number(env, static_cast<double>(handle.primitive.put(&record, 1, &done)));
}

// putMany(sources, table, from): how many were put; how it went in answer[0]. Four numbers a record
// in the table: type, which of the sources, start, end. `from` counts records.
template <class Q>
napi_value put_many(napi_env env, QueueHandle<Q>& handle, const napi_value* arguments) {
  void* data = nullptr;
  size_t length = 0;
  napi_get_typedarray_info(env, arguments[1], nullptr, &length, &data, nullptr, nullptr);
  const uint32_t from = uint32_of(env, arguments[2]);
  const uint32_t* row = static_cast<const uint32_t*>(data) + size_t{4} * from;
  // The caller comes again for the rest.
  const size_t count = std::min<size_t>(length / 4 - from, 1024);
  std::vector<core::Record> records(count);
  napi_value source = nullptr;
  for (size_t i = 0; i < count; i++, row += 4) {
    if (i == 0 || row[1] != row[1 - 4]) napi_get_element(env, arguments[0], row[1], &source);
    records[i].type = row[0];
    if (!read_bytes(env, source, row[2], row[3], &records[i])) return nullptr;
  }
  size_t done = 0;
  handle.answer(handle.primitive.put(records.data(), count, &done));
  return number(env, static_cast<double>(done));
}

// get(): the bytes of a record, see bytes_of(); type and length in answer[1] and [2].
template <class Q>
napi_value get(napi_env env, QueueHandle<Q>& handle, const napi_value*) {
  if (!handle.answer(handle.primitive.get(1, &handle.records))) return nullptr;
  const core::Record& record = handle.records[0];
  handle.mailbox.answer[1] = record.type;
  handle.mailbox.answer[2] = record.length;
  return handle.bytes_of(env, record);
}

// getMany(count): undefined if all is in the mailbox, otherwise [bytes, table]; how many records in
// answer[1]. Three numbers a record in the table: type, start, end.
template <class Q>
napi_value get_many(napi_env env, QueueHandle<Q>& handle, const napi_value* arguments) {
  const size_t wanted = uint32_of(env, arguments[0]);
  if (!handle.answer(handle.primitive.get(wanted, &handle.records))) return nullptr;
  const std::vector<core::Record>& records = handle.records;
  const char* const first = records.front().bytes;
  const size_t total = records.back().bytes + records.back().length - first;
  const bool in_mailbox = first == handle.mailbox.inbox && records.size() <= handle.mailbox.records;
  uint32_t* row = handle.mailbox.table;
  napi_value table = nullptr;
  if (!in_mailbox) {
    napi_value buffer = nullptr;
    void* data = nullptr;
    napi_create_arraybuffer(env, 3 * sizeof(uint32_t) * records.size(), &data, &buffer);
    napi_create_typedarray(env, napi_uint32_array, 3 * records.size(), buffer, 0, &table);
    row = static_cast<uint32_t*>(data);
  }
  for (const core::Record& record : records) {
    const auto start = static_cast<uint32_t>(record.bytes - first);
    *row++ = record.type;
    *row++ = start;
    *row++ = start + record.length;
  }
  handle.mailbox.answer[1] = static_cast<double>(records.size());
  if (in_mailbox) return nullptr;
  napi_value both = nullptr, bytes = nullptr;
  napi_create_array_with_length(env, 2, &both);
  napi_create_buffer_copy(env, total, first, nullptr, &bytes);
  napi_set_element(env, both, 0, bytes);
  napi_set_element(env, both, 1, table);
  return both;
}

template <class Q>
napi_value wait_to_get(napi_env env, Handle<Q>& handle, const double* argument) {
  return boolean(env, handle.primitive.wait_to_get(slice_of(argument[0])));
}

template <class Q>
napi_value wait_to_put(napi_env env, Handle<Q>& handle, const double* argument) {
  return boolean(env, handle.primitive.wait_to_put(slice_of(argument[0])));
}

template <class Q>
napi_value end(napi_env, Handle<Q>& handle, const double*) {
  handle.primitive.end();
  return nullptr;
}

template <class Q>
napi_value ended(napi_env env, Handle<Q>& handle, const double*) {
  return boolean(env, handle.primitive.ended());
}

template <class Q>
napi_value size(napi_env env, Handle<Q>& handle, const double*) {
  return number(env, static_cast<double>(handle.primitive.size()));
}

template <class Q>
napi_value full(napi_env env, Handle<Q>& handle, const double*) {
  return boolean(env, handle.primitive.full());
}

template <class Q>
napi_value inspect(napi_env env, Handle<Q>& handle, const double*) {
  core::QueueBody& body = handle.primitive.body();
  core::Registry& registry = handle.agent().registry();
  napi_value state = nullptr;
  napi_create_object(env, &state);
  set(env, state, "size", static_cast<double>(handle.primitive.size()));
  set(env, state, "bytes", static_cast<double>(handle.primitive.bytes()));
  set(env, state, "capacity", static_cast<double>(body.capacity.load()));
  set(env, state, "maxSize", static_cast<double>(body.max_items));
  set(env, state, "maxBytes", static_cast<double>(body.max_bytes));
  set(env, state, "ended", boolean(env, handle.primitive.ended()));
  set(env, state, "getters", core::count_waiting(body.getters, registry));
  set(env, state, "putters", core::count_waiting(body.putters, registry));
  set(env, state, "puts", static_cast<double>(body.puts.load()));
  set(env, state, "gets", static_cast<double>(body.gets.load()));
  set(env, state, "abandonments", static_cast<double>(body.abandonments.load()));
  if constexpr (std::is_same_v<Q, core::JoinableQueue>) {
    set(env, state, "leased", static_cast<double>(handle.primitive.leased()));
    set(env, state, "unfinished", static_cast<double>(handle.primitive.unfinished()));
    set(env, state, "joiners", core::count_waiting(handle.primitive.joiners(), registry));
  }
  return state;
}

// What can be waited for: an item, room for one, and that all is worked off.
template <class Q>
struct Items {
  using Primitive = Q;
  static core::WaitSet& set(Q& queue) { return queue.body().getters; }
  static uint64_t tag(Q& queue) { return queue.getters_tag(); }
  static bool soon(Q& queue) { return queue.spin_briefly_to_get(); }
  static void watch(Q& queue) {
    if constexpr (std::is_same_v<Q, core::JoinableQueue>) queue.watch();
  }
  static void pass_on(Q& queue, core::Registry& registry) {
    core::wake_one(set(queue), registry, tag(queue));
  }
};

template <class Q>
struct Room {
  using Primitive = Q;
  static core::WaitSet& set(Q& queue) { return queue.body().putters; }
  static uint64_t tag(Q& queue) { return queue.putters_tag(); }
  static void watch(Q&) {}
  static bool soon(Q& queue) { return queue.spin_briefly_to_put(); }
  static void pass_on(Q& queue, core::Registry& registry) {
    core::wake_one(set(queue), registry, tag(queue));
  }
};

struct Rest {
  using Primitive = core::JoinableQueue;
  static core::WaitSet& set(Primitive& queue) { return queue.joiners(); }
  static uint64_t tag(Primitive& queue) { return queue.joiners_tag(); }
  static void watch(Primitive&) {}
  static bool soon(Primitive&) { return false; }
  static void pass_on(Primitive&, core::Registry&) {}  // everybody is woken
};

// ---------------------------------------------------------------- JoinableQueue

using JoinableHandle = QueueHandle<core::JoinableQueue>;

// take(): as get(); the lease's place and delivery in answer[3] and [4].
napi_value take(napi_env env, JoinableHandle& handle, const napi_value*) {
  core::Record record;
  core::Lease lease;
  if (!handle.answer(handle.primitive.take(&record, &lease))) return nullptr;
  handle.leases++;
  double* const answer = handle.mailbox.answer;
  answer[1] = record.type;
  answer[2] = record.length;
  answer[3] = static_cast<double>(lease.offset);
  answer[4] = static_cast<double>(lease.delivery);
  return handle.bytes_of(env, record);
}

// settle(place, delivery, done): done, or given back.
napi_value settle(napi_env env, JoinableHandle& handle, const napi_value* arguments) {
  int64_t offset = 0, delivery = 0;
  bool done = false;
  napi_get_value_int64(env, arguments[0], &offset);
  napi_get_value_int64(env, arguments[1], &delivery);
  napi_get_value_bool(env, arguments[2], &done);
  const core::Lease lease{static_cast<uint64_t>(offset), static_cast<uint64_t>(delivery)};
  return until_not_busy(handle, handle.environment(), [&] {
    const core::Code code = done ? handle.primitive.done(lease) : handle.primitive.retry(lease);
    if (code == core::Code::ok) handle.leases--;
    return code;
  });
}

napi_value task_done(napi_env, Handle<core::JoinableQueue>& handle, const double*) {
  return until_not_busy(handle, handle.environment(), [&] { return handle.primitive.task_done(); });
}

napi_value finished(napi_env env, Handle<core::JoinableQueue>& handle, const double*) {
  return boolean(env, handle.primitive.finished());
}

napi_value wait_to_join(napi_env env, Handle<core::JoinableQueue>& handle, const double* argument) {
  return boolean(env, handle.primitive.wait_to_join(slice_of(argument[0])));
}

template <class Q>
void add_queue(Environment& environment, Binder<Q>& binder, QueueHandle<Q>* handle) {
  napi_env env = environment.env();
  set(env, binder.value(), "codec", handle->primitive.body().codec);
  set(env, binder.value(), "largestItem", static_cast<double>(handle->primitive.largest_item()));
  binder.template add_source<Items<Q>>("items");
  binder.template add_source<Room<Q>>("room");
  binder.add("put", with_values<Q, put<Q>, 4>);
  binder.add("putMany", with_values<Q, put_many<Q>, 3>);
  binder.add("get", with_values<Q, get<Q>, 0>);
  binder.add("getMany", with_values<Q, get_many<Q>, 1>);
  binder.template add<wait_to_get<Q>, 1>("waitToGet");
  binder.template add<wait_to_put<Q>, 1>("waitToPut");
  binder.template add<end<Q>>("end");
  binder.template add<ended<Q>>("ended");
  binder.template add<size<Q>>("size");
  binder.template add<full<Q>>("full");
  binder.template add<inspect<Q>>("inspect");
}

}  // namespace

napi_value bind_queue(Environment& environment, core::Object* object) {
  auto* handle = new QueueHandle<core::Queue>(environment, object);
  Binder<core::Queue> binder(environment, handle);
  add_queue(environment, binder, handle);
  return binder.value();
}

napi_value bind_joinable_queue(Environment& environment, core::Object* object) {
  auto* handle = new JoinableHandle(environment, object);
  Binder<core::JoinableQueue> binder(environment, handle);
  add_queue(environment, binder, handle);
  binder.add_source<Rest>("rest");
  binder.add("take", with_values<core::JoinableQueue, take, 0>);
  binder.add("settle", with_values<core::JoinableQueue, settle, 3>);
  binder.add<task_done>("taskDone");
  binder.add<finished>("finished");
  binder.add<wait_to_join, 1>("waitToJoin");
  return binder.value();
}

}  // namespace holdfast::addon
