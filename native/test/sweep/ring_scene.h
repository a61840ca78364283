// What the scenes of Queue and JoinableQueue have in common: the queue as the victim and as the
// witness have it open, and the items, each of which is a number.
#ifndef HOLDFAST_TEST_SWEEP_RING_SCENE_H
#define HOLDFAST_TEST_SWEEP_RING_SCENE_H

#include <optional>

#include "core/primitives/queue.h"
#include "scene.h"

namespace holdfast::test::sweeping {

using core::Record;
using core::TransferStatus;
using Numbers = std::vector<uint64_t>;

// The numbers of those who put begin here. Those above kBig are items of about 4 KiB and more.
inline constexpr uint64_t kVictims = 100, kWitnesss = 200, kAfterwards = 300, kBig = 1000;

template <class Q, Kind kKind>
struct RingScene : Scene {
  struct Own {
    Party party;
    core::Object& object;
    Q queue;
    explicit Own(const core::OpenRequest& request)
        : object(party.open(request)), queue(party.agent(), object) {}
  };
  std::optional<Own> own;      // of the victim and the casualty
  std::optional<Party> party;  // of the witness: it opens a new queue for each play
  core::Object* object = nullptr;
  std::optional<Q> mine;
  Numbers witness_got;
  bool witness_put = false;

  // ---- what an operation says of itself
  virtual Numbers initial() const { return {1, 2, 3}; }
  virtual Numbers puts() const { return {}; }  // by the victim
  virtual core::OpenRequest request() const {
    core::OpenRequest request = request_for(kKind, "swept");
    request.queue.max_bytes = 4 * core::kQueueBytesMin;
    return request;
  }

  Q& queue() { return own ? own->queue : *mine; }
  core::Agent& agent() { return own ? own->party.agent() : party->agent(); }
  core::Object& file() { return own ? own->object : *object; }

  // ---- the victim
  void open_own() {
    own.emplace(request());
    facts->victim = agent().id();
  }

  // ---- the witness
  void arrive() override { party.emplace(); }
  void leave() override { party.reset(); }
  void open_new() {
    object = &party->open(request());
    mine.emplace(party->agent(), *object);
    witness_got.clear();
    witness_put = false;
  }
  void close() {
    mine.reset();
    party->close(*object);
  }
};

}  // namespace holdfast::test::sweeping

#endif
