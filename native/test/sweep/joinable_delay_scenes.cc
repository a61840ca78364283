// JoinableQueue: delayed items. In these scenes they are due already, so that whoever looks has
// them.
#include <signal.h>

#include "joinable_scene.h"

namespace holdfast::test::sweeping {

namespace {

constexpr uint64_t kDue_ms = 1;      // long ago
constexpr double kDelay_ms = -1000;  // a delay that has passed

struct DelayScene : JoinableScene {
  TransferStatus put_due(uint64_t number, uint64_t due_ms) {
    const std::string bytes(number % 90, char(number));
    const Record record{static_cast<uint32_t>(number), bytes.data(),
                        static_cast<uint32_t>(bytes.size()), due_ms};
    size_t count = 0;
    return queue().put(&record, 1, &count);
  }
  void victim_takes() {
    leased = take(&lease);
    facts->holds = leased != 0;
  }
};

struct PutDelayed : DelayScene {
  Numbers puts() const override { return {kVictims}; }
  void operate() override { victims->put = put_due(puts()[0], kDue_ms) == TransferStatus::yes; }
};
OPERATION("JoinableQueue", "put with a delay", PutDelayed);

struct RetryLater : DelayScene {
  void get_ready() override {
    DelayScene::get_ready();
    leased = take_surely(&lease);
  }
  void operate() override { facts->holds = queue().retry_later(lease, kDelay_ms) != Code::ok; }
};
OPERATION("JoinableQueue", "retry with a delay", RetryLater);

// All are delayed and due: the first to look makes them ready, and takes one.
struct TakeDue : DelayScene {
  void set_up() override {
    DelayScene::set_up();
    Lease leases[8];
    for (size_t i = 0; i < initial().size(); i++) {
      take_surely(&leases[i]);
    }
    for (size_t i = 0; i < initial().size(); i++) {
      CHECK_EQUAL(surely([&] { return mine->retry_later(leases[i], kDelay_ms); }), Code::ok);
    }
  }
  void operate() override { victim_takes(); }
};
OPERATION("JoinableQueue", "take what is due", TakeDue);

// Somebody died in the critical section, with a delay half written.
template <int kPoint>
struct RecoverDelay : DelayScene {
  bool has_casualty() const override { return true; }
  void casualty() override {
    constexpr const char* kPoints[] = {"queue.note_delayed.next_due", "queue.delay.deliveries",
                                       "queue.delay.owner"};
    own.emplace(request());
    take_surely(&lease);
    die_at(kPoints[kPoint]);
    queue().retry_later(lease, kDelay_ms);
  }
  void operate() override { victim_takes(); }
};
using RecoverNextDue = RecoverDelay<0>;
using RecoverDeliveries = RecoverDelay<1>;
using RecoverOwner = RecoverDelay<2>;
OPERATION("JoinableQueue", "take after a death in a delay, at its time", RecoverNextDue);
OPERATION("JoinableQueue", "take after a death in a delay, before it", RecoverDeliveries);
OPERATION("JoinableQueue", "take after a death in a delay, after it", RecoverOwner);

}  // namespace

}  // namespace holdfast::test::sweeping
