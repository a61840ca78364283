// Telling others of long waits: after a death nobody hears anything of the dead, and an agent that
// stands still while it writes tells all or nothing.
#include "core/agents/told_waits.h"
#include "store_scene.h"

namespace holdfast::test::sweeping {

namespace {

using core::ToldWaits;
using core::WaitRecord;

struct ToldScene : StoreScene {
  static constexpr const char* kBefore = "the waits before";
  static constexpr const char* kAfter = "the waits after it, which take more bytes";
  std::optional<ToldWaits> waits;  // the victim's
  std::optional<ToldWaits> of_witness;

  void get_ready() override {
    enter();
    waits.emplace(party->agent());
  }
  void finish() override {
    waits.reset();
    party.reset();
  }
  void set_up() override {
    of_witness.emplace(party->agent());
    CHECK(of_witness->tell("the witness's waits"));
  }
  std::string heard_of_victim() {
    for (const WaitRecord& record : of_witness->hear()) {
      if (record.agent == facts->victim) return record.text;
    }
    return "";
  }
  void meanwhile() override {
    const std::string heard = heard_of_victim();
    CHECK(heard.empty() || heard == kBefore || heard == kAfter);
    static_cast<void>(of_witness->tell("the witness's waits"));
  }
  void afterwards() override { CHECK_EQUAL(heard_of_victim(), kAfter); }
  Progress check() override {
    CHECK(heard_of_victim().empty());
    CHECK(of_witness->tell(""));
    of_witness.reset();
    // The file of a killed agent goes with the sweep of the next who enters.
    if (!facts->died) return Progress::unknown;
    party.reset();
    party.emplace();
    for (const std::string& name : names_in(here().directory)) {
      CHECK(name.rfind(core::kWaitRecordPrefix, 0) != 0);
    }
    return Progress::unknown;
  }
};

struct TellFirst : ToldScene {
  void operate() override { CHECK(waits->tell(kAfter)); }
};
OPERATION("ToldWaits", "tell, first", TellFirst);

struct TellAgain : ToldScene {
  void get_ready() override {
    ToldScene::get_ready();
    CHECK(waits->tell(kBefore));
  }
  void operate() override { CHECK(waits->tell(kAfter)); }
};
OPERATION("ToldWaits", "tell, again", TellAgain);

struct TakeBack : TellAgain {
  void operate() override { CHECK(waits->take_back(kAfter)); }
};
OPERATION("ToldWaits", "take back", TakeBack);

struct TellIfUnchanged : TellAgain {
  bool told = false;
  void operate() override {
    // Refused if the witness has the directory locked, or told something new meanwhile.
    told = waits->tell_if_unchanged(waits_of_others(), kAfter);
  }
  std::vector<WaitRecord> waits_of_others() {
    std::vector<WaitRecord> others;
    for (WaitRecord& record : waits->hear()) {
      if (record.agent != party->agent().id()) others.push_back(std::move(record));
    }
    return others;
  }
  void afterwards() override {
    const std::string heard = heard_of_victim();
    CHECK(heard == kBefore || heard == kAfter);
  }
};
OPERATION("ToldWaits", "tell if unchanged", TellIfUnchanged);

// An agent that has told something ends.
struct EndAfterTelling : TellAgain {
  void operate() override { finish(); }
  void afterwards() override { CHECK(heard_of_victim().empty()); }
};
OPERATION("ToldWaits", "end of the agent", EndAfterTelling);

}  // namespace

}  // namespace holdfast::test::sweeping
