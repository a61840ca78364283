// Queue as the store knows it: how one is made, opened and compared.
#include "core/kill_point.h"
#include "core/primitives/observations.h"
#include "core/primitives/queue.h"

namespace holdfast::core {

namespace {

// maxBytes of a new queue, if none was asked for.
constexpr uint64_t kQueueBytes = uint64_t{1} << 26;

uint64_t max_bytes_of(const OpenRequest& request) {
  return request.queue.max_bytes != 0 ? request.queue.max_bytes : kQueueBytes;
}

// The largest power of two that is at most what was asked for: a ring only doubles.
uint64_t table_length(const OpenRequest& request) {
  uint64_t ring = kQueueBytesMin;
  while (ring * 2 <= max_bytes_of(request)) ring *= 2;
  return ring;
}

bool is_plausible(uint32_t, uint64_t length) {
  return length >= kQueueBytesMin && length <= kQueueBytesMax && (length & (length - 1)) == 0;
}

void initialise(Object& object, const OpenRequest& request) {
  QueueBody* body = object.body<QueueBody>();
  platform::init_mutex(&body->mutex);
  platform::init_mutex(&body->tail_mutex);
  KILL_POINT("store.make.queue_mutex");
  body->capacity.store(kQueueBytesMin);
  KILL_POINT("store.make.capacity");
  body->max_items = request.queue.max_items != 0 ? request.queue.max_items : kQueueItemsMax;
  body->max_bytes = max_bytes_of(request);
  body->codec =
      request.queue.codec != 0 ? request.queue.codec : static_cast<uint32_t>(Codec::structured);
  body->next_due.store(kNeverDue);
  KILL_POINT("store.make.limits");
}

void forget_users(Object& object) {
  QueueBody* body = object.body<QueueBody>();
  // An agent may have died in the critical section. The mutex is made anew here and forgets that,
  // so this word notes it.
  body->must_recount.store(1);
  KILL_POINT("store.forget_users.must_recount");
  platform::init_mutex(&body->mutex);
  KILL_POINT("store.forget_users.queue_mutex");
  platform::init_mutex(&body->tail_mutex);
  KILL_POINT("store.forget_users.queue_tail_mutex");
  reset(body->getters);
  reset(body->putters);
}

// Limits and codec belong to the queue, so all its users must ask for the same.
Status compare(const OpenRequest& request, const BodyReader& reader, uint64_t) {
  const QueueLimits& wanted = request.queue;
  QueueLimits has;
  const uint64_t body = sizeof(Header);
  if (!reader.read(body + offsetof(QueueBody, max_items), &has.max_items, 8) ||
      !reader.read(body + offsetof(QueueBody, max_bytes), &has.max_bytes, 8) ||
      !reader.read(body + offsetof(QueueBody, codec), &has.codec, 4)) {
    return Status::of(Code::corrupt, "its limits cannot be read");
  }
  if (wanted.max_items != 0 && wanted.max_items != has.max_items) {
    return made_with_another("maxSize", has.max_items, wanted.max_items);
  }
  if (wanted.max_bytes != 0 && wanted.max_bytes != has.max_bytes) {
    return made_with_another("maxBytes", has.max_bytes, wanted.max_bytes);
  }
  if (wanted.codec != 0 && wanted.codec != has.codec) {
    return Status::of(Code::incompatible, "it was made with another codec");
  }
  return Status::success();
}

}  // namespace

KindOps queue_ops() {
  KindOps ops{"Queue"};
  ops.table_reserved = kQueueBytesMin;  // a ring is reserved as it grows
  ops.table_length = table_length;
  ops.is_plausible = is_plausible;
  ops.initialise = initialise;
  ops.forget_users = forget_users;
  ops.observe = observe_queue;
  ops.compare = compare;
  return ops;
}

extern const KindOps kQueueOps;
const KindOps kQueueOps = queue_ops();

}  // namespace holdfast::core
