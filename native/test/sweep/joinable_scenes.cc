// JoinableQueue: putting, getting, joining, waiting.
#include <signal.h>

#include "joinable_scene.h"

namespace holdfast::test::sweeping {

namespace {

// ---------------------------------------------------------------- put and get

struct Put : JoinableScene {
  Numbers puts() const override { return {kVictims}; }
  void operate() override { victims->put = put(puts()[0]) == TransferStatus::yes; }
};
OPERATION("JoinableQueue", "put", Put);

struct Get : JoinableScene {
  Numbers gone() const override { return {1}; }
  bool is_got() const override { return true; }
  void operate() override { queue().get(gone().size(), &got); }
};
OPERATION("JoinableQueue", "get", Get);

// Each item of a batch goes by itself: those that are gone are the first ones.
struct GetBatch : Get {
  Numbers gone() const override { return {1, 2, 3}; }
  uint64_t still_there = 3;
  Numbers gone_before() const override {
    if (!facts->died || still_there == 0) return {};
    Numbers numbers = gone();
    numbers.resize(3 - still_there);
    return numbers;
  }
  Progress check() override {
    const Ring ring = read_ring();
    still_there = ring.records - ring.done;
    return JoinableScene::check();
  }
};
OPERATION("JoinableQueue", "get of a batch", GetBatch);

// The ring is nearly full at 64 KiB; two of its items are leased, one is done.
struct PutThatGrows : Put {
  Numbers initial() const override {
    Numbers numbers;
    for (uint64_t i = 0; i < 15; i++) numbers.push_back(kBig + i);
    return numbers;
  }
  Numbers puts() const override { return {2 * kBig}; }
  Numbers gone_before() const override { return {kBig + 1}; }
  Lease leases[3];
  // On the second lap: the larger ring has other places for what goes across the old one's end.
  void set_up() override {
    Put::set_up();
    for (int i = 0; i < 9; i++) {
      take_surely(&leases[0]);
      work_off(leases[0]);
    }
    Numbers numbers = initial();
    for (int i = 0; i < 9; i++) put_surely(numbers[static_cast<size_t>(i)]);
    for (int i = 9; i < 15; i++) {
      take_surely(&leases[0]);
      work_off(leases[0]);
    }
    for (size_t i = 9; i < 15; i++) put_surely(numbers[i]);
    for (Lease& each : leases) take_surely(&each);
    work_off(leases[1]);
  }
  void meanwhile() override {}
  Progress check() override {
    CHECK_EQUAL(surely([&] { return mine->done(leases[1]); }), Code::not_owner);
    CHECK_EQUAL(surely([&] { return mine->retry(leases[0]); }), Code::ok);
    CHECK_EQUAL(surely([&] { return mine->retry(leases[2]); }), Code::ok);
    return Put::check();
  }
};
OPERATION("JoinableQueue", "put that grows, with leases", PutThatGrows);

struct PutWithWaiter : Put {
  bool waiter_is_woken() const override { return true; }
  void set_up() override {
    Put::set_up();
    waiter.enrol(body().queue.getters, party->agent());
  }
  void meanwhile() override {}
};
OPERATION("JoinableQueue", "put with a waiting getter", PutWithWaiter);
struct RecoverByPut : Put {
  bool has_casualty() const override { return true; }
  void casualty() override {
    own.emplace(request());
    queue().get(1, &got);
    die_at("joinable_queue.get.counts");
    queue().get(1, &got);
  }
  Numbers gone_before() const override { return {1, 2}; }
  Progress check() override {
    // The first one's owner is dead, and will not say that it is done.
    CHECK_EQUAL(body().gotten.load(), 1u);
    CHECK_EQUAL(surely([&] { return mine->task_done(); }), Code::ok);
    return Put::check();
  }
};
OPERATION("JoinableQueue", "put after a death in get", RecoverByPut);

// ---------------------------------------------------------------- joining, waiting, ending

struct TaskDone : JoinableScene {
  Numbers initial() const override { return {1}; }
  Numbers gone_before() const override { return {1}; }
  bool waiter_is_woken() const override { return true; }
  void set_up() override {
    JoinableScene::set_up();
    waiter.enrol(body().joiners, party->agent());
  }
  void get_ready() override {
    JoinableScene::get_ready();
    EVENTUALLY(queue().get(1, &got) == TransferStatus::yes);
    got.clear();
  }
  void operate() override { facts->told = queue().task_done() == Code::ok; }
  void meanwhile() override {}
  void finish() override {
    if (!facts->told) CHECK_EQUAL(surely([&] { return queue().task_done(); }), Code::ok);
    own.reset();
  }
  Progress check() override {
    const bool said = body().gotten == 0;
    CHECK(said || facts->died);
    CHECK_EQUAL(mine->finished(), said);
    if (!said) CHECK_EQUAL(surely([&] { return mine->task_done(); }), Code::ok);
    JoinableScene::check();
    return said ? Progress::done : Progress::not_done;
  }
};
OPERATION("JoinableQueue", "task done", TaskDone);

struct WaitToJoin : JoinableScene {
  void operate() override { CHECK(!queue().wait_to_join(now_ns() + platform::kNanosPerMilli)); }
};
OPERATION("JoinableQueue", "wait to join, timing out", WaitToJoin);

// Everything is leased by somebody who lives.
struct WaitToGet : JoinableScene {
  Numbers initial() const override { return {1}; }
  Lease theirs;
  void set_up() override {
    JoinableScene::set_up();
    take_surely(&theirs);
  }
  void operate() override { queue().wait_to_get(now_ns() + platform::kNanosPerMilli); }
  void meanwhile() override { witness_put = put(kWitnesss) == TransferStatus::yes; }
  Progress check() override {
    CHECK_EQUAL(surely([&] { return mine->retry(theirs); }), Code::ok);
    return JoinableScene::check();
  }
};
OPERATION("JoinableQueue", "wait to get, timing out", WaitToGet);

}  // namespace

}  // namespace holdfast::test::sweeping
