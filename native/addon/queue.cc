#include "core/joinable_queue.h"
#include "core/queue.h"

#include <cstring>

#include "addon/handle.h"

namespace holdfast::addon {

namespace {

// The record types that need no codec. Numbers of `types` in src/codec.ts.
enum Type : uint32_t {
  kUtf8 = 1,   // a string
  kUtf16 = 2,  // a string with lone surrogates, which UTF-8 cannot carry
  kDouble = 3,
  kTrue = 4,
  kFalse = 5,
  kNull = 6,
  kBuffer = 7,
  // From here on: bytes that src/codec.ts knows how to read.
};

// A call answers with a value and, beside it, with the type of a record and how it went, in a typed
// array that both sides know: two numbers need no object.
template <class Q>
class QueueHandle final : public Handle<Q> {
 public:
  using Handle<Q>::Handle;
  uint32_t* meta = nullptr;  // [0] type, [1] core::Moved
  std::vector<core::Record> records;
  uint32_t leases = 0;  // taken through this handle and not settled

  // Leases end with the agent, by its death or by its end.
  bool held() const override { return leases != 0; }
  bool holds() const override { return leases != 0; }
  void abandon() override {
    if constexpr (std::is_same_v<Q, core::JoinableQueue>) this->primitive.abandon();
  }
};

// The bytes of a value while it is being put.
class Payload {
 public:
  // False, with a JavaScript error pending, if the value does not go with the type.
  bool read(napi_env env, uint32_t type, napi_value value, core::Record* record) {
    record->type = type;
    record->bytes = small_;
    record->length = 0;
    napi_status status = napi_ok;
    size_t length = 0;
    switch (type) {
      case kTrue:
      case kFalse:
      case kNull:
        return true;
      case kDouble: {
        double number = 0;
        status = napi_get_value_double(env, value, &number);
        memcpy(small_, &number, sizeof number);
        length = sizeof number;
        break;
      }
      case kUtf8:
        // One pass for short strings; measuring first would be two.
        status = napi_get_value_string_utf8(env, value, small_, sizeof small_, &length);
        if (status == napi_ok && length + 4 >= sizeof small_) {
          napi_get_value_string_utf8(env, value, nullptr, 0, &length);
          large_.resize(length + 1);
          status = napi_get_value_string_utf8(env, value, large_.data(), length + 1, &length);
          record->bytes = large_.data();
        }
        break;
      case kUtf16:
        status = napi_get_value_string_utf16(env, value, nullptr, 0, &length);
        large_.resize((length + 1) * sizeof(char16_t));
        if (status == napi_ok) {
          status = napi_get_value_string_utf16(
              env, value, reinterpret_cast<char16_t*>(large_.data()), length + 1, &length);
        }
        length *= sizeof(char16_t);
        record->bytes = large_.data();
        break;
      default: {
        void* bytes = nullptr;
        status = napi_get_buffer_info(env, value, &bytes, &length);
        record->bytes = static_cast<const char*>(bytes);
        break;
      }
    }
    if (status != napi_ok || length > UINT32_MAX) {
      napi_throw_type_error(env, nullptr, "not a value of its record type");
      return false;
    }
    record->length = static_cast<uint32_t>(length);
    return true;
  }

 private:
  char small_[2048];
  std::vector<char> large_;
};

napi_value value_of(napi_env env, const core::Record& record) {
  napi_value value = nullptr;
  switch (record.type) {
    case kUtf8:
      napi_create_string_utf8(env, record.bytes, record.length, &value);
      break;
    case kUtf16:
      napi_create_string_utf16(env, reinterpret_cast<const char16_t*>(record.bytes),
                               record.length / sizeof(char16_t), &value);
      break;
    case kDouble: {
      double number = 0;
      memcpy(&number, record.bytes, std::min<size_t>(record.length, sizeof number));
      napi_create_double(env, number, &value);
      break;
    }
    case kTrue:
    case kFalse:
      napi_get_boolean(env, record.type == kTrue, &value);
      break;
    case kNull:
      napi_get_null(env, &value);
      break;
    default:
      napi_create_buffer_copy(env, record.length, record.bytes, nullptr, &value);
      break;
  }
  return value;
}

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

// put(type, value): how it went, a number of core::Moved.
template <class Q>
napi_value put(napi_env env, QueueHandle<Q>& handle, const napi_value* arguments) {
  uint32_t type = 0;
  napi_get_value_uint32(env, arguments[0], &type);
  Payload payload;
  core::Record record;
  if (!payload.read(env, type, arguments[1], &record)) return nullptr;
  size_t done = 0;
  return number(env, static_cast<double>(handle.primitive.put(&record, 1, &done)));
}

// putMany([type, value, type, value, ...], from): how many were put; how it went in meta[1].
template <class Q>
napi_value put_many(napi_env env, QueueHandle<Q>& handle, const napi_value* arguments) {
  uint32_t length = 0, from = 0;
  napi_get_array_length(env, arguments[0], &length);
  napi_get_value_uint32(env, arguments[1], &from);
  // As many as fit into a buffer of reasonable size; the caller comes again for the rest.
  const uint32_t count = std::min<uint32_t>(length / 2 - from, 256);
  std::vector<Payload> payloads(count);
  std::vector<core::Record> records(count);
  for (uint32_t i = 0; i < count; i++) {
    napi_value type_value = nullptr, value = nullptr;
    uint32_t type = 0;
    napi_get_element(env, arguments[0], 2 * (from + i), &type_value);
    napi_get_element(env, arguments[0], 2 * (from + i) + 1, &value);
    napi_get_value_uint32(env, type_value, &type);
    if (!payloads[i].read(env, type, value, &records[i])) return nullptr;
  }
  size_t done = 0;
  handle.meta[1] = static_cast<uint32_t>(handle.primitive.put(records.data(), count, &done));
  return number(env, static_cast<double>(done));
}

// get(): the value, or the bytes of one; its type in meta[0], how it went in meta[1].
template <class Q>
napi_value get(napi_env env, QueueHandle<Q>& handle, const napi_value*) {
  const core::Moved moved = handle.primitive.get(1, &handle.records);
  handle.meta[1] = static_cast<uint32_t>(moved);
  if (moved != core::Moved::yes) return nullptr;
  handle.meta[0] = handle.records[0].type;
  return value_of(env, handle.records[0]);
}

// getMany(count): [type, value, type, value, ...]; how it went in meta[1].
template <class Q>
napi_value get_many(napi_env env, QueueHandle<Q>& handle, const napi_value* arguments) {
  double count = 0;
  napi_get_value_double(env, arguments[0], &count);
  const core::Moved moved =
      handle.primitive.get(static_cast<size_t>(std::max(1.0, count)), &handle.records);
  handle.meta[1] = static_cast<uint32_t>(moved);
  napi_value list = nullptr;
  napi_create_array_with_length(env, 2 * handle.records.size(), &list);
  uint32_t index = 0;
  for (const core::Record& record : handle.records) {
    napi_handle_scope scope = nullptr;
    napi_open_handle_scope(env, &scope);
    napi_set_element(env, list, index++, number(env, record.type));
    napi_set_element(env, list, index++, value_of(env, record));
    napi_close_handle_scope(env, scope);
  }
  return list;
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
  static void watch(Q& queue) {
    if constexpr (std::is_same_v<Q, core::JoinableQueue>) queue.watch();
  }
  static void pass_on(Q& queue, core::Registry& registry) {
    core::ring_one(set(queue), registry, tag(queue));
  }
};

template <class Q>
struct Room {
  using Primitive = Q;
  static core::WaitSet& set(Q& queue) { return queue.body().putters; }
  static uint64_t tag(Q& queue) { return queue.putters_tag(); }
  static void watch(Q&) {}
  static void pass_on(Q& queue, core::Registry& registry) {
    core::ring_one(set(queue), registry, tag(queue));
  }
};

struct Rest {
  using Primitive = core::JoinableQueue;
  static core::WaitSet& set(Primitive& queue) { return queue.joiners(); }
  static uint64_t tag(Primitive& queue) { return queue.joiners_tag(); }
  static void watch(Primitive&) {}
  static void pass_on(Primitive&, core::Registry&) {}  // everybody is rung
};

// ---------------------------------------------------------------- JoinableQueue

using JoinableHandle = QueueHandle<core::JoinableQueue>;

// take(): [type, value, place, delivery], or how it went in meta[1].
napi_value take(napi_env env, JoinableHandle& handle, const napi_value*) {
  core::Record record;
  core::Lease lease;
  const core::Moved moved = handle.primitive.take(&record, &lease);
  handle.meta[1] = static_cast<uint32_t>(moved);
  if (moved != core::Moved::yes) return nullptr;
  handle.leases++;
  napi_value taken = nullptr;
  napi_create_array_with_length(env, 4, &taken);
  napi_set_element(env, taken, 0, number(env, record.type));
  napi_set_element(env, taken, 1, value_of(env, record));
  napi_set_element(env, taken, 2, number(env, static_cast<double>(lease.offset)));
  napi_set_element(env, taken, 3, number(env, static_cast<double>(lease.delivery)));
  return taken;
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
QueueHandle<Q>* add_queue(Environment& environment, Binder<Q>& binder, QueueHandle<Q>* handle) {
  napi_env env = environment.env();
  napi_value buffer = nullptr, meta = nullptr;
  void* data = nullptr;
  napi_create_arraybuffer(env, 2 * sizeof(uint32_t), &data, &buffer);
  napi_create_typedarray(env, napi_uint32_array, 2, buffer, 0, &meta);
  handle->meta = static_cast<uint32_t*>(data);
  set(env, binder.value(), "meta", meta);
  set(env, binder.value(), "codec", handle->primitive.body().codec);
  set(env, binder.value(), "largestItem", static_cast<double>(handle->primitive.largest_item()));
  binder.template add_source<Items<Q>>("items");
  binder.template add_source<Room<Q>>("room");
  binder.add("put", with_values<Q, put<Q>, 2>);
  binder.add("putMany", with_values<Q, put_many<Q>, 2>);
  binder.add("get", with_values<Q, get<Q>, 0>);
  binder.add("getMany", with_values<Q, get_many<Q>, 1>);
  binder.template add<wait_to_get<Q>, 1>("waitToGet");
  binder.template add<wait_to_put<Q>, 1>("waitToPut");
  binder.template add<end<Q>>("end");
  binder.template add<ended<Q>>("ended");
  binder.template add<size<Q>>("size");
  binder.template add<full<Q>>("full");
  binder.template add<inspect<Q>>("inspect");
  return handle;
}

}  // namespace

napi_value bind_queue(Environment& environment, core::Object* object) {
  auto* handle = new QueueHandle<core::Queue>(environment.agent(), object);
  Binder<core::Queue> binder(environment, handle);
  add_queue(environment, binder, handle);
  return binder.value();
}

napi_value bind_joinable_queue(Environment& environment, core::Object* object) {
  auto* handle = new JoinableHandle(environment.agent(), object);
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
