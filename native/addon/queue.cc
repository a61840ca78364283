#include "core/primitives/queue.h"
#include "core/primitives/joinable_queue.h"
#include "core/primitives/read_write_lock.h"

#include "addon/kinds.h"
#include "addon/waiting.h"
#include "platform/heap.h"

namespace holdfast::addon {

namespace {

// Records are bytes here, with a type that means nothing: src/records/codec.ts makes them of
// values, and values of them. Those that come out go into the thread's mailbox.
template <class Q>
class NativeQueue final : public Native<Q> {
 public:
  NativeQueue(Environment& environment, core::Object* object)
      : Native<Q>(environment, object), mailbox(environment.mailbox()) {
    this->primitive.set_inbox(mailbox.inbox, mailbox.inbox_length);
    this->primitive.set_outbox([this](uint32_t length) { return new_buffer(length); });
  }

  const Mailbox& mailbox;
  std::vector<core::Record> records;
  std::vector<napi_value> buffers;  // of the large records among them, during one call
  uint32_t leases = 0;              // taken through this native object and not settled

  // Leases end with the agent, by its death or by its end.
  bool held() const override { return leases != 0; }
  bool holds() const override { return leases != 0; }
  void abandon() override {
    if constexpr (std::is_same_v<Q, core::JoinableQueue>) this->primitive.abandon();
  }

  // A Buffer for a large record, into which its bytes are copied once. nullptr, with a JavaScript
  // error pending, if there is no memory.
  char* new_buffer(uint32_t length) {
    void* bytes = nullptr;
    napi_value buffer = nullptr;
    platform::foresee_large_block(length);
    if (napi_create_buffer(env(), length, &bytes, &buffer) != napi_ok) return nullptr;
    buffers.push_back(buffer);
    return static_cast<char*>(bytes);
  }
  core::TransferStatus get(size_t count) {
    buffers.clear();
    return this->primitive.get(count, &records);
  }

  // Says how it went.
  bool answer(core::TransferStatus status) {
    mailbox.answer[0] = static_cast<double>(status);
    return status == core::TransferStatus::yes;
  }
  // undefined if the bytes are in the inbox, otherwise a Buffer.
  napi_value bytes_of(const core::Record& record) {
    if (record.bytes == mailbox.inbox) return nullptr;
    napi_value buffer = nullptr;
    napi_create_buffer_copy(env(), record.length, record.bytes, nullptr, &buffer);
    return buffer;
  }

  napi_env env() { return this->environment().env(); }
};

// False, with a JavaScript error pending.
bool refuse_bytes(napi_env env) {
  napi_throw_range_error(env, nullptr, "not the bytes of a record");
  return false;
}

// The same if there are no such bytes.
bool read_bytes(napi_env env, napi_value from, uint32_t start, uint32_t end, core::Record* record) {
  void* bytes = nullptr;
  size_t length = 0;
  if (napi_get_buffer_info(env, from, &bytes, &length) != napi_ok || start > end || end > length) {
    return refuse_bytes(env);
  }
  record->bytes = static_cast<const char*>(bytes) + start;
  record->length = end - start;
  return true;
}

// put(type, bytes, start, end): how it went, a number of core::TransferStatus.
template <class Q>
napi_value put(NativeQueue<Q>& native, uint32_t type, napi_value bytes, uint32_t start,
               uint32_t end) {
  napi_env env = native.env();
  core::Record record;
  record.type = type;
  if (!read_bytes(env, bytes, start, end, &record)) return nullptr;
  size_t done = 0;
  return number(env, static_cast<double>(native.primitive.put(&record, 1, &done)));
}

// putOutbox(): the same for a record in the outbox; how it went in answer[0].
template <class Q>
void put_outbox(NativeQueue<Q>& native) {
  const Mailbox& mailbox = native.mailbox;
  core::Record record;
  record.type = mailbox.order[0];
  const uint32_t start = mailbox.order[1], end = mailbox.order[2];
  if (start > end || end > mailbox.outbox_length) {
    refuse_bytes(native.env());
    return;
  }
  record.bytes = mailbox.outbox + start;
  record.length = end - start;
  size_t done = 0;
  native.answer(native.primitive.put(&record, 1, &done));
}

// putJob(type, bytes, start, end, delay, priority): the same; no taker has it before the delay has
// passed.
napi_value put_job(NativeQueue<core::JoinableQueue>& native, uint32_t type, napi_value bytes,
                   uint32_t start, uint32_t end, double delay_ms, uint32_t priority) {
  napi_env env = native.env();
  core::Record record;
  record.type = type;
  record.due_ms = delay_ms == 0 ? 0 : core::due_after(delay_ms);
  record.priority = std::min(priority, core::kPriorityMax);
  if (!read_bytes(env, bytes, start, end, &record)) return nullptr;
  size_t done = 0;
  return number(env, static_cast<double>(native.primitive.put(&record, 1, &done)));
}

// putMany(sources, table, from): how many were put; how it went in answer[0]. Four numbers a record
// in the table: type, which of the sources, start, end. `from` counts records.
template <class Q>
napi_value put_many(NativeQueue<Q>& native, napi_value sources, napi_value table, uint32_t from) {
  napi_env env = native.env();
  void* data = nullptr;
  size_t length = 0;
  napi_get_typedarray_info(env, table, nullptr, &length, &data, nullptr, nullptr);
  const uint32_t* row = static_cast<const uint32_t*>(data) + size_t{4} * from;
  // The caller comes again for the rest.
  const size_t count = std::min<size_t>(length / 4 - from, 1024);
  std::vector<core::Record> records(count);
  napi_value source = nullptr;
  for (size_t i = 0; i < count; i++, row += 4) {
    if (i == 0 || row[1] != row[1 - 4]) napi_get_element(env, sources, row[1], &source);
    records[i].type = row[0];
    if (!read_bytes(env, source, row[2], row[3], &records[i])) return nullptr;
  }
  size_t done = 0;
  native.answer(native.primitive.put(records.data(), count, &done));
  return number(env, static_cast<double>(done));
}

// get(): the bytes of a record, see bytes_of(); type and length in answer[1] and [2].
template <class Q>
napi_value get(NativeQueue<Q>& native) {
  if (!native.answer(native.get(1))) return nullptr;
  const core::Record& record = native.records[0];
  native.mailbox.answer[1] = record.type;
  native.mailbox.answer[2] = record.length;
  return native.buffers.empty() ? native.bytes_of(record) : native.buffers[0];
}

// Three numbers a record: type, start, end. Those of a large record are type, its place in
// native.buffers, and kInBuffer.
constexpr uint32_t kInBuffer = UINT32_MAX;

template <class Q>
void write_rows(const NativeQueue<Q>& native, const char* first, uint32_t* row) {
  uint32_t place = 0;
  for (const core::Record& record : native.records) {
    const bool is_in_buffer = !native.buffers.empty() && record.length >= core::kLargeRecord;
    const auto start = is_in_buffer ? place++ : static_cast<uint32_t>(record.bytes - first);
    *row++ = record.type;
    *row++ = start;
    *row++ = is_in_buffer ? kInBuffer : start + record.length;
  }
}

// getMany(count): undefined if all is in the mailbox, otherwise [bytes, table, buffers]; how many
// records in answer[1]. See write_rows() for the table.
template <class Q>
napi_value get_many(NativeQueue<Q>& native, uint32_t wanted) {
  napi_env env = native.env();
  if (!native.answer(native.get(wanted))) return nullptr;
  const std::vector<core::Record>& records = native.records;
  const char* first = nullptr;  // of those that are not in buffers of their own
  size_t total = 0;
  for (const core::Record& record : records) {
    if (!native.buffers.empty() && record.length >= core::kLargeRecord) continue;
    if (first == nullptr) first = record.bytes;
    total += record.length;
  }
  native.mailbox.answer[1] = static_cast<double>(records.size());
  if (native.buffers.empty() && first == native.mailbox.inbox &&
      records.size() <= native.mailbox.records) {
    write_rows(native, first, native.mailbox.table);
    return nullptr;
  }
  napi_value memory = nullptr, table = nullptr, bytes = nullptr, buffers = nullptr, all = nullptr;
  void* rows = nullptr;
  napi_create_arraybuffer(env, 3 * sizeof(uint32_t) * records.size(), &rows, &memory);
  napi_create_typedarray(env, napi_uint32_array, 3 * records.size(), memory, 0, &table);
  write_rows(native, first, static_cast<uint32_t*>(rows));
  napi_create_buffer_copy(env, total, first, nullptr, &bytes);
  napi_create_array_with_length(env, native.buffers.size(), &buffers);
  for (uint32_t i = 0; i < native.buffers.size(); i++) {
    napi_set_element(env, buffers, i, native.buffers[i]);
  }
  napi_create_array_with_length(env, 3, &all);
  napi_set_element(env, all, 0, bytes);
  napi_set_element(env, all, 1, table);
  napi_set_element(env, all, 2, buffers);
  return all;
}

template <class Q>
uint32_t codec(Native<Q>& native) {
  return native.primitive.body().codec;
}

template <class Q>
napi_value inspect(Native<Q>& native) {
  Q& queue = native.primitive;
  core::QueueBody& body = queue.body();
  core::Registry& registry = native.registry();
  State state(native.environment().env());
  state.set("size", queue.size())
      .set("bytes", queue.bytes())
      .set("capacity", body.capacity.load())
      .set("maxSize", body.max_items)
      .set("maxBytes", body.max_bytes)
      .set("ended", queue.ended())
      .set("getters", core::count_waiting(body.getters, registry))
      .set("putters", core::count_waiting(body.putters, registry))
      .set("puts", body.puts.load())
      .set("gets", body.gets.load())
      .set("abandonments", body.abandonments.load());
  if constexpr (std::is_same_v<Q, core::JoinableQueue>) {
    state.set("leased", queue.leased() - queue.delayed())
        .set("delayed", queue.delayed())
        .set("unfinished", queue.unfinished())
        .set("joiners", core::count_waiting(queue.joiners(), registry));
  }
  return state.value();
}

// What can be waited for: an item, room for one, and that all is worked off.
template <class Q>
struct Getters {
  using Primitive = Q;
  static core::WaitSet& set(Q& queue) { return queue.body().getters; }
  static uint64_t tag(Q& queue) { return queue.getters_tag(); }
  static bool spin_briefly(Q& queue) { return queue.spin_briefly_to_get(); }
  static void watch(Q& queue) { queue.watch(); }
  static void pass_on(Q& queue, core::Registry& registry) {
    core::wake_one(set(queue), registry, tag(queue));
  }
};

template <class Q>
struct Putters {
  using Primitive = Q;
  static core::WaitSet& set(Q& queue) { return queue.body().putters; }
  static uint64_t tag(Q& queue) { return queue.putters_tag(); }
  static void watch(Q&) {}
  static bool spin_briefly(Q& queue) { return queue.spin_briefly_to_put(); }
  static void pass_on(Q& queue, core::Registry& registry) {
    core::wake_one(set(queue), registry, tag(queue));
  }
};

struct Joiners {
  using Primitive = core::JoinableQueue;
  static core::WaitSet& set(Primitive& queue) { return queue.joiners(); }
  static uint64_t tag(Primitive& queue) { return queue.joiners_tag(); }
  static void watch(Primitive&) {}
  static bool spin_briefly(Primitive&) { return false; }
  static void pass_on(Primitive&, core::Registry&) {}  // everybody is woken
};

// ---------------------------------------------------------------- one direction of a Pipe

// waitToGetOrFree(place, ms): waitToGet(), which also ends when nobody holds the ReadWriteLock at
// that place.
bool wait_to_get_or_free(Native<core::Queue>& native, uint32_t place, int64_t deadline_ns) {
  Environment& environment = native.environment();
  auto* far =
      open_native<Native<core::ReadWriteLock>>(environment.env(), environment.natives().at(place));
  if (far == nullptr) return false;
  core::ReadWriteLock& other = far->primitive;
  return native.primitive.wait_to_get_or(
      deadline_ns, [&] { return other.is_free(); }, [&] { other.watch_all(); });
}

// ---------------------------------------------------------------- JoinableQueue

using NativeJoinableQueue = NativeQueue<core::JoinableQueue>;

// take(): as get(); the lease's place and delivery in answer[3] and [4], the priority in answer[5].
napi_value take(NativeJoinableQueue& native) {
  core::Record record;
  core::Lease lease;
  if (!native.answer(native.primitive.take(&record, &lease))) return nullptr;
  native.leases++;
  double* const answer = native.mailbox.answer;
  answer[1] = record.type;
  answer[2] = record.length;
  answer[3] = static_cast<double>(lease.offset);
  answer[4] = static_cast<double>(lease.delivery);
  answer[5] = record.priority;
  return native.bytes_of(record);
}

// settle(place, delivery, done): done, or given back.
core::Code settle(NativeJoinableQueue& native, uint64_t place, uint64_t delivery, bool done) {
  const core::Lease lease{place, delivery};
  const core::Code code = done ? native.primitive.done(lease) : native.primitive.retry(lease);
  if (code == core::Code::ok) native.leases--;
  return code;
}

// retryLater(place, delivery, delay): given back, and ready when the delay has passed.
core::Code retry_later(NativeJoinableQueue& native, uint64_t place, uint64_t delivery,
                       double delay_ms) {
  const core::Code code = native.primitive.retry_later({place, delivery}, delay_ms);
  if (code == core::Code::ok) native.leases--;
  return code;
}

template <class Q>
void bind_queue(Binder<Q>& binder) {
  binder.group("getters", WaitSetOperations<Getters<Q>>::bind(binder.env()));
  binder.group("putters", WaitSetOperations<Putters<Q>>::bind(binder.env()));
  binder.template method<codec<Q>>("codec");
  binder.template method<&Q::largest_item>("largestItem");
  binder.template method<put<Q>, Needs::files>("put");
  binder.template method<put_outbox<Q>, Needs::files>("putOutbox");
  binder.template method<put_many<Q>, Needs::files>("putMany");
  binder.template method<get<Q>, Needs::files>("get");
  binder.template method<get_many<Q>, Needs::files>("getMany");
  binder.template method<&Q::wait_to_get, Needs::files>("waitToGet");
  binder.template method<&Q::wait_to_put, Needs::files>("waitToPut");
  binder.template method<&Q::end>("end");
  binder.template method<&Q::ended>("ended");
  binder.template method<&Q::size>("size");
  binder.template method<&Q::full>("full");
  binder.template method<inspect<Q>>("inspect");
}

napi_value queue_functions(napi_env env) {
  Binder<core::Queue> binder(env);
  bind_queue(binder);
  binder.method<wait_to_get_or_free, Needs::files>("waitToGetOrFree");
  return binder.value();
}

napi_value joinable_queue_functions(napi_env env) {
  Binder<core::JoinableQueue> binder(env);
  bind_queue(binder);
  binder.group("joiners", WaitSetOperations<Joiners>::bind(env));
  binder.method<take, Needs::files>("take");
  binder.method<settle>("settle");
  binder.method<retry_later>("retryLater");
  binder.method<put_job, Needs::files>("putJob");
  binder.method<&core::JoinableQueue::task_done>("taskDone");
  binder.method<&core::JoinableQueue::finished, Needs::files>("finished");
  binder.method<&core::JoinableQueue::wait_to_join, Needs::files>("waitToJoin");
  return binder.value();
}

}  // namespace

const KindBinding kQueue = {core::Kind::queue, "Queue", queue_functions,
                            make_native<NativeQueue<core::Queue>>};

const KindBinding kJoinableQueue = {core::Kind::joinable_queue, "JoinableQueue",
                                    joinable_queue_functions, make_native<NativeJoinableQueue>};

}  // namespace holdfast::addon
