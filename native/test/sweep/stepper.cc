#include "stepper.h"

#include <dlfcn.h>
#include <fcntl.h>
#include <signal.h>
#include <sys/auxv.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <ucontext.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <string>
#include <unordered_map>

namespace holdfast::test::sweeping {

namespace {

// Measured in a virtual machine; on bare metal both are faster.
constexpr uint64_t kStep_us = 16;
constexpr uint64_t kBreakpoint_us = 4;
constexpr size_t kAnchorReach = 2000;

Tape* tape = nullptr;
Plan plan;
volatile uint64_t steps_left = 0;
volatile uint64_t hits_left = 0;
volatile bool over_anchor = false;  // on the one step across the instruction under the breakpoint
unsigned char covered = 0;          // the byte that the breakpoint stands on
int* errno_place = nullptr;         // errno is a call, and the breakpoint may stand in it

// Async-signal-safe throughout: the process may be anywhere, inside the allocator too.

// Links of /proc/self/fd that are sem_open's temporary file: "/dev/shm/sem." and six characters.
void note_temporary() {
  const int directory = open("/proc/self/fd", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
  if (directory < 0) return;
  alignas(8) char entries[2048];
  const long got = syscall(SYS_getdents64, directory, entries, sizeof entries);
  for (long at = 0; at < got;) {
    // struct linux_dirent64: the record's length at 16, the name at 19.
    uint16_t length;
    memcpy(&length, entries + at + 16, sizeof length);
    char target[64];
    const ssize_t size = readlinkat(directory, entries + at + 19, target, sizeof target - 1);
    at += length;
    constexpr char kPrefix[] = "/dev/shm/sem.";
    constexpr ssize_t kPrefixLength = sizeof kPrefix - 1;
    if (size != kPrefixLength + 6 || memcmp(target, kPrefix, kPrefixLength) != 0) continue;
    memcpy(tape->temporary, target, static_cast<size_t>(size));
    tape->temporary[size] = '\0';
  }
  close(directory);
}

void arrive() {
  if (plan.mode == Mode::kill) {
    note_temporary();
    kill(getpid(), SIGKILL);
  } else if (plan.mode == Mode::stop) {
    kill(getpid(), SIGSTOP);
  }
}

#if defined(__x86_64__)

constexpr uint64_t kTrapFlag = 0x100;
constexpr unsigned char kBreakpoint = 0xCC;

volatile unsigned char* anchor_byte() {
  return reinterpret_cast<volatile unsigned char*>(plan.anchor);
}

void step_on(ucontext_t* context, bool on) {
  auto& flags = reinterpret_cast<uint64_t&>(context->uc_mcontext.gregs[REG_EFL]);
  flags = on ? flags | kTrapFlag : flags & ~kTrapFlag;
}

// True when the position has been reached.
bool at_breakpoint(ucontext_t* context) {
  context->uc_mcontext.gregs[REG_RIP] = static_cast<greg_t>(plan.anchor);
  *anchor_byte() = covered;
  hits_left = hits_left - 1;
  over_anchor = hits_left != 0;
  step_on(context, hits_left != 0 || steps_left != 0);
  return hits_left == 0 && steps_left == 0;
}

// The kernel's own pages in every process: they are not to be written.
bool is_kernels(uintptr_t address) {
  static const uintptr_t vdso = getauxval(AT_SYSINFO_EHDR);
  return address >= vdso && address < vdso + uintptr_t{4} * 4096;
}

bool after_step(ucontext_t* context, uintptr_t address) {
  if (over_anchor) {
    if (address == plan.anchor) return false;  // it repeats itself
    over_anchor = false;
    *anchor_byte() = kBreakpoint;
    step_on(context, false);
    return false;
  }
  // A clock is read there. If the kernel sets it just then, the reading begins anew, and takes more
  // instructions than in another run. They write nothing that others see, so they do not count.
  if (is_kernels(address)) return false;
  if (plan.mode == Mode::record) {
    const uint64_t length = tape->length;
    if (length < kTraceMax) tape->trace[length] = address;
    tape->overflowed = length >= kTraceMax;
    tape->length = std::min<uint64_t>(length + 1, kTraceMax);
    return false;
  }
  steps_left = steps_left - 1;
  step_on(context, steps_left != 0);
  return steps_left == 0;
}

void on_trap(int, siginfo_t*, void* opaque) {
  const int saved = *errno_place;
  ucontext_t* context = static_cast<ucontext_t*>(opaque);
  const uintptr_t address = static_cast<uintptr_t>(context->uc_mcontext.gregs[REG_RIP]);
  const bool breakpoint = plan.anchor != 0 && hits_left != 0 && !over_anchor;
  if (breakpoint ? at_breakpoint(context) : after_step(context, address)) {
    tape->stopped_at = static_cast<uint64_t>(context->uc_mcontext.gregs[REG_RIP]);
    arrive();
  }
  *errno_place = saved;
}

void catch_traps() {
  errno_place = &errno;
  static char stack[64 * 1024];  // the operation's own stack is not to be touched
  const stack_t alternate{stack, 0, sizeof stack};
  struct sigaction action;
  memset(&action, 0, sizeof action);
  action.sa_sigaction = on_trap;
  action.sa_flags = SA_SIGINFO | SA_ONSTACK;
  if (sigaltstack(&alternate, nullptr) != 0 || sigaction(SIGTRAP, &action, nullptr) != 0) abort();
}

void set_breakpoint() {
  const uintptr_t page = static_cast<uintptr_t>(sysconf(_SC_PAGESIZE));
  // Copy-on-write: only this process has it.
  if (mprotect(reinterpret_cast<void*>(plan.anchor & ~(page - 1)), page,
               PROT_READ | PROT_WRITE | PROT_EXEC) != 0) {
    abort();
  }
  covered = *anchor_byte();
  *anchor_byte() = kBreakpoint;
}

void clear_breakpoint() {
  if (plan.anchor != 0 && plan.steps) *anchor_byte() = covered;
}

void trap_from_here() { __asm__ volatile("pushfq; orq $0x100, (%%rsp); popfq" ::: "memory", "cc"); }
void trap_no_more() { __asm__ volatile("pushfq; andq $~0x100, (%%rsp); popfq" ::: "memory", "cc"); }

#else

void catch_traps() {}
void set_breakpoint() {}
void clear_breakpoint() {}
void trap_from_here() {}
void trap_no_more() {}

#endif

// The allocator's lists of small blocks are filled, so that every allocation of the operation goes
// the same short way, whatever this process did before. Otherwise hardly a run goes as the recorded
// one.
void level_allocator() {
  constexpr size_t kSizes = 64, kBlocks = 7;  // glibc: bins of a thread, and blocks in each
  static void* blocks[kSizes][kBlocks];
  for (size_t size = 0; size < kSizes; size++) {
    for (void*& block : blocks[size]) block = malloc(24 + 16 * size);
  }
  for (auto& list : blocks) {
    for (void* block : list) free(block);
  }
}

}  // namespace

bool can_step() {
#if defined(__x86_64__)
  return true;
#else
  return false;
#endif
}

Route::Route(const Tape& tape)
    : trace_(tape.trace, tape.trace + tape.length), visits_(tape.length) {
  std::unordered_map<uint64_t, uint32_t> seen;
  for (size_t i = 0; i < trace_.size(); i++) {
    // A breakpoint is met once by an instruction that repeats itself.
    visits_[i] = is_repetition(i) ? seen[trace_[i]] : ++seen[trace_[i]];
  }
}

Plan Route::plan(Mode mode, size_t position) const {
  Plan best;
  best.mode = mode;
  best.steps = true;
  best.steps_after = position + 1;
  best.cost_us = best.steps_after * kStep_us;
  for (size_t back = 0; back <= std::min(position, kAnchorReach); back++) {
    const size_t anchor = position - back;
    if (is_repetition(anchor)) continue;
    const uint64_t cost_us = visits_[anchor] * (kBreakpoint_us + kStep_us) + back * kStep_us;
    if (cost_us >= best.cost_us) continue;
    best.cost_us = cost_us;
    best.anchor = trace_[anchor];
    best.anchor_hits = visits_[anchor];
    best.steps_after = back;
  }
  return best;
}

void begin_operation(const Plan& wanted, Tape* shared) {
  plan = wanted;
  tape = shared;
  tape->reached_end = false;
  tape->stopped_at = 0;
  tape->temporary[0] = '\0';
  if (plan.mode == Mode::record) tape->length = 0;
  if (plan.mode != Mode::record && !plan.steps) return;
  level_allocator();
  catch_traps();
  steps_left = plan.mode == Mode::record ? 0 : plan.steps_after;
  hits_left = plan.anchor_hits;
  if (plan.anchor != 0) {
    set_breakpoint();
  } else {
    trap_from_here();
  }
}

void end_operation() {
  trap_no_more();
  tape->reached_end = true;
  clear_breakpoint();  // a run may take another way than the recorded one and never come there
  if (plan.mode == Mode::kill || plan.mode == Mode::stop) arrive();
}

std::string place_of(uintptr_t address) {
  Dl_info info;
  char text[128];
  if (dladdr(reinterpret_cast<void*>(address), &info) == 0) return "?";
  const char* file = strrchr(info.dli_fname, '/');
  snprintf(
      text, sizeof text, "%s+0x%lx in %s+0x%lx", info.dli_sname ? info.dli_sname : "?",
      static_cast<unsigned long>(
          address - reinterpret_cast<uintptr_t>(info.dli_saddr ? info.dli_saddr : info.dli_fbase)),
      file != nullptr ? file + 1 : info.dli_fname,
      static_cast<unsigned long>(address - reinterpret_cast<uintptr_t>(info.dli_fbase)));
  return text;
}

}  // namespace holdfast::test::sweeping
