// Queue: whatever dies or stands still, every item is there exactly once, whole and in order; those
// of the operation that was cut short are all in or all out.
#ifndef HOLDFAST_TEST_SWEEP_QUEUE_SCENE_H
#define HOLDFAST_TEST_SWEEP_QUEUE_SCENE_H

#include <algorithm>
#include <cstring>

#include "ring_scene.h"

namespace holdfast::test::sweeping {

using core::Queue;

// An item is its number and bytes that follow from it.
inline std::string bytes_of(uint64_t number) {
  const size_t length = number < kBig ? 8 + number * 37 % 90 : 4096 + number % kBig * 64;
  std::string bytes(length, '\0');
  memcpy(bytes.data(), &number, sizeof number);
  for (size_t i = sizeof number; i < length; i++) {
    bytes[i] = static_cast<char>(number * 31 + i * 7);
  }
  return bytes;
}

inline uint64_t number_of(const Record& record) {
  uint64_t number = 0;
  CHECK(record.length >= sizeof number);
  memcpy(&number, record.bytes, sizeof number);
  const std::string bytes = bytes_of(number);
  CHECK(record.length == bytes.size() && memcmp(record.bytes, bytes.data(), bytes.size()) == 0);
  CHECK_EQUAL(record.type, static_cast<uint32_t>(number));
  return number;
}

struct QueueScene : RingScene<Queue, Kind::queue> {
  struct Moves {
    std::atomic<bool> put{false};
    std::atomic<uint32_t> got{0};
    std::atomic<uint64_t> numbers[8];
  };
  Shared<Moves> victims;
  std::vector<std::string> prepared_bytes;  // the victim's
  std::vector<Record> prepared, got;

  // ---- what an operation says of itself
  virtual size_t gets() const { return 0; }  // by the victim, from the front

  // ---- moving

  static std::vector<Record> records_of(const Numbers& numbers, std::vector<std::string>* bytes) {
    for (const uint64_t number : numbers) bytes->push_back(bytes_of(number));
    std::vector<Record> records;
    for (size_t i = 0; i < numbers.size(); i++) {
      const std::string& item = (*bytes)[i];
      records.push_back(
          {static_cast<uint32_t>(numbers[i]), item.data(), static_cast<uint32_t>(item.size())});
    }
    return records;
  }
  TransferStatus put_records(const std::vector<Record>& records) {
    size_t put = 0;
    const TransferStatus status = queue().put(records.data(), records.size(), &put);
    CHECK_EQUAL(put, status == TransferStatus::yes ? records.size() : 0);
    return status;
  }
  TransferStatus put(const Numbers& numbers) {
    std::vector<std::string> bytes;
    return put_records(records_of(numbers, &bytes));
  }
  TransferStatus get(size_t count, Numbers* numbers) {
    std::vector<Record> records;
    const TransferStatus status = queue().get(count, &records);
    for (const Record& record : records) numbers->push_back(number_of(record));
    return status;
  }
  void put_surely(const Numbers& numbers) {
    for (const uint64_t number : numbers) EVENTUALLY(put({number}) == TransferStatus::yes);
  }
  Numbers drain() {
    Numbers numbers;
    while (queue().size() != 0) {
      TransferStatus status = TransferStatus::not_yet;
      EVENTUALLY((status = get(4, &numbers)) != TransferStatus::not_yet);
      CHECK(status == TransferStatus::yes);
    }
    return numbers;
  }

  // ---- the victim

  void get_ready() override {
    open_own();
    prepared = records_of(puts(), &prepared_bytes);
  }
  void victim_puts() { victims->put = put_records(prepared) == TransferStatus::yes; }
  void victim_gets() { queue().get(gets(), &got); }
  void finish() override {
    for (size_t i = 0; i < got.size(); i++) victims->numbers[i] = number_of(got[i]);
    victims->got = static_cast<uint32_t>(got.size());
    own.reset();
  }

  // ---- the witness

  void set_up() override {
    open_new();
    victims->put = false;
    victims->got = 0;
    put_surely(initial());
  }
  void meanwhile() override {
    // The mutex may be held: asked for a few times, and then the victim goes on.
    for (int i = 0; i < 4 && !witness_put; i++)
      witness_put = put({kWitnesss}) == TransferStatus::yes;
    for (int i = 0; i < 4 && witness_got.empty(); i++) get(1, &witness_got);
  }

  // What was not got by anybody else, as if the victim had done all or nothing.
  Numbers expected(bool done) const {
    const Numbers first = initial();
    const size_t gone = (done ? gets() : 0) + witness_got.size();
    Numbers numbers(first.begin() + static_cast<long>(std::min(gone, first.size())), first.end());
    if (done) {
      for (const uint64_t number : puts()) numbers.push_back(number);
    }
    return numbers;
  }

  bool is_initial(uint64_t number) const {
    const Numbers first = initial();
    return std::find(first.begin(), first.end(), number) != first.end();
  }
  virtual void check_killed(const Numbers& left, Progress* progress) {
    if (left == expected(true)) {
      *progress = Progress::done;
    } else if (left != expected(false)) {
      std::string text = "is left:";
      for (const uint64_t number : left) text += " " + to_text(number);
      fail(__FILE__, __LINE__, text);
    }
  }

  // Both were at it: everything exactly once, and the oldest went first.
  void check_shared(const Numbers& left) {
    Numbers seen = witness_got, all = initial();
    for (uint32_t i = 0; i < victims->got; i++) seen.push_back(victims->numbers[i]);
    const size_t gone = seen.size();
    seen.insert(seen.end(), left.begin(), left.end());
    if (victims->put) {
      for (const uint64_t number : puts()) all.push_back(number);
    }
    if (witness_put) all.push_back(kWitnesss);
    for (const uint64_t stayed : left) {
      const bool old = is_initial(stayed);
      for (size_t i = 0; i < gone && old; i++) CHECK(!is_initial(seen[i]) || seen[i] < stayed);
    }
    // Those who put at the same time may have been in either order; what was there before them was
    // not.
    for (size_t i = 1; i < left.size(); i++) {
      if (is_initial(left[i])) CHECK(is_initial(left[i - 1]) && left[i - 1] < left[i]);
    }
    std::sort(seen.begin(), seen.end());
    std::sort(all.begin(), all.end());
    CHECK(seen == all);
  }

  Progress check() override {
    Progress progress = Progress::not_done;
    const Numbers left = drain();
    if (facts->died) {
      check_killed(left, &progress);
    } else {
      check_shared(left);
    }
    if (!queue().ended()) {
      put_surely({kAfterwards, kAfterwards + 1});
      CHECK(drain() == Numbers({kAfterwards, kAfterwards + 1}));
    }
    CHECK_EQUAL(core::count_waiting(queue().body().getters, party->registry()), 0u);
    CHECK_EQUAL(core::count_waiting(queue().body().putters, party->registry()), 0u);
    close();
    return puts().empty() && gets() == 0 ? Progress::unknown : progress;
  }
};

struct PutScene : QueueScene {
  Numbers puts() const override { return {kVictims}; }
  void operate() override { victim_puts(); }
};
struct EmptyPutScene : PutScene {
  Numbers initial() const override { return {}; }
};
struct GetScene : QueueScene {
  size_t gets() const override { return 1; }
  void operate() override { victim_gets(); }
};

// The ring's end is within the record.
template <class S>
struct AtTheEnd : S {
  void set_up() override {
    S::set_up();
    this->drain();
    const auto before_end = [&] {
      const uint64_t bytes = core::offset_of(this->mine->body().tail) * core::kUnit;
      return core::kQueueBytesMin - bytes % core::kQueueBytesMin;
    };
    const Numbers filler(1, kBig + 100);  // 10,520 bytes
    while (before_end() > 12'000) {
      this->put_surely(filler);
      this->drain();
    }
    // 24 bytes before the end: the head of a record.
    const std::string rest(before_end() - 24 - 24, 'x');
    const Record record{1, rest.data(), static_cast<uint32_t>(rest.size())};
    size_t put = 0;
    CHECK(this->mine->put(&record, 1, &put) == TransferStatus::yes);
    std::vector<Record> records;
    CHECK(this->mine->get(1, &records) == TransferStatus::yes);
    this->put_surely(this->initial());
  }
};

}  // namespace holdfast::test::sweeping

#endif
