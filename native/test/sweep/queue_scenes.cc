// Queue: putting, getting, waiting, ending. Large items: queue_large_scenes.cc.
#include <signal.h>

#include "queue_scene.h"

namespace holdfast::test::sweeping {

namespace {

// ---------------------------------------------------------------- put and get

using Put = PutScene;
using EmptyPut = EmptyPutScene;
using Get = GetScene;
OPERATION("Queue", "put", Put);

struct PutBatch : Put {
  Numbers puts() const override { return {kVictims, kVictims + 1, kVictims + 2}; }
};
OPERATION("Queue", "put of a batch", PutBatch);

OPERATION("Queue", "get", Get);

struct GetBatch : Get {
  Numbers initial() const override { return {1, 2, 3, 4, 5}; }
  size_t gets() const override { return 3; }
};
OPERATION("Queue", "get of a batch", GetBatch);

// The ring is nearly full at 64 KiB, and 256 KiB are allowed.
struct PutThatGrows : Put {
  Numbers initial() const override {
    Numbers numbers;
    for (uint64_t i = 0; i < 14; i++) numbers.push_back(kBig + i);
    return numbers;
  }
  Numbers puts() const override { return {kBig + 99}; }
  // On the second lap: the larger ring has other places for what goes across the old one's end.
  void set_up() override {
    Put::set_up();
    CHECK(drain() == initial());
    put_surely(initial());
  }
};
OPERATION("Queue", "put that grows the ring", PutThatGrows);

OPERATION("Queue", "put across the ring's end", AtTheEnd<EmptyPut>);
OPERATION("Queue", "get across the ring's end", AtTheEnd<Get>);

// INV-12: somebody died in the critical section, or with the tail, or with both.
template <class S, bool in_section, bool with_tail>
struct AfterDeath : S {
  bool has_casualty() const override { return true; }
  void casualty() override {
    this->own.emplace(this->request());
    core::QueueBody& body = this->queue().body();
    const auto lock = [&](platform::traits::MutexStorage* mutex) {
      CHECK(platform::try_lock_mutex(mutex, this->agent().party()) ==
            platform::MutexResult::locked);
    };
    if (in_section) lock(&body.mutex);
    if (with_tail) lock(&body.tail_mutex);
    kill(getpid(), SIGKILL);
  }
};
using PutAfterDeath = AfterDeath<Put, true, false>;
using PutAfterDeathWithTail = AfterDeath<Put, false, true>;
using PutAfterDeathWithBoth = AfterDeath<PutThatGrows, true, true>;
using GetAfterDeathWithBoth = AfterDeath<Get, true, true>;
OPERATION("Queue", "put after a death inside", PutAfterDeath);
OPERATION("Queue", "put after a death with the tail", PutAfterDeathWithTail);
OPERATION("Queue", "put that grows the ring after a death with both", PutAfterDeathWithBoth);
OPERATION("Queue", "get after a death with both", GetAfterDeathWithBoth);

// The queue ends while a put is under way. Nothing comes after an end that a getter was told of.
struct PutAtTheEnd : EmptyPut {
  bool is_told = false;
  void meanwhile() override {
    queue().end();
    for (int i = 0; i < 4 && !is_told && witness_got.empty(); i++) {
      is_told = get(1, &witness_got) == TransferStatus::ended;
    }
  }
  Progress check() override {
    if (is_told) CHECK(!victims->put && queue().bytes() == 0);
    is_told = false;
    return EmptyPut::check();
  }
};
OPERATION("Queue", "put while the queue ends", PutAtTheEnd);

// ---------------------------------------------------------------- with waiters

// The witness waits to be woken, at one end or the other.
template <class S, bool to_get>
struct WithWaiter : S {
  int index = -1;
  core::WaitSet& set() {
    return to_get ? this->queue().body().getters : this->queue().body().putters;
  }
  void set_up() override {
    S::set_up();
    this->agent().take_wakes();
    index = core::enrol(set(), this->agent().registry(), this->agent().id(), 1,
                        core::WaitHow::at_doorbell);
    CHECK(index >= 0);
  }
  void meanwhile() override {}
  Progress check() override {
    const bool woken = !core::cancel(set(), this->agent().id(), index);
    const size_t wakes = this->agent().take_wakes().size();
    if (!this->facts->died) CHECK(woken && wakes == 1);  // INV-4, INV-5
    return S::check();
  }
};
OPERATION("Queue", "put with a waiting getter", WithWaiter<EmptyPut, true>);

struct GetFromFull : Get {
  core::OpenRequest request() const override {
    core::OpenRequest request = Get::request();
    request.queue.max_items = 3;
    return request;
  }
};
OPERATION("Queue", "get with a waiting putter", WithWaiter<GetFromFull, false>);

// ---------------------------------------------------------------- waiting in vain, ending

struct WaitToGet : QueueScene {
  Numbers initial() const override { return {}; }
  void operate() override { queue().wait_to_get(now_ns() + platform::kNanosPerMilli); }
  void meanwhile() override { witness_put = put({kWitnesss}) == TransferStatus::yes; }
};
OPERATION("Queue", "wait to get, timing out", WaitToGet);

struct WaitToPut : QueueScene {
  core::OpenRequest request() const override {
    core::OpenRequest request = QueueScene::request();
    request.queue.max_items = 3;
    return request;
  }
  void operate() override { queue().wait_to_put(now_ns() + platform::kNanosPerMilli); }
  void meanwhile() override { get(1, &witness_got); }
};
OPERATION("Queue", "wait to put, timing out", WaitToPut);

struct End : QueueScene {
  void operate() override { queue().end(); }
  Progress check() override {
    const bool ended = queue().ended();
    if (!facts->died) CHECK(ended);
    // What is in it is there to be got, whatever was said of the future.
    const TransferStatus status = put({kAfterwards});
    CHECK(status == (ended ? TransferStatus::ended : TransferStatus::yes));
    if (!ended) {
      Numbers left = drain();
      CHECK(!left.empty() && left.back() == kAfterwards);
      left.pop_back();
      CHECK(left == expected(false));
      put_surely(expected(false));
    }
    QueueScene::check();
    return ended ? Progress::done : Progress::not_done;
  }
};
OPERATION("Queue", "end", WithWaiter<End, true>);

}  // namespace

}  // namespace holdfast::test::sweeping
