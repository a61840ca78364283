// JoinableQueue: items with priorities. Every take in these scenes checks INV-29, also those that
// follow a death.
#include "joinable_scene.h"

namespace holdfast::test::sweeping {

namespace {

// The items at the beginning have a priority, those of the witness have none.
struct PriorityScene : JoinableScene {
  uint32_t priority(uint64_t number) const override {
    return number < kVictims || number >= kBig ? 3 : 0;
  }
  void victim_takes() {
    leased = take(&lease);
    facts->holds = leased != 0;
  }
  // Takes so many, from the first on.
  std::vector<Lease> take_all(size_t count) {
    std::vector<Lease> leases(count);
    for (Lease& each : leases) take_surely(&each);
    return leases;
  }
  void give_back(const Lease& taken) {
    CHECK_EQUAL(surely([&] { return mine->retry(taken); }), Code::ok);
  }
};

template <uint32_t kPriority, uint64_t kNumber>
struct PutWith : PriorityScene {
  uint32_t priority(uint64_t number) const override {
    return number == kNumber ? kPriority : PriorityScene::priority(number);
  }
  Numbers puts() const override { return {kNumber}; }
  void operate() override { victims->put = put(kNumber) == TransferStatus::yes; }
};
using PutFirst = PutWith<9, kVictims>;
using PutBehind = PutWith<3, kVictims>;
using PutLarge = PutWith<3, kBig + 100>;
OPERATION("JoinableQueue", "put, the first of its priority", PutFirst);
OPERATION("JoinableQueue", "put, behind others of its priority", PutBehind);
OPERATION("JoinableQueue", "put of a large item with a priority", PutLarge);

// The items have three priorities, and the last one is the first to go.
struct TakeMostUrgent : PriorityScene {
  uint32_t priority(uint64_t number) const override {
    return number <= 3 ? static_cast<uint32_t>(number - 1) : 0;
  }
  void operate() override { victim_takes(); }
};
OPERATION("JoinableQueue", "take the most urgent", TakeMostUrgent);

// Behind the item that is taken there is one that is done, and the list leaves that one out.
struct TakeBeforeDone : PriorityScene {
  Numbers initial() const override { return {1, 2, 3}; }
  Numbers gone_before() const override { return {2}; }
  void set_up() override {
    PriorityScene::set_up();
    const std::vector<Lease> leases = take_all(2);
    work_off(leases[1]);
    give_back(leases[0]);
  }
  void operate() override { victim_takes(); }
};
OPERATION("JoinableQueue", "take, with a done one next in the list", TakeBeforeDone);

struct RetryUrgent : PriorityScene {
  void get_ready() override {
    PriorityScene::get_ready();
    leased = take_surely(&lease);
  }
  void operate() override { facts->holds = queue().retry(lease) != Code::ok; }
};
OPERATION("JoinableQueue", "retry with a priority", RetryUrgent);

// The only one of its priority leaves the ring.
struct DoneUrgent : PriorityScene {
  Numbers initial() const override { return {1}; }
  Numbers gone() const override { return {1}; }
  void get_ready() override {
    PriorityScene::get_ready();
    leased = take_surely(&lease);
  }
  void operate() override {
    facts->holds = queue().done(lease) != Code::ok;
    if (!facts->holds) worked_off(leased);
  }
  void finish() override {
    if (victims->count == 0) facts->holds = true;  // the mutex was taken
    PriorityScene::finish();
  }
};
OPERATION("JoinableQueue", "done, the only one of its priority", DoneUrgent);

// `ready` of the list is at an item that leaves the ring together with the first one.
struct DoneWithNext : DoneUrgent {
  Numbers initial() const override { return {1, 2, 3}; }
  Numbers gone_before() const override { return {2}; }
  void get_ready() override {
    open_own();
    Lease first, second;
    take_surely(&first);
    take_surely(&second);
    CHECK_EQUAL(surely([&] { return queue().retry(first); }), Code::ok);
    leased = take_surely(&lease);
    CHECK_EQUAL(leased, 1u);
    work_off(second);
  }
};
OPERATION("JoinableQueue", "done, with the next one done", DoneWithNext);

// Somebody died in the critical section, with a list half written.
template <int kPoint>
struct RecoverLists : PriorityScene {
  static constexpr const char* kPoints[] = {"queue.enlist.link", "queue.enlist.last_link",
                                            "queue.enlist.last", "queue.put.used"};
  bool has_casualty() const override { return true; }
  void casualty() override {
    own.emplace(request());
    die_at(kPoints[kPoint]);
    put(4);
  }
  void operate() override { victim_takes(); }
};
using RecoverLink = RecoverLists<0>;
using RecoverLastLink = RecoverLists<1>;
using RecoverLast = RecoverLists<2>;
using RecoverUsed = RecoverLists<3>;
OPERATION("JoinableQueue", "take after a death in a list, at its link", RecoverLink);
OPERATION("JoinableQueue", "take after a death in a list, at the last one's", RecoverLastLink);
OPERATION("JoinableQueue", "take after a death in a list, behind it", RecoverLast);
OPERATION("JoinableQueue", "take after a death in a list, before the end", RecoverUsed);

}  // namespace

}  // namespace holdfast::test::sweeping
