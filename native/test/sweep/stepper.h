// Goes through an operation instruction by instruction, from inside the process that does it.
//
// The processor's trap flag raises SIGTRAP after each instruction, and the handler counts. So
// nobody has to be woken for a step, as a debugger has to be (where debug exceptions are costly, as
// in a virtual machine, that alone would be most of the time), and no right to trace anybody is
// needed.
//
// Stepping to instruction k of every run would make a sweep quadratic. A run therefore goes at full
// speed to an anchor, an instruction before k where a breakpoint stands, and steps only from there.
#ifndef HOLDFAST_TEST_SWEEP_STEPPER_H
#define HOLDFAST_TEST_SWEEP_STEPPER_H

#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

namespace holdfast::test::sweeping {

// Only for x86-64; a sweep by kill points alone works everywhere.
bool can_step();

constexpr size_t kTraceMax = 1'000'000;

// What one run tells its parent. In shared memory.
struct Tape {
  volatile uint64_t length;      // instructions, when recorded
  volatile uint64_t stopped_at;  // address of the instruction that was to come next
  volatile bool reached_end;
  volatile bool overflowed;
  // The C library's own file in the making, if the process dies inside sem_open(3), which leaves
  // it.
  char temporary[64];
  uint64_t trace[kTraceMax];
};

enum class Mode { run, record, kill, stop };

// What a run is to do, and how to get to its position.
struct Plan {
  Mode mode = Mode::run;
  bool steps = false;        // to a position; else kill and stop happen at the end
  uintptr_t anchor = 0;      // 0: step from the beginning
  uint64_t anchor_hits = 0;  // run through the anchor so many times, the last one included
  uint64_t steps_after = 0;  // from the anchor, or the beginning
  uint64_t cost_us = 0;      // about
};

// The trace of an operation, and how to come to each of its instructions.
class Route {
 public:
  explicit Route(const Tape& tape);
  size_t length() const { return trace_.size(); }
  uintptr_t at(size_t position) const { return trace_[position]; }
  Plan plan(Mode mode, size_t position) const;
  // Inside an instruction that repeats itself (rep movs): one position in the eyes of a sweep.
  bool is_repetition(size_t position) const {
    return position > 0 && trace_[position] == trace_[position - 1];
  }
  // How often the instruction at this position has been come by, this time included.
  uint32_t visits(size_t position) const { return visits_[position]; }

 private:
  std::vector<uint64_t> trace_;
  std::vector<uint32_t> visits_;
};

// In the process that is swept: around the operation.
void begin_operation(const Plan& plan, Tape* tape);
void end_operation();

// The function and the library of an instruction, for messages.
std::string place_of(uintptr_t address);

}  // namespace holdfast::test::sweeping

#endif
