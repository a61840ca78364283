// A Queue between threads of one process, so that the thread sanitizer sees how the places of the
// ring change hands: no mutex is locked by both those who put and those who get.
#include "core/primitives/queue.h"

#include "in_threads.h"
#include "support.h"

namespace holdfast::test {

namespace {

using core::Queue;
using core::Record;
using core::TransferStatus;

constexpr uint32_t kPairs = 2;

core::OpenRequest stream() {
  core::OpenRequest request = request_for(Kind::queue, "stream");
  request.queue.max_bytes = core::kQueueBytesMin;
  return request;
}

// Of a length that follows from the number. The ring holds about a hundred of them.
std::string bytes_of(uint32_t number) {
  return std::string(400 + number % 300, static_cast<char>(number));
}

void put_some(Queue& queue, uint32_t from, uint32_t count) {
  for (uint32_t number = from; number < from + count; number++) {
    const std::string bytes = bytes_of(number);
    const Record record{number, bytes.data(), static_cast<uint32_t>(bytes.size())};
    size_t put = 0;
    EVENTUALLY(queue.put(&record, 1, &put) == TransferStatus::yes);
  }
}

uint64_t get_some(Queue& queue, uint32_t count) {
  std::vector<Record> records;
  uint64_t sum = 0;
  for (uint32_t got = 0; got < count; got++) {
    EVENTUALLY(queue.get(1, &records) == TransferStatus::yes);
    const Record& record = records[0];
    const std::string bytes = bytes_of(record.type);
    CHECK(std::string(record.bytes, record.length) == bytes);
    sum += record.type;
  }
  return sum;
}

}  // namespace

TEST(each_item_arrives_whole) {
  Party main;
  main.open(stream());
  const uint32_t count = scaled(5000);
  std::atomic<uint64_t> sum{0};
  // Half of them put, and the other half gets.
  in_threads(2 * kPairs, [&](uint32_t number) {
    User<Queue> user(main.shared_store(), stream());
    if (number <= kPairs) {
      put_some(user.primitive, 1 + (number - 1) * count, count);
    } else {
      sum += get_some(user.primitive, count);
    }
  });
  const uint64_t all = uint64_t{kPairs} * count;
  CHECK_EQUAL(sum.load(), all * (all + 1) / 2);
}

}  // namespace holdfast::test
