// JoinableQueue with priorities: the order, what a look costs, and words that make no sense.
#include <algorithm>
#include <cstring>
#include <random>

#include "core/primitives/joinable_queue.h"
#include "support.h"

namespace holdfast::test {

using core::JoinableQueue;
using core::Lease;
using core::Record;
using core::TransferStatus;

namespace {

core::OpenRequest jobs() {
  core::OpenRequest request = request_for(Kind::joinable_queue, "jobs");
  request.queue.max_bytes = uint64_t{1} << 24;
  return request;
}

// An item is its number, which is its type and its only bytes.
void put(JoinableQueue& queue, uint32_t number, uint32_t priority, uint64_t due_ms = 0) {
  const Record record{number % 50'000, reinterpret_cast<const char*>(&number), sizeof number,
                      due_ms, priority};
  size_t done = 0;
  CHECK(queue.put(&record, 1, &done) == TransferStatus::yes);
}

struct Taken {
  uint32_t number = 0, priority = 0;
  Lease lease;
};

Taken take(JoinableQueue& queue) {
  Record record;
  Taken taken;
  if (queue.take(&record, &taken.lease) != TransferStatus::yes) return taken;
  CHECK_EQUAL(record.length, sizeof taken.number);
  memcpy(&taken.number, record.bytes, sizeof taken.number);
  taken.priority = record.priority;
  return taken;
}

uint64_t& word_of(JoinableQueue& queue, const Lease& lease, uint64_t index) {
  const uint64_t place = (lease.offset + index) * core::kUnit;
  return *reinterpret_cast<uint64_t*>(queue.object().table() +
                                      (place & (queue.body().capacity - 1)));
}

core::PriorityLists& lists_of(JoinableQueue& queue) {
  return queue.object().body<core::JoinableQueueBody>()->priorities;
}

}  // namespace

// Random puts, takes, retries, delays and ends of leases, beside a list that knows the order.
TEST(the_most_urgent_item_is_taken_and_of_those_the_first) {
  struct Item {
    uint32_t number, priority;
    bool is_leased = false;
    Lease lease;
  };
  User<JoinableQueue> user(jobs());
  JoinableQueue& queue = user.primitive;
  std::mt19937 random(7);
  const auto below = [&](uint32_t limit) { return static_cast<uint32_t>(random() % limit); };
  std::vector<Item> items;  // in the order of their puts
  uint32_t next = 1;
  for (int step = 0; step < 20'000; step++) {
    const uint32_t what = below(8);
    std::vector<size_t> leased;
    for (size_t i = 0; i < items.size(); i++) {
      if (items[i].is_leased) leased.push_back(i);
    }
    if (what < 3 && items.size() < 60) {
      const Item item{next++, below(3) == 0 ? 0 : below(core::kPriorityMax + 1), false, {}};
      put(queue, item.number, item.priority, below(4) == 0 ? 1 : 0);
      items.push_back(item);
    } else if (what < 5) {
      Item* first = nullptr;
      for (Item& item : items) {
        if (!item.is_leased && (first == nullptr || item.priority > first->priority)) first = &item;
      }
      const Taken taken = take(queue);
      CHECK_EQUAL(taken.number, first == nullptr ? 0 : first->number);
      if (first == nullptr) continue;
      CHECK_EQUAL(taken.priority, first->priority);
      first->is_leased = true;
      first->lease = taken.lease;
    } else if (!leased.empty()) {
      const size_t index = leased[below(static_cast<uint32_t>(leased.size()))];
      const Lease lease = items[index].lease;
      if (what == 5) {
        CHECK_EQUAL(queue.retry(lease), Code::ok);
        items[index].is_leased = false;
      } else if (what == 6) {
        CHECK_EQUAL(queue.retry_later(lease, -1000), Code::ok);  // is due
        items[index].is_leased = false;
      } else {
        CHECK_EQUAL(queue.done(lease), Code::ok);
        items.erase(items.begin() + static_cast<long>(index));
      }
    }
  }
  for (Item& item : items) {
    if (item.is_leased) CHECK_EQUAL(queue.done(item.lease), Code::ok);
  }
  for (Taken taken = take(queue); taken.number != 0; taken = take(queue)) {
    CHECK_EQUAL(queue.done(taken.lease), Code::ok);
  }
  CHECK(queue.finished());
  CHECK_EQUAL(queue.bytes(), 0u);
  CHECK_EQUAL(lists_of(queue).used.load(), 0u);
}

// 100,000 items between the first urgent one and the others. The length of one of them is
// overwritten, so a look that walked over it would find a ring that makes no sense.
TEST(a_look_for_urgent_items_does_not_come_by_the_others) {
  User<JoinableQueue> user(jobs());
  JoinableQueue& queue = user.primitive;
  put(queue, 1, 2);
  const Taken first = take(queue);
  CHECK_EQUAL(queue.retry(first.lease), Code::ok);
  for (uint32_t i = 0; i < 100'000; i++) put(queue, 1000 + i, i % 2);
  for (uint32_t i = 2; i < 5; i++) put(queue, i, 2);
  // The first one has a link: 5 words. Behind it a record of 4, one of 5, and so on.
  uint64_t& middle = word_of(queue, first.lease, 5 + 500 * (4 + 5));
  const uint64_t length = middle;
  middle |= UINT32_MAX;
  for (uint32_t i = 1; i < 5; i++) {
    Taken taken = take(queue);
    CHECK_EQUAL(taken.number, i);
    CHECK_EQUAL(queue.retry(taken.lease), Code::ok);
    taken = take(queue);
    CHECK_EQUAL(taken.number, i);
    if (i == 1) continue;  // behind a lease: nothing leaves the ring
    CHECK_EQUAL(queue.done(taken.lease), Code::ok);
  }
  middle = length;
  CHECK_EQUAL(take(queue).number, 1001u);  // the first of priority 1
}

// The last of a list is done, but still in the ring. What is put then is linked to it, and whoever
// comes from before finds it.
TEST(a_list_goes_on_behind_its_last_record_that_is_done) {
  User<JoinableQueue> user(jobs());
  JoinableQueue& queue = user.primitive;
  for (uint32_t i = 1; i <= 3; i++) put(queue, i, 1);
  const Taken first = take(queue), second = take(queue), third = take(queue);
  CHECK_EQUAL(queue.done(second.lease), Code::ok);
  CHECK_EQUAL(queue.done(third.lease), Code::ok);
  CHECK_EQUAL(queue.retry(first.lease), Code::ok);
  const Taken again = take(queue);
  CHECK_EQUAL(again.number, 1u);
  put(queue, 4, 1);
  CHECK_EQUAL(queue.retry(again.lease), Code::ok);
  CHECK_EQUAL(take(queue).number, 1u);
  CHECK_EQUAL(take(queue).number, 4u);
}

// Words that another program wrote over: nothing hangs, and no item is lost.
TEST(lists_that_make_no_sense_are_made_anew) {
  for (int fault = 0; fault < 4; fault++) {
    User<JoinableQueue> user(jobs());
    JoinableQueue& queue = user.primitive;
    put(queue, 1, 0);
    for (uint32_t i = 2; i <= 4; i++) put(queue, i, 3);
    const Taken taken = take(queue);
    core::PriorityList& list = lists_of(queue).of[3];
    if (fault == 0) list.ready = taken.lease.offset + 1;
    if (fault == 1) list.ready = 12345;
    if (fault == 2) word_of(queue, taken.lease, 5 + 3) = taken.lease.offset;  // a circle
    if (fault == 3) list.last = UINT64_MAX - 1;
    put(queue, 5, 3);
    std::vector<uint32_t> numbers{taken.number};
    for (Taken each = take(queue); each.number != 0; each = take(queue)) {
      numbers.push_back(each.number);
      CHECK_EQUAL(queue.done(each.lease), Code::ok);
    }
    CHECK_EQUAL(queue.done(taken.lease), Code::ok);
    std::sort(numbers.begin(), numbers.end());
    CHECK(numbers == std::vector<uint32_t>({1, 2, 3, 4, 5}));
    CHECK(queue.finished());
  }
}

}  // namespace holdfast::test
