// JoinableQueue. Deaths and stops are scenes of the sweep; here is what a look costs.
#include "core/primitives/joinable_queue.h"

#include <unistd.h>

#include "support.h"

namespace holdfast::test {

using core::JoinableQueue;
using core::Lease;
using core::Record;
using core::TransferStatus;

namespace {

constexpr uint64_t kRecordUnits = 4;  // head, owner, deliveries, and one unit of bytes

core::OpenRequest tasks() {
  core::OpenRequest request = request_for(Kind::joinable_queue, "tasks");
  request.queue.max_bytes = uint64_t{1} << 20;
  return request;
}

void put(JoinableQueue& queue, uint32_t count) {
  const std::string bytes(core::kUnit, 'x');
  for (uint32_t i = 0; i < count; i++) {
    const Record record{1, bytes.data(), static_cast<uint32_t>(bytes.size())};
    size_t done = 0;
    CHECK(queue.put(&record, 1, &done) == TransferStatus::yes);
  }
}

Lease take(JoinableQueue& queue) {
  Record record;
  Lease lease;
  CHECK(queue.take(&record, &lease) == TransferStatus::yes);
  return lease;
}

void work_off(JoinableQueue& queue, uint32_t count) {
  for (uint32_t i = 0; i < count; i++) CHECK_EQUAL(queue.done(take(queue)), Code::ok);
}

bool has_something(JoinableQueue& queue) {
  Record record;
  Lease lease;
  return queue.take(&record, &lease) != TransferStatus::not_yet;
}

// The word that says who has the record `index` behind `first`.
uint64_t& owner_of(JoinableQueue& queue, const Lease& first, uint64_t index) {
  const uint64_t place = (first.offset + index * kRecordUnits + 1) * core::kUnit;
  return *reinterpret_cast<uint64_t*>(queue.object().table() +
                                      (place & (queue.body().capacity - 1)));
}

}  // namespace

// A slow task in front, many done behind it, and takers that look again and again. The owner of a
// record in the middle is overwritten after the first look: a look that came by there again would
// find the item of somebody dead.
TEST(a_look_steps_over_a_run_of_done_records_at_once) {
  constexpr uint32_t kDoneBehind = 3000;
  constexpr AgentId kNobody = 12345;
  User<JoinableQueue> queue(tasks());
  put(queue.primitive, 1);
  const Lease slow = take(queue.primitive);
  for (int round = 0; round < 3; round++) {
    put(queue.primitive, kDoneBehind);
    work_off(queue.primitive, kDoneBehind);
    CHECK(!has_something(queue.primitive));  // this look measures the run
    const auto overwrite = [&](AgentId owner) {
      for (const uint64_t index : {2, 1500, 2999}) {
        owner_of(queue.primitive, slow, uint64_t(round) * kDoneBehind + index) = owner;
      }
    };
    overwrite(kNobody);
    CHECK(!has_something(queue.primitive));
    CHECK_EQUAL(queue->size(), 0u);
    overwrite(core::kDone);  // the end of the slow task checks INV-14 for each of them
  }
  CHECK_EQUAL(queue->done(slow), Code::ok);
  CHECK_EQUAL(queue->bytes(), 0u);
  CHECK(queue->finished());
}

// A slow task in front, and many ready behind it. The owner of a record in the middle is
// overwritten: a count that came by there would make it ready again.
TEST(a_count_looks_only_for_records_that_are_leased) {
  constexpr AgentId kNobody = 12345;
  User<JoinableQueue> queue(tasks());
  put(queue.primitive, 3000);
  const Lease first = take(queue.primitive), second = take(queue.primitive);
  uint64_t& owner = owner_of(queue.primitive, first, 1500);
  owner = kNobody;
  CHECK_EQUAL(queue->size(), 2998u);
  CHECK_EQUAL(owner, kNobody);
  // It goes as far as the last lease.
  owner_of(queue.primitive, first, 1) = kNobody;
  CHECK_EQUAL(queue->size(), 2999u);
  CHECK_EQUAL(owner_of(queue.primitive, first, 1), 0u);
  CHECK_EQUAL(owner, kNobody);
  owner = 0;
  CHECK_EQUAL(take(queue.primitive).offset, second.offset);
  CHECK_EQUAL(queue->size(), 2998u);
}

// Another process has many records on lease, and this one looks again and again. The owner of a
// record in the middle is overwritten: a look that came by there would find the item of somebody
// dead. No look does, until there is a newcomer, who might have died.
TEST(a_look_steps_over_what_is_leased_while_all_live) {
  constexpr AgentId kNobody = 12345;
  constexpr uint32_t kRecords = 3000;
  const Shared<std::atomic<uint32_t>> taken;
  const Shared<std::atomic<bool>> looked_in_vain;
  Child taker([&] {
    User<JoinableQueue> queue(tasks());
    EVENTUALLY(queue->bytes() == kRecords * kRecordUnits * core::kUnit && queue->leased() == 1);
    while (has_something(queue.primitive)) taken->fetch_add(1);
    looked_in_vain->store(true);
    for (;;) pause();
  });
  User<JoinableQueue> queue(tasks());
  put(queue.primitive, 1);
  const Lease first = take(queue.primitive);
  put(queue.primitive, kRecords - 1);
  EVENTUALLY(looked_in_vain->load());  // a look that went on would take what is freed below
  CHECK_EQUAL(taken->load(), kRecords - 1);
  CHECK(!has_something(queue.primitive));  // this look takes a census
  owner_of(queue.primitive, first, 1500) = kNobody;
  for (int look = 0; look < 3; look++) {
    CHECK(!has_something(queue.primitive));
    CHECK_EQUAL(queue->size(), 0u);
  }
  { const Party newcomer; }
  CHECK(has_something(queue.primitive));
  CHECK(!has_something(queue.primitive));
  taker.kill();
  CHECK_EQUAL(queue->size(), kRecords - 2u);
  CHECK(has_something(queue.primitive));
}

// A lease, ready records and runs of done ones by turns: each is found in its place.
TEST(runs_of_done_records_end_at_what_is_not_done) {
  constexpr uint32_t kRecords = 300;
  User<JoinableQueue> queue(tasks());
  for (uint32_t lap = 0; lap < 40; lap++) {  // the ring has 64 KiB: several times round
    put(queue.primitive, kRecords);
    std::vector<Lease> kept;
    for (uint32_t i = 0; i < kRecords; i++) {
      const Lease lease = take(queue.primitive);
      if (i % 50 == 20 + lap % 20) {
        kept.push_back(lease);
      } else {
        CHECK_EQUAL(queue->done(lease), Code::ok);
      }
      if (i % 7 == 0) CHECK_EQUAL(queue->size(), kRecords - i - 1);
    }
    CHECK(!has_something(queue.primitive));
    for (const Lease& lease : kept) CHECK_EQUAL(queue->retry(lease), Code::ok);
    CHECK_EQUAL(queue->size(), kept.size());
    for (const Lease& lease : kept) CHECK_EQUAL(take(queue.primitive).offset, lease.offset);
    for (auto lease = kept.rbegin(); lease != kept.rend(); ++lease) {
      CHECK_EQUAL(queue->done({lease->offset, 2}), Code::ok);
    }
    CHECK_EQUAL(queue->bytes(), 0u);
    CHECK(queue->finished());
  }
}

}  // namespace holdfast::test
