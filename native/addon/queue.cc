#include "core/queue.h"

#include <cstring>

#include "addon/handle.h"

namespace holdfast::addon {

namespace {

using H = Handle<core::Queue>;

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
class QueueHandle : public H {
 public:
  using H::H;
  uint32_t* meta = nullptr;  // [0] type, [1] core::Moved
  std::vector<core::Record> records;
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
template <napi_value (*kBody)(napi_env, QueueHandle&, const napi_value*), size_t kArguments>
napi_value with_values(napi_env env, napi_callback_info info) {
  void* data = nullptr;
  size_t count = kArguments;
  napi_value arguments[kArguments + 1] = {};
  napi_get_cb_info(env, info, &count, arguments, nullptr, &data);
  auto& handle = *static_cast<QueueHandle*>(static_cast<H*>(data));
  if (!handle.is_open()) return Environment::from(env)->raise(core::Code::closed, handle);
  return kBody(env, handle, arguments);
}

// put(type, value): how it went, a number of core::Moved.
napi_value put(napi_env env, QueueHandle& handle, const napi_value* arguments) {
  uint32_t type = 0;
  napi_get_value_uint32(env, arguments[0], &type);
  Payload payload;
  core::Record record;
  if (!payload.read(env, type, arguments[1], &record)) return nullptr;
  size_t done = 0;
  return number(env, static_cast<double>(handle.primitive.put(&record, 1, &done)));
}

// putMany([type, value, type, value, ...], from): how many were put; how it went in meta[1].
napi_value put_many(napi_env env, QueueHandle& handle, const napi_value* arguments) {
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
napi_value get(napi_env env, QueueHandle& handle, const napi_value*) {
  const core::Moved moved = handle.primitive.get(1, &handle.records);
  handle.meta[1] = static_cast<uint32_t>(moved);
  if (moved != core::Moved::yes) return nullptr;
  handle.meta[0] = handle.records[0].type;
  return value_of(env, handle.records[0]);
}

// getMany(count): [type, value, type, value, ...]; how it went in meta[1].
napi_value get_many(napi_env env, QueueHandle& handle, const napi_value* arguments) {
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

int64_t slice_of(double wanted_ms) {
  return platform::monotonic_ns() +
         std::min(static_cast<int64_t>(wanted_ms * platform::kNanosPerMilli), core::kSlice_ns);
}

napi_value wait_to_get(napi_env env, H& handle, const double* argument) {
  return boolean(env, handle.primitive.wait_to_get(slice_of(argument[0])));
}

napi_value wait_to_put(napi_env env, H& handle, const double* argument) {
  return boolean(env, handle.primitive.wait_to_put(slice_of(argument[0])));
}

napi_value end(napi_env, H& handle, const double*) {
  handle.primitive.end();
  return nullptr;
}

napi_value ended(napi_env env, H& handle, const double*) {
  return boolean(env, handle.primitive.ended());
}

napi_value size(napi_env env, H& handle, const double*) {
  return number(env, static_cast<double>(handle.primitive.size()));
}

napi_value full(napi_env env, H& handle, const double*) {
  return boolean(env, handle.primitive.full());
}

napi_value inspect(napi_env env, H& handle, const double*) {
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
  return state;
}

// The two things that can be waited for: an item, and room for one.
template <core::WaitSet core::QueueBody::* kSet, uint64_t kTagOffset>
struct Side {
  static core::WaitSet& set_of(H& handle) { return handle.primitive.body().*kSet; }

  static napi_value enrol(napi_env env, H& handle, const double* argument) {
    core::Agent& agent = handle.agent();
    return number(env, core::enrol_again(set_of(handle), agent.registry(), agent.id(),
                                         static_cast<uint32_t>(argument[1]),
                                         static_cast<int>(argument[0])));
  }
  static napi_value cancel(napi_env env, H& handle, const double* argument) {
    return boolean(
        env, core::cancel(set_of(handle), handle.agent().id(), static_cast<int>(argument[0])));
  }
  static napi_value pass_on(napi_env, H& handle, const double*) {
    core::ring_one(set_of(handle), handle.agent().registry(), handle.object().tag() + kTagOffset);
    return nullptr;
  }

  static napi_value bind(napi_env env, Binder<core::Queue>& binder) {
    napi_value object = nullptr;
    napi_create_object(env, &object);
    set(env, object, "tag", static_cast<double>(binder.handle().object().tag() + kTagOffset));
    binder.add(object, "enrol", bound<core::Queue, enrol, 2>);
    binder.add(object, "cancel", bound<core::Queue, cancel, 1>);
    binder.add(object, "passOn", bound<core::Queue, pass_on, 0>);
    return object;
  }
};

}  // namespace

napi_value bind_queue(Environment& environment, core::Object* object) {
  napi_env env = environment.env();
  auto* handle = new QueueHandle(environment.agent(), object);
  Binder<core::Queue> binder(environment, handle);
  napi_value buffer = nullptr, meta = nullptr;
  void* data = nullptr;
  napi_create_arraybuffer(env, 2 * sizeof(uint32_t), &data, &buffer);
  napi_create_typedarray(env, napi_uint32_array, 2, buffer, 0, &meta);
  handle->meta = static_cast<uint32_t*>(data);
  set(env, binder.value(), "meta", meta);
  set(env, binder.value(), "codec", handle->primitive.body().codec);
  set(env, binder.value(), "largestItem", static_cast<double>(handle->primitive.largest_item()));
  set(env, binder.value(), "items", Side<&core::QueueBody::getters, 0>::bind(env, binder));
  set(env, binder.value(), "room", Side<&core::QueueBody::putters, 1>::bind(env, binder));
  binder.add("put", with_values<put, 2>);
  binder.add("putMany", with_values<put_many, 2>);
  binder.add("get", with_values<get, 0>);
  binder.add("getMany", with_values<get_many, 1>);
  binder.add<wait_to_get, 1>("waitToGet");
  binder.add<wait_to_put, 1>("waitToPut");
  binder.add<end>("end");
  binder.add<ended>("ended");
  binder.add<size>("size");
  binder.add<full>("full");
  binder.add<inspect>("inspect");
  return binder.value();
}

}  // namespace holdfast::addon
