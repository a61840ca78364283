// What all scenes of a LockManager share.
#ifndef HOLDFAST_TEST_SWEEP_LOCK_MANAGER_SCENE_H
#define HOLDFAST_TEST_SWEEP_LOCK_MANAGER_SCENE_H

#include <optional>

#include "core/locks/lock_manager.h"
#include "scene.h"

namespace holdfast::test::sweeping {

using core::LockManager;
using core::LockName;
using core::RequestAnswer;
using core::RequestMode;
using core::RequestStatus;

constexpr RequestMode kShared = {false, false, false};
constexpr RequestMode kSteal = {true, false, true};

inline LockName name_of(const std::string& text) {
  const std::u16string units(text.begin(), text.end());
  return {units.data(), units.size()};
}

struct LockManagerScene : Scene {
  using Peer = User<LockManager>;
  std::optional<Peer> user;
  std::vector<RequestAnswer> mine;  // of the witness: asked for in set_up()

  virtual std::string table() const { return "swept"; }
  // Longer than one cell.
  std::string name = std::string(200, 'n');

  LockManager& object() { return user->primitive; }
  void open() {
    core::OpenRequest request = request_for(Kind::lock_manager, table());
    request.initial = 16;
    user.emplace(request);
  }
  RequestAnswer ask(Peer& peer, const RequestMode& mode = {}) {
    RequestAnswer answer;
    EVENTUALLY((answer = peer->request(name_of(name), mode)).status != RequestStatus::busy);
    return answer;
  }
  static void end(Peer& peer, const RequestAnswer& answer) {
    EVENTUALLY(peer->end(answer.id) != RequestStatus::busy);
  }
  // Waits for a request that is pending, as the addon does.
  static RequestAnswer await(Peer& peer, RequestAnswer answer) {
    if (answer.status != RequestStatus::pending) return answer;
    const auto id = answer.id;
    EVENTUALLY((peer->look(), answer = peer->collect_one(id),
                answer.status != RequestStatus::pending && answer.status != RequestStatus::busy));
    return answer;
  }
  static std::vector<RequestAnswer> news_of(Peer& peer) {
    std::vector<RequestAnswer> news;
    EVENTUALLY(peer->collect(&news));
    return news;
  }

  // ---- the victim
  void get_ready() override {
    open();
    facts->victim = user->id();
  }
  void finish() override { user.reset(); }

  // ---- the witness
  void arrive() override { open(); }
  void leave() override { user.reset(); }
  void meanwhile() override {
    // An agent that stands in the table keeps the others out of it for so long and no longer.
    facts->number =
        static_cast<uint64_t>(object().request(name_of("other"), {true, true, false}).status);
  }

  // Everything has ended: an exclusive request is granted, and says whether news were left.
  virtual Progress judge(bool told) = 0;

  Progress check() override {
    for (const RequestAnswer& answer : mine) end(*user, await(*user, answer));
    mine.clear();
    news_of(*user);
    const RequestAnswer last = await(*user, ask(*user));
    CHECK_EQUAL(last.status, RequestStatus::granted);
    std::vector<core::RequestFacts> all;
    EVENTUALLY(object().query(&all));
    size_t held = 0;
    for (const auto& one : all) held += one.name.bytes == name;
    CHECK_EQUAL(held, 1u);
    end(*user, last);
    for (const auto& one : all) {
      if (one.name.bytes != name) end_other(one);
    }
    const auto& body = object().body();
    CHECK_EQUAL(body.requests, 0u);
    CHECK_EQUAL(body.names, 0u);
    CHECK_EQUAL(body.exclusive_holders, 0u);
    CHECK_EQUAL(body.free_count, body.used.load());  // INV-21: none is lost
    CHECK_EQUAL(body.holder.load(), 0u);
    return judge(last.abandoned);
  }
  // What meanwhile() had granted; the witness holds it still.
  void end_other(const core::RequestFacts&) {
    const RequestAnswer stolen = steal_other();
    end(*user, stolen);
    news_of(*user);
  }
  RequestAnswer steal_other() {
    RequestAnswer answer;
    EVENTUALLY((answer = object().request(name_of("other"), kSteal)).status != RequestStatus::busy);
    return answer;
  }
  Progress by_news(bool told) const {
    if (facts->died && facts->holds) CHECK(told);
    return told ? Progress::done : Progress::unknown;
  }
};

// Nobody dies holding the lock exclusively, so no news are left.
struct SceneWithoutNews : LockManagerScene {
  Progress judge(bool told) override {
    CHECK(!told);
    return Progress::unknown;
  }
};

}  // namespace holdfast::test::sweeping

#endif
