// JoinableQueue: leases, and what is told anew after a death in the critical section.
#include <signal.h>

#include "joinable_scene.h"

namespace holdfast::test::sweeping {

namespace {

// ---------------------------------------------------------------- leases

struct Take : JoinableScene {
  void victim_takes() {
    leased = take(&lease);
    facts->holds = leased != 0;
  }
  void operate() override { victim_takes(); }
};
OPERATION("JoinableQueue", "take", Take);

struct WithLease : JoinableScene {
  virtual uint64_t leases() const { return initial()[0]; }
  void get_ready() override {
    JoinableScene::get_ready();
    leased = take_surely(&lease);
    CHECK_EQUAL(leased, leases());
  }
};

struct Done : WithLease {
  Numbers gone() const override { return {1}; }
  void operate() override {
    facts->holds = queue().done(lease) != Code::ok;
    if (!facts->holds) worked_off(leased);
  }
  void finish() override {
    if (victims->count == 0) facts->holds = true;  // the mutex was taken
    WithLease::finish();
  }
};
OPERATION("JoinableQueue", "done", Done);

// The last item: those who join are woken, and one who puts.
struct DoneLast : Done {
  Numbers initial() const override { return {1}; }
  bool waiter_is_woken() const override { return true; }
  void set_up() override {
    Done::set_up();
    waiter.enrol(body().joiners, party->agent());
  }
  void meanwhile() override {}
};
OPERATION("JoinableQueue", "done with the last, and a joiner", DoneLast);

// Behind it there are others done already.
struct DoneBeforeTombstones : Done {
  Numbers gone_before() const override { return {2, 3}; }
  Numbers initial() const override { return {1, 2, 3, 4}; }
  void set_up() override {
    Done::set_up();
    Lease leases[3];
    for (Lease& each : leases) take_surely(&each);
    work_off(leases[1]);
    work_off(leases[2]);
    CHECK_EQUAL(surely([&] { return mine->retry(leases[0]); }), Code::ok);
  }
  // Wherever the victim stands still: one item is to be had, and size() says so.
  void meanwhile() override {
    CHECK_EQUAL(mine->size(), 1u);
    Done::meanwhile();
  }
};
OPERATION("JoinableQueue", "done, before tombstones", DoneBeforeTombstones);

// A tombstone, as it is not the first.
struct DoneBehind : Done {
  Numbers gone() const override { return {2}; }
  uint64_t leases() const override { return gone()[0]; }
  Lease firsts;
  void set_up() override {
    Done::set_up();
    CHECK_EQUAL(take_surely(&firsts), 1u);
  }
  Progress check() override {
    CHECK_EQUAL(surely([&] { return mine->retry(firsts); }), Code::ok);
    return Done::check();
  }
};
OPERATION("JoinableQueue", "done, behind a lease", DoneBehind);

// The run of done records behind a lease grows, and its length is written anew.
struct DoneAfterDone : DoneBehind {
  Numbers initial() const override { return {1, 2, 3, 4, 5}; }
  Numbers gone() const override { return {4}; }
  Numbers gone_before() const override { return {2, 3}; }
  void set_up() override {
    DoneBehind::set_up();
    for (const uint64_t number : gone_before()) {
      Lease taken;
      CHECK_EQUAL(take_surely(&taken), number);
      work_off(taken);
    }
  }
};
OPERATION("JoinableQueue", "done, behind done ones", DoneAfterDone);

struct Retry : WithLease {
  bool waiter_is_woken() const override { return true; }
  void set_up() override {
    WithLease::set_up();
    waiter.enrol(body().queue.getters, party->agent());
  }
  void meanwhile() override {}
  void operate() override { facts->holds = queue().retry(lease) != Code::ok; }
};
OPERATION("JoinableQueue", "retry", Retry);

// All items are leased, and one of the lessees is dead.
struct TakeFromTheDead : Take {
  Lease thirds;
  bool has_casualty() const override { return true; }
  void set_up() override {
    Take::set_up();
    for (const uint64_t number : {1, 2, 3}) CHECK_EQUAL(take_surely(&thirds), number);
    // The first two go back, for the casualty.
    CHECK_EQUAL(mine->leased(), 3u);
    retry_all_but_last();
  }
  void retry_all_but_last() {
    CHECK_EQUAL(surely([&] {
                  return mine->retry({core::offset_of(body().queue.head), 1});
                }),
                Code::ok);
    const uint64_t second = core::offset_of(body().queue.head) + 3 + 1;
    CHECK_EQUAL(surely([&] { return mine->retry({second, 1}); }), Code::ok);
  }
  void casualty() override {
    own.emplace(request());
    take_surely(&lease);
    take_surely(&lease);
    kill(getpid(), SIGKILL);
  }
  Progress check() override {
    CHECK_EQUAL(surely([&] { return mine->retry(thirds); }), Code::ok);
    return Take::check();
  }
};
OPERATION("JoinableQueue", "take what a dead one leased", TakeFromTheDead);

// Counting gives back what the dead had; who dies counting takes nothing along.
struct SizeAfterDeath : TakeFromTheDead {
  void operate() override { queue().size(); }
  void meanwhile() override {}
  Progress check() override {
    EVENTUALLY(mine->size() == 2);
    CHECK_EQUAL(mine->leased(), 1u);
    return TakeFromTheDead::check();
  }
};
OPERATION("JoinableQueue", "size after a taker's death", SizeAfterDeath);

// ---------------------------------------------------------------- recovering

// Somebody died in the critical section, with `done` half said.
struct Recover : Take {
  bool has_casualty() const override { return true; }
  void casualty() override {
    own.emplace(request());
    take_surely(&lease);
    die_at("joinable_queue.settle.owner");
    queue().done(lease);
  }
  Numbers gone_before() const override { return {1}; }
};
OPERATION("JoinableQueue", "take after a death in done", Recover);
struct Abandon : WithLease {
  bool waiter_is_woken() const override { return true; }
  void set_up() override {
    WithLease::set_up();
    waiter.enrol(body().queue.getters, party->agent());
  }
  void meanwhile() override {}
  void operate() override {
    agent().end();
    queue().abandon();
  }
};
OPERATION("JoinableQueue", "end of an agent that leases", Abandon);

}  // namespace

}  // namespace holdfast::test::sweeping
