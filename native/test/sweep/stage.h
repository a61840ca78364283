// Plays a scene: starts its processes, kills or stops the victim where the plan says, and collects
// what the witness finds. One stage has a directory and a witness of its own, for many plays.
#ifndef HOLDFAST_TEST_SWEEP_STAGE_H
#define HOLDFAST_TEST_SWEEP_STAGE_H

#include <memory>
#include <string>

#include "points.h"
#include "scene.h"
#include "stepper.h"

namespace holdfast::test::sweeping {

constexpr size_t kNoPoint = SIZE_MAX;

struct Play {
  Plan plan;
  size_t point = kNoPoint;  // the kill point that is lit, for its nth visit
  uint64_t nth = 0;
  bool counts_visits = false;
  std::string where;  // for messages: what is done to the victim, and at which instruction
};

// What the plays of a stage came to.
struct Outcomes {
  bool passed = false;
  bool strayed = false;    // took another way than the recorded one
  bool temporary = false;  // died inside sem_open(3)
  Progress progress = Progress::unknown;
};

class Stage {
 public:
  explicit Stage(const Operation& operation);
  ~Stage();
  Stage(const Stage&) = delete;
  Stage& operator=(const Stage&) = delete;

  Outcomes play(const Play& play);
  // The witness leaves; true if nothing is left then.
  bool close();

  const Tape& tape() const { return *tape_; }
  uint64_t visits(size_t point) const { return visits_->count[point]; }

 private:
  struct Visits {
    uint64_t count[kPointsMax];
  };
  void start();
  void stop();
  bool start_witness();
  bool tell(char command);
  bool hear(Progress* progress, int timeout_ms);
  bool ask(char command, Progress* progress = nullptr);
  bool run_casualty();
  pid_t start_victim(const Play& play);
  bool watch_killed(pid_t victim, const Play& play);
  bool watch_stopped(pid_t victim);
  bool ended_well(int status);

  const Operation& operation_;
  Shared<Tape> tape_;
  Shared<Visits> visits_;
  std::unique_ptr<Scene> scene_;
  pid_t witness_ = 0;
  int line_ = -1;  // to the witness
};

// ---- what the checks of framework.h need

// Gives this process, and those that it starts, a directory and a prefix for semaphores.
void prepare_world(const std::string& operation, uint64_t seed);
void set_where(const std::string& where);
// Checks that failed since the last call, in any process of this world.
uint32_t take_failures();
void complain(const std::string& what);
std::string clear_world();  // what was left in it
void leave_world();

}  // namespace holdfast::test::sweeping

#endif
