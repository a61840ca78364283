// LockManager: an agent dies in any step. Each name can be had by the next in line and by nobody
// else, news of a dead holder reach the next one, and no cell of the table is lost.
#include <signal.h>

#include "lock_manager_scene.h"

namespace holdfast::test::sweeping {

namespace {

// ---------------------------------------------------------------- asking

struct Ask : LockManagerScene {
  RequestAnswer answer;
  void operate() override {
    answer = object().request(name_of(name), {});
    facts->holds = answer.status == RequestStatus::granted;
  }
  void finish() override {
    end(*user, answer);
    user.reset();
  }
  Progress judge(bool told) override { return by_news(told); }
};
OPERATION("LockManager", "request, free", Ask);

// The first of its table, which gets storage for it. Nobody else has it open.
struct AskFirst : Ask {
  std::string table() const override { return "swept first"; }
  void arrive() override {}
  void meanwhile() override {}
  Progress check() override {
    open();
    const Progress progress = Ask::check();
    user.reset();
    return progress;
  }
};
OPERATION("LockManager", "request, the first of a table", AskFirst);

// The name is one more than there are buckets. So it gets a bucket, which takes half of the others.
// Each play has a new table, because a table keeps its buckets.
struct AskWithNewBucket : AskFirst {
  std::string table() const override { return "swept buckets"; }
  std::vector<RequestAnswer> others;
  void get_ready() override {
    Ask::get_ready();
    for (int i = 0, found = 0; found < 8; i++) {
      const LockName other = name_of(std::to_string(i));
      if ((other.hash & 15) != (found < 4 ? 0 : 8)) continue;
      found++;
      RequestAnswer held;
      EVENTUALLY((held = object().request(other, kShared)).status != RequestStatus::busy);
      others.push_back(held);
    }
  }
  void finish() override {
    for (const RequestAnswer& one : others) end(*user, one);
    Ask::finish();
  }
};
OPERATION("LockManager", "request, with a new bucket", AskWithNewBucket);

struct AskInVain : SceneWithoutNews {
  RequestAnswer answer;
  void set_up() override { mine.push_back(ask(*user)); }
  void operate() override {
    answer = object().request(name_of(name), kShared);
    CHECK_EQUAL(answer.status, RequestStatus::pending);
  }
  void finish() override {
    end(*user, answer);
    user.reset();
  }
};
OPERATION("LockManager", "request, taken", AskInVain);

struct Steal : SceneWithoutNews {
  RequestAnswer answer;
  virtual RequestMode of_holder() const { return {}; }
  void set_up() override {
    mine.push_back(ask(*user, of_holder()));
    mine.push_back(ask(*user));
  }
  void operate() override {
    answer = object().request(name_of(name), kSteal);
    facts->holds = answer.status == RequestStatus::granted;
  }
  void finish() override {
    end(*user, answer);
    user.reset();
  }
  Progress check() override {
    // The one that held is told of the theft, or holds still.
    const std::vector<RequestAnswer> news = news_of(*user);
    const bool stolen = !news.empty() && news[0].status == RequestStatus::stolen;
    if (!facts->died) CHECK(stolen);
    if (facts->holds) CHECK(stolen);
    // The first grant after a dead thief is told, and that is the one that waits.
    RequestAnswer second = mine[1];
    for (const RequestAnswer& one : news) {
      if (one.id.ticket == second.id.ticket) second = one;
    }
    if (!stolen) end(*user, mine[0]);
    second = await(*user, second);
    CHECK_EQUAL(second.abandoned, stolen && facts->died);
    end(*user, second);
    mine.clear();
    LockManagerScene::check();
    return stolen ? Progress::done : Progress::not_done;
  }
};
OPERATION("LockManager", "steal", Steal);

struct StealShared : Steal {
  RequestMode of_holder() const override { return kShared; }
};
OPERATION("LockManager", "steal from a shared holder", StealShared);

// ---------------------------------------------------------------- ending

struct End : LockManagerScene {
  RequestAnswer answer;
  virtual bool has_waiters() const { return false; }
  void get_ready() override {
    LockManagerScene::get_ready();
    answer = ask(*user);
    CHECK_EQUAL(answer.status, RequestStatus::granted);
  }
  void operate() override { CHECK_EQUAL(object().end(answer.id), RequestStatus::granted); }
  Progress judge(bool told) override {
    if (!facts->died) CHECK(!told);
    return told ? Progress::not_done : Progress::done;
  }
};
OPERATION("LockManager", "end", End);

// The witness asks before the victim ends: so it gets the lock from it.
struct EndWithWaiters : LockManagerScene {
  RequestAnswer answer;
  void operate() override {
    answer = ask(*user);
    facts->holds = answer.status == RequestStatus::granted;
    if (!facts->holds) return;
    const RequestAnswer reader = ask(*user, kShared), writer = ask(*user);
    CHECK_EQUAL(object().end(answer.id), RequestStatus::granted);
    CHECK_EQUAL(object().end(writer.id), RequestStatus::pending);
    const auto news = news_of(*user);
    CHECK(news.size() == 1 && news[0].id.ticket == reader.id.ticket);
    CHECK_EQUAL(object().end(reader.id), RequestStatus::granted);
  }
  Progress judge(bool) override { return Progress::unknown; }
};
OPERATION("LockManager", "end, with others in line", EndWithWaiters);

struct EndOfPending : SceneWithoutNews {
  RequestAnswer answer;
  void set_up() override { mine.push_back(ask(*user, kShared)); }
  void get_ready() override {
    LockManagerScene::get_ready();
    answer = ask(*user);
    CHECK_EQUAL(answer.status, RequestStatus::pending);
  }
  void operate() override { CHECK_EQUAL(object().end(answer.id), RequestStatus::pending); }
};
OPERATION("LockManager", "end of one that waits", EndOfPending);

// Was stolen, and ends without having been told.
struct EndOfStolen : SceneWithoutNews {
  RequestAnswer answer;
  void get_ready() override {
    LockManagerScene::get_ready();
    answer = ask(*user);
    end(*user, ask(*user, kSteal));
  }
  void operate() override { CHECK_EQUAL(object().end(answer.id), RequestStatus::stolen); }
};
OPERATION("LockManager", "end of a stolen one", EndOfStolen);

struct CollectStolen : EndOfStolen {
  void operate() override {
    std::vector<RequestAnswer> news;
    CHECK(object().collect(&news));
    CHECK(news.size() == 1 && news[0].status == RequestStatus::stolen);
  }
};
OPERATION("LockManager", "collect a theft", CollectStolen);

// ---------------------------------------------------------------- after a death

// Somebody died holding the lock, or a share of it, or waiting.
struct AfterDeath : LockManagerScene {
  RequestAnswer answer;
  virtual RequestMode of_casualty() const { return {}; }
  bool has_casualty() const override { return true; }
  void casualty() override {
    core::OpenRequest request = request_for(Kind::lock_manager, table());
    request.initial = 16;
    Peer dying(request);
    ask(dying, of_casualty());
    ask(dying);
    kill(getpid(), SIGKILL);
  }
  void finish() override {
    if (answer.id.cell != 0) end(*user, answer);
    user.reset();
  }
  Progress judge(bool told) override {
    const bool was_exclusive = of_casualty().exclusive;
    if (!was_exclusive && !facts->holds && !facts->died) CHECK(!told);
    return Progress::unknown;
  }
};

struct AskAfterDeath : AfterDeath {
  void operate() override {
    answer = object().request(name_of(name), {});
    facts->holds = answer.status == RequestStatus::granted;
    if (facts->holds) CHECK_EQUAL(answer.abandoned, of_casualty().exclusive);
  }
};
OPERATION("LockManager", "request after a death", AskAfterDeath);

struct AskAfterReader : AskAfterDeath {
  RequestMode of_casualty() const override { return kShared; }
};
OPERATION("LockManager", "request after the death of a shared holder", AskAfterReader);

struct QueryAfterDeath : AfterDeath {
  void operate() override {
    std::vector<core::RequestFacts> all;
    CHECK(object().query(&all));
    for (const auto& one : all) CHECK(one.name.bytes != name);
  }
};
OPERATION("LockManager", "query after a death", QueryAfterDeath);

// The dead one was stolen from, by one that died too.
struct QueryAfterTheft : QueryAfterDeath {
  void casualty() override {
    core::OpenRequest request = request_for(Kind::lock_manager, table());
    request.initial = 16;
    Peer victim(request), thief(victim.party.shared_store(), "unused");
    ask(victim);
    LockManager stealing(thief.party.agent(), victim.object);
    CHECK_EQUAL(stealing.request(name_of(name), kSteal).status, RequestStatus::granted);
    kill(getpid(), SIGKILL);
  }
};
OPERATION("LockManager", "query after the death of one that was stolen from", QueryAfterTheft);

// Somebody has written into a request.
struct QueryDamaged : SceneWithoutNews {
  void set_up() override {
    const RequestAnswer answer = ask(*user);
    const auto shape = core::TableShape::of(user->object.initial());
    auto* cells = reinterpret_cast<core::RequestCell*>(user->object.table() + shape.cells_offset);
    cells[answer.id.cell].state.store(99);
    object().body().changing.store(1);
  }
  void operate() override {
    std::vector<core::RequestFacts> all;
    CHECK(object().query(&all));
    // While this agent stands still, the witness asks for "other".
    for (const auto& one : all) CHECK(one.name.bytes != name);
  }
};
OPERATION("LockManager", "query of a damaged request", QueryDamaged);

struct LookAfterDeath : AfterDeath {
  void get_ready() override {
    AfterDeath::get_ready();
    answer = ask(*user, kShared);
  }
  void operate() override {
    object().look();
    object().wait(answer.id, now_ns() + platform::kNanosPerMilli);
    const RequestAnswer told = object().collect_one(answer.id);
    if (told.status == RequestStatus::granted) CHECK(told.abandoned);
  }
};
OPERATION("LockManager", "look after a death", LookAfterDeath);

}  // namespace

}  // namespace holdfast::test::sweeping
