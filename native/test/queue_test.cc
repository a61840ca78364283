// Queue. Deaths and stops are scenes of the sweep; here is what must not wait for a process that
// stands still with one of the mutexes.
#include "core/primitives/queue.h"

#include "support.h"

namespace holdfast::test {

using core::Queue;
using core::Record;
using core::TransferStatus;

namespace {

constexpr uint32_t kItems = 3;

core::OpenRequest letters() {
  core::OpenRequest request = request_for(Kind::queue, "letters");
  request.queue.max_bytes = uint64_t{1} << 20;
  return request;
}

void put_large(Queue& queue) {
  for (uint32_t i = 1; i <= kItems; i++) {
    const std::string bytes(size_t{2} * core::kLargeRecord, static_cast<char>(i));
    const Record record{i, bytes.data(), static_cast<uint32_t>(bytes.size())};
    size_t done = 0;
    CHECK(queue.put(&record, 1, &done) == TransferStatus::yes);
  }
}

void put_small(Queue& queue, uint32_t type) {
  const Record record{type, "small", 5};
  size_t done = 0;
  CHECK(queue.put(&record, 1, &done) == TransferStatus::yes);
}

struct Steps {
  std::atomic<bool> enter{false}, entered{false}, stopped{false}, leave{false};
  std::atomic<bool> given_back{false}, seen{false};
};

// A get finds no memory for its items. Meanwhile another process was stopped in the critical
// section, and goes on only after the get has returned, or dies.
void gives_back_beside_a_stopped_process(bool dies) {
  const Shared<Steps> steps;
  Child stopped([&] {
    User<Queue> queue(letters());
    EVENTUALLY(steps->enter.load());
    const core::CriticalSection section(queue.party.agent(), queue->body().mutex);
    CHECK(section.entered());
    steps->entered = true;
    EVENTUALLY(steps->leave.load());
  });
  Child getter([&] {
    User<Queue> queue(letters());
    put_large(queue.primitive);
    queue->set_outbox([&](uint32_t) -> char* {
      steps->enter = true;
      EVENTUALLY(steps->stopped.load());
      return nullptr;
    });
    std::vector<Record> records;
    CHECK(queue->get(kItems, &records) == TransferStatus::not_yet);
    CHECK_EQUAL(records.size(), 0u);
    steps->given_back = true;
    EVENTUALLY(steps->seen.load());
  });
  EVENTUALLY(steps->entered.load());
  stopped.stop();
  steps->stopped = true;
  EVENTUALLY(steps->given_back.load());
  steps->leave = true;
  if (dies) {
    stopped.kill();
  } else {
    stopped.resume();
    stopped.join();
  }
  // The getter is idle and lives. The items are there, in their order.
  {
    User<Queue> queue(letters());
    CHECK_EQUAL(queue->size(), kItems);
    std::vector<Record> records;
    CHECK(queue->get(kItems, &records) == TransferStatus::yes);
    CHECK_EQUAL(records.size(), kItems);
    for (uint32_t i = 0; i < records.size(); i++) {
      CHECK_EQUAL(records[i].type, i + 1);
      CHECK(records[i].bytes[0] == static_cast<char>(i + 1));
    }
    CHECK_EQUAL(queue->size(), 0u);
    CHECK_EQUAL(queue->bytes(), 0u);
  }
  steps->seen = true;
  getter.join();
  if (dies) sweep();
}

// While a process stands still with this mutex, and after it has been killed.
template <class Work>
void beside_a_stopped_process(platform::traits::MutexStorage core::QueueBody::*mutex, Work work) {
  const Shared<Steps> steps;
  Child stopped([&] {
    User<Queue> queue(letters());
    put_small(queue.primitive, 1);
    const core::CriticalSection section(queue.party.agent(), queue->body().*mutex);
    CHECK(section.entered());
    steps->entered = true;
    EVENTUALLY(steps->leave.load());
  });
  EVENTUALLY(steps->entered.load());
  stopped.stop();
  {
    User<Queue> queue(letters());
    work(queue.primitive);
    stopped.kill();
    put_small(queue.primitive, 9);
    std::vector<Record> records;
    CHECK(queue->get(kItems, &records) == TransferStatus::yes);
    CHECK_EQUAL(records.back().type, 9u);
    CHECK_EQUAL(queue->body().abandonments.load(), 1u);
  }
  sweep();
}

}  // namespace

TEST(a_get_does_not_wait_for_who_was_stopped_in_a_put) {
  beside_a_stopped_process(&core::QueueBody::tail_mutex, [](Queue& queue) {
    std::vector<Record> records;
    CHECK(queue.get(1, &records) == TransferStatus::yes);
    CHECK_EQUAL(records[0].type, 1u);
    // Nothing is left, and who has the tail may be about to put.
    queue.end();
    CHECK(queue.get(1, &records) == TransferStatus::not_yet);
    queue.body().ended.store(0);
  });
}

TEST(a_put_does_not_wait_for_who_was_stopped_in_a_get) {
  beside_a_stopped_process(&core::QueueBody::mutex, [](Queue& queue) {
    put_small(queue, 2);
    CHECK_EQUAL(queue.size(), 2u);
  });
}

TEST(what_a_get_gives_back_does_not_wait_for_a_stopped_process) {
  gives_back_beside_a_stopped_process(false);
}

TEST(what_a_get_gives_back_is_there_when_the_stopped_process_dies) {
  gives_back_beside_a_stopped_process(true);
}

}  // namespace holdfast::test
