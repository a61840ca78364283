// JoinableQueue: after any death, and beside any agent that stands still, no item is lost (INV-14).
// No item is worked off twice, unless the agent that had leased it died. The counters are exact,
// and join() ends.
#ifndef HOLDFAST_TEST_SWEEP_JOINABLE_SCENE_H
#define HOLDFAST_TEST_SWEEP_JOINABLE_SCENE_H

#include <algorithm>
#include <cstring>

#include "core/primitives/joinable_queue.h"
#include "ring_scene.h"

namespace holdfast::test::sweeping {

using core::JoinableQueue;
using core::Lease;

struct JoinableScene : RingScene<JoinableQueue, Kind::joinable_queue> {
  struct Moves {
    std::atomic<bool> put{false};
    std::atomic<uint32_t> count{0};
    std::atomic<uint64_t> numbers[8];  // that the victim has worked off
  };
  Shared<Moves> victims;
  std::vector<Record> got;  // by the victim
  Lease lease;
  uint64_t leased = 0;  // the number of the victim's item
  Waiter waiter;

  // ---- what an operation says of itself
  virtual Numbers gone() const { return {}; }  // once it is done, or before it by others
  virtual Numbers gone_before() const { return {}; }
  virtual bool is_got() const { return false; }  // without a lease: taskDone() is called for it
  virtual uint32_t priority(uint64_t) const { return 0; }  // of the item of that number

  core::JoinableQueueBody& body() { return *file().body<core::JoinableQueueBody>(); }

  // ---- moving

  TransferStatus put(uint64_t number) {
    const std::string bytes(number < kBig ? number % 90 : 4000 + number % kBig, char(number));
    const Record record{static_cast<uint32_t>(number), bytes.data(),
                        static_cast<uint32_t>(bytes.size()), 0, priority(number)};
    size_t count = 0;
    return queue().put(&record, 1, &count);
  }
  void put_surely(uint64_t number) { EVENTUALLY(put(number) == TransferStatus::yes); }
  static uint64_t number_of(const Record& record) {
    const uint64_t number = record.type;
    const size_t length = number < kBig ? number % 90 : 4000 + number % kBig;
    CHECK_EQUAL(record.length, length);
    for (size_t i = 0; i < length; i++) CHECK(record.bytes[i] == char(number));
    return number;
  }
  // 0 if there is nothing, or the mutex is not to be had.
  uint64_t take(Lease* taken) {
    Record record;
    return queue().take(&record, taken) == TransferStatus::yes ? number_of(record) : 0;
  }
  uint64_t take_surely(Lease* taken) {
    uint64_t number = 0;
    EVENTUALLY((number = take(taken)) != 0);
    return number;
  }
  template <class Try>
  static Code surely(Try attempt) {
    Code code = Code::busy;
    EVENTUALLY((code = attempt()) != Code::busy);
    return code;
  }
  void work_off(const Lease& taken) {
    CHECK_EQUAL(surely([&] { return queue().done(taken); }), Code::ok);
  }

  // ---- the victim

  void get_ready() override {
    open_own();
    got.reserve(8);
  }
  void worked_off(uint64_t number) { victims->numbers[victims->count++] = number; }
  void finish() override {
    if (facts->holds) {
      work_off(lease);
      worked_off(leased);
    }
    for (const Record& record : got) {
      worked_off(number_of(record));
      CHECK_EQUAL(surely([&] { return queue().task_done(); }), Code::ok);
    }
    own.reset();
  }

  // ---- the witness

  void set_up() override {
    open_new();
    victims->put = false;
    victims->count = 0;
    for (const uint64_t number : initial()) put_surely(number);
  }
  // The mutex may be held: asked for a few times, and then the victim goes on.
  void meanwhile() override {
    for (int i = 0; i < 4 && !witness_put; i++) witness_put = put(kWitnesss) == TransferStatus::yes;
    Lease taken;
    uint64_t number = 0;
    for (int i = 0; i < 4 && number == 0; i++) number = take(&taken);
    if (number == 0) return;
    work_off(taken);
    witness_got.push_back(number);
  }

  // ---- checking

  // What is in the ring, read by hand.
  struct Ring {
    uint64_t records = 0, done = 0, leased = 0;
    bool first_is_done = false;
  };
  Ring read_ring() {
    const core::QueueBody& words = body().queue;
    const uint64_t capacity = words.capacity, tail = core::offset_of(words.tail);
    const auto word = [&](uint64_t offset) {
      return *reinterpret_cast<uint64_t*>(file().table() +
                                          ((offset * core::kUnit) & (capacity - 1)));
    };
    Ring ring;
    for (uint64_t at = core::offset_of(words.head); at != tail;) {
      const uint64_t length = word(at) & UINT32_MAX, owner = word(at + 1);
      const bool is_item = owner != core::kVoid && word(at + 2) != core::kUnwritten;
      ring.first_is_done |= ring.records == 0 && owner == core::kDone;
      ring.records += is_item;
      ring.done += owner == core::kDone;
      ring.leased += is_item && owner != core::kDone && owner != 0;
      at = (at + 3 + (length + core::kUnit - 1) / core::kUnit) & core::kOffsetMask;
    }
    return ring;
  }
  // How many records in the ring are counted as done.
  uint64_t tombstones() {
    const core::QueueBody& words = body().queue;
    if (words.counts == core::kNoCounts) return 0;
    return (words.counts - core::items_of(words.head)) & core::kQueueItemsMax;
  }
  // After a death in the critical section the next agent in it computes the counters anew.
  void check_counters() {
    const Lease nothing{core::kOffsetMask, 0};  // and yet looked for in the critical section
    CHECK_EQUAL(surely([&] { return mine->done(nothing); }), Code::not_owner);
    const Ring ring = read_ring();
    CHECK_EQUAL(tombstones(), ring.done);
    CHECK_EQUAL(mine->leased(), ring.leased);
    CHECK_EQUAL(body().queue.must_recount.load(), 0u);
    CHECK(!ring.first_is_done);  // it would keep its room from those who put
    CHECK_EQUAL(mine->unfinished(), ring.records - ring.done + body().gotten);
  }
  // Takes until there is nothing left: nobody waits, nobody puts.
  Numbers drain() {
    Numbers numbers;
    Lease taken;
    int refusals = 0;
    while (refusals < 3) {
      const uint64_t number = take(&taken);
      if (number == 0) {
        refusals++;
        continue;
      }
      numbers.push_back(number);
      work_off(taken);
    }
    return numbers;
  }
  static Numbers without(Numbers numbers, const Numbers& others) {
    for (const uint64_t number : others) {
      const auto found = std::find(numbers.begin(), numbers.end(), number);
      if (found != numbers.end()) numbers.erase(found);
    }
    return numbers;
  }
  static Numbers with(Numbers numbers, const Numbers& others) {
    numbers.insert(numbers.end(), others.begin(), others.end());
    return numbers;
  }
  static std::string list(const Numbers& numbers) {
    std::string text;
    for (const uint64_t number : numbers) text += " " + to_text(number);
    return text;
  }

  Progress check_killed(Numbers left) {
    const Numbers before = without(initial(), gone_before());
    Numbers after = with(without(before, gone()), puts());
    std::sort(left.begin(), left.end());
    std::sort(after.begin(), after.end());
    if (left == after && after != before) return Progress::done;
    if (left != before) fail(__FILE__, __LINE__, "is left:" + list(left));
    return Progress::not_done;
  }
  // Each exactly once, by the victim or the witness.
  void check_shared(const Numbers& left) {
    Numbers seen = with(left, witness_got), all = without(initial(), gone_before());
    for (uint32_t i = 0; i < victims->count; i++) seen.push_back(victims->numbers[i]);
    if (victims->put) all = with(all, puts());
    if (witness_put) all.push_back(kWitnesss);
    std::sort(seen.begin(), seen.end());
    std::sort(all.begin(), all.end());
    if (seen != all) fail(__FILE__, __LINE__, "not once each:" + list(seen));
  }
  void check_joined() {
    const uint64_t gotten = body().gotten;
    CHECK(gotten <= (facts->died && is_got() ? gone().size() : 0));
    for (uint64_t i = 0; i < gotten; i++) {
      CHECK(!mine->finished());
      CHECK_EQUAL(surely([&] { return mine->task_done(); }), Code::ok);
    }
    CHECK_EQUAL(surely([&] { return mine->task_done(); }), Code::over_release);
    CHECK(mine->finished());
    CHECK_EQUAL(mine->size(), 0u);
    CHECK_EQUAL(mine->bytes(), 0u);
    CHECK_EQUAL(mine->leased(), 0u);
    CHECK_EQUAL(tombstones(), 0u);
  }

  virtual bool waiter_is_woken() const { return false; }
  Progress check() override {
    if (waiter.is_enrolled()) {
      const bool woken = waiter.was_woken();
      if (!facts->died && waiter_is_woken()) CHECK(woken);  // INV-4
    }
    // In half of the plays nobody has been in the critical section before the first one asks for an
    // item.
    const bool counts_first = check_number++ % 2 == 0;
    if (counts_first) check_counters();
    const Numbers left = drain();
    Progress progress = Progress::unknown;
    if (facts->died) {
      progress = check_killed(left);
    } else {
      check_shared(left);
    }
    check_counters();
    check_joined();
    put_surely(kAfterwards);
    put_surely(kAfterwards + 1);
    CHECK(!mine->finished());
    CHECK(drain() == Numbers({kAfterwards, kAfterwards + 1}));
    CHECK(mine->finished());
    for (core::WaitSet* set : {&body().queue.getters, &body().queue.putters, &body().joiners}) {
      CHECK_EQUAL(core::count_waiting(*set, party->registry()), 0u);
    }
    close();
    return puts().empty() && gone().empty() ? Progress::unknown : progress;
  }
  uint64_t check_number = 0;
};

}  // namespace holdfast::test::sweeping

#endif
