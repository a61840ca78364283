// Queue: large items, whose bytes are copied outside the critical section. What a dead agent was
// writing never was an item; what it was copying out is an item again, in its old place.
#include <signal.h>
#include <sys/mman.h>

#include "queue_scene.h"

namespace holdfast::test::sweeping {

namespace {

// An item's bytes that cannot be read at first. So whoever copies them comes by here in the middle
// of its put.
class Interruption {
 public:
  static Record over(const Record& record, void (*work)()) {
    const size_t room = (size_t{record.length} + 4095) / 4096 * 4096;
    void* bytes = mmap(nullptr, room, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    CHECK(bytes != MAP_FAILED);
    memcpy(bytes, record.bytes, record.length);
    CHECK(mprotect(bytes, room, PROT_NONE) == 0);
    it() = {static_cast<char*>(bytes), room, work};
    struct sigaction action = {};
    action.sa_handler = on_fault;
    CHECK(sigaction(SIGSEGV, &action, nullptr) == 0);
    return {record.type, it().bytes, record.length};
  }

 private:
  struct It {
    char* bytes;
    size_t room;
    void (*work)();
  };
  static It& it() {
    static It one;
    return one;
  }
  static void on_fault(int) {
    if (mprotect(it().bytes, it().room, PROT_READ) != 0) abort();
    it().work();
  }
};

constexpr uint64_t kLarge = kBig + 5;  // 4416 bytes

// ---------------------------------------------------------------- put

struct LargePut : PutScene {
  Numbers puts() const override { return {kLarge}; }
};
OPERATION("Queue", "put of a large item", LargePut);

struct EmptyLargePut : EmptyPutScene {
  Numbers puts() const override { return {kLarge}; }
};
OPERATION("Queue", "put of a large item across the ring's end", AtTheEnd<EmptyLargePut>);

// The witness puts more meanwhile than maxSize leaves room for: the put gives up its place.
struct PutOvertaken : PutScene {
  Numbers puts() const override { return {kLarge}; }
  core::OpenRequest request() const override {
    core::OpenRequest request = QueueScene::request();
    request.queue.max_items = 4;
    return request;
  }
  static QueueScene*& scene() {
    static QueueScene* one = nullptr;
    return one;
  }
  void get_ready() override {
    PutScene::get_ready();
    scene() = this;
    prepared[0] = Interruption::over(prepared[0], [] { scene()->put({kWitnesss}); });
  }
  void meanwhile() override {}
  Progress check() override {
    // Its own second put is in, or nothing is.
    Numbers left = drain(), first = initial();
    if (left != first) {
      first.push_back(kWitnesss);
      CHECK(left == first);
    }
    put_surely({kAfterwards});
    CHECK(drain() == Numbers({kAfterwards}));
    close();
    return Progress::unknown;
  }
};
OPERATION("Queue", "put of a large item, overtaken until it is full", PutOvertaken);

// Somebody died while its large item was being written.
template <class S>
struct BehindDeadWriter : S {
  bool has_casualty() const override { return true; }
  void casualty() override {
    this->own.emplace(this->request());
    std::vector<std::string> bytes;
    std::vector<Record> records = this->records_of({kLarge + 1}, &bytes);
    records[0] = Interruption::over(records[0], [] { kill(getpid(), SIGKILL); });
    this->put_records(records);
  }
  // Behind the reservation of the dead.
  void get_ready() override {
    S::get_ready();
    CHECK_EQUAL(this->own->queue.bytes() != 0, true);
  }
};
OPERATION("Queue", "put behind a dead writer", BehindDeadWriter<EmptyPutScene>);
OPERATION("Queue", "get before a dead writer", BehindDeadWriter<GetScene>);

// The ring is full of it, so its room is needed.
struct PutInTheRoomOfTheDead : BehindDeadWriter<EmptyPutScene> {
  core::OpenRequest request() const override {
    core::OpenRequest request = QueueScene::request();
    request.queue.max_bytes = core::kQueueBytesMin;
    return request;
  }
  Numbers puts() const override { return {kBig + 700}; }  // 48,896 bytes
  void casualty() override {
    own.emplace(request());
    std::vector<std::string> bytes;
    std::vector<Record> records = records_of({kBig + 600}, &bytes);
    records[0] = Interruption::over(records[0], [] { kill(getpid(), SIGKILL); });
    put_records(records);
  }
};
OPERATION("Queue", "put in the room of a dead writer", PutInTheRoomOfTheDead);

// The queue has room for one more, and both put one.
struct PutTheLast : PutScene {
  Numbers puts() const override { return {kLarge}; }
  core::OpenRequest request() const override {
    core::OpenRequest request = QueueScene::request();
    request.queue.max_items = initial().size() + 1;
    return request;
  }
  void meanwhile() override { witness_put = put({kWitnesss}) == TransferStatus::yes; }
  Progress check() override {
    witness_put |= put({kWitnesss}) == TransferStatus::yes;
    const Numbers left = drain();
    CHECK(left.size() <= initial().size() + 1);
    if (facts->died) {
      CHECK_EQUAL(left.size(), initial().size() + 1);
      CHECK(left.back() == (witness_put ? kWitnesss : kLarge));
    }
    close();
    return witness_put ? Progress::not_done : Progress::done;
  }
};
OPERATION("Queue", "put of a large item, the last that there is room for", PutTheLast);

// ---------------------------------------------------------------- get

struct LargeGet : GetScene {
  Numbers initial() const override { return {kLarge, kLarge + 1, kLarge + 2}; }
};
OPERATION("Queue", "get of a large item", LargeGet);
OPERATION("Queue", "get of a large item across the ring's end", AtTheEnd<LargeGet>);

// What was finished is gone, from the first on; the others are items again.
struct GetMixedBatch : GetScene {
  Numbers initial() const override { return {1, 2, kLarge, kLarge + 1, kLarge + 2}; }
  size_t gets() const override { return 5; }
  void check_killed(const Numbers& left, Progress* progress) override {
    const Numbers first = initial();
    for (const size_t gone : {size_t{1}, size_t{2}, size_t{3}, size_t{4}}) {
      if (left == Numbers(first.begin() + static_cast<long>(gone), first.end())) return;
    }
    GetScene::check_killed(left, progress);
  }
};
OPERATION("Queue", "get of a batch with large items", GetMixedBatch);

// Somebody died while it copied the items out.
struct GetAfterDeadReader : LargeGet {
  bool has_casualty() const override { return true; }
  void casualty() override {
    own.emplace(request());
    own->queue.set_outbox([](uint32_t) -> char* {
      kill(getpid(), SIGKILL);
      return nullptr;
    });
    std::vector<Record> records;
    own->queue.get(3, &records);
  }
};
OPERATION("Queue", "get after a dead reader", GetAfterDeadReader);

// Somebody got the first item and could not enter the critical section to say so.
struct GetAfterUncounted : GetScene {
  Numbers all() const { return {1, 2, 3}; }
  Numbers initial() const override { return {2, 3}; }
  void set_up() override {
    GetScene::set_up();
    CHECK(drain() == initial());
    put_surely(all());
    core::QueueBody& words = mine->body();
    const uint64_t place = (core::offset_of(words.head) + 1) * core::kUnit;
    *reinterpret_cast<uint64_t*>(file().table() + place) = core::kGone;
    words.counts = core::items_of(words.head) | uint64_t{1} << 24;
  }
};
OPERATION("Queue", "get after an item that is gone and not counted", GetAfterUncounted);

// Somebody looks what dead agents were copying out. A reader that lives meanwhile ends its get,
// cannot enter the critical section to say so, and leaves: its item is gone.
struct SizeWhileReaderLeaves : QueueScene {
  std::optional<Own> reader;
  std::atomic<uint64_t>& first_owner() {
    const uint64_t place = (core::offset_of(mine->body().head) + 1) * core::kUnit;
    return *reinterpret_cast<std::atomic<uint64_t>*>(file().table() + place);
  }
  void set_up() override {
    QueueScene::set_up();
    reader.emplace(request());
    first_owner() = core::kCopying | reader->party.agent().id();
    mine->body().counts = core::items_of(mine->body().head) | uint64_t{1} << 24;
  }
  void operate() override { queue().size(); }
  void meanwhile() override {
    first_owner() = core::kGone;
    reader.reset();
  }
  Progress check() override {
    if (reader) meanwhile();
    CHECK(drain() == Numbers({2, 3}));
    put_surely({kAfterwards});
    CHECK(drain() == Numbers({kAfterwards}));
    close();
    return Progress::unknown;
  }
};
OPERATION("Queue", "size while a reader leaves with its item", SizeWhileReaderLeaves);

// There is no memory for the bytes of the second large item: as if the get had never begun.
struct GetWithoutMemory : QueueScene {
  char room[8192];
  Numbers initial() const override { return {1, 2, kLarge, kLarge + 1}; }
  void operate() override { queue().get(4, &got); }
  virtual void on_refusal() {}
  void get_ready() override {
    QueueScene::get_ready();
    own->queue.set_outbox([this, wants = 0](uint32_t) mutable -> char* {
      if (wants++ == 0) return room;
      on_refusal();
      return nullptr;
    });
  }
};
OPERATION("Queue", "get of large items without memory", GetWithoutMemory);

// The same while the critical section cannot be entered, because this thread is in it.
struct GetWithoutMemoryShutOut : GetWithoutMemory {
  std::optional<core::CriticalSection> section;
  void on_refusal() override { section.emplace(agent(), queue().body().mutex); }
  void operate() override {
    GetWithoutMemory::operate();
    section.reset();
  }
};
OPERATION("Queue", "get of large items without memory, shut out", GetWithoutMemoryShutOut);

// Somebody gave its item back and could not enter the critical section to say so.
struct GetAfterGivenBack : GetScene {
  void set_up() override {
    GetScene::set_up();
    core::QueueBody& words = mine->body();
    const uint64_t place = (core::offset_of(words.head) + 1) * core::kUnit;
    *reinterpret_cast<uint64_t*>(file().table() + place) = core::kGivenBack;
    words.counts = core::items_of(words.head) | uint64_t{1} << 24;
    words.must_recount = asked();
  }
  virtual bool asked() const { return true; }
};
OPERATION("Queue", "get after an item that was given back", GetAfterGivenBack);

// It was killed before it asked for a recount. Then what is ready goes before its item.
struct SizeAfterGivenBack : GetAfterGivenBack {
  Numbers initial() const override { return {1}; }
  size_t gets() const override { return 0; }
  bool asked() const override { return false; }
  void operate() override { queue().size(); }
};
OPERATION("Queue", "size after an item that was given back", SizeAfterGivenBack);

}  // namespace

}  // namespace holdfast::test::sweeping
