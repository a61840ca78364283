#include "core/registry/overdue.h"

#include "core/agreed.h"
#include "core/kill_point.h"

namespace holdfast::core {

namespace {

constexpr uint64_t kTimeMask = UINT64_MAX >> kOverdueIdBits;

uint64_t time_of(uint64_t word) { return word >> kOverdueIdBits; }

// Times are those of a round clock.
bool is_earlier(uint64_t one_ms, uint64_t other_ms) {
  return ((one_ms - other_ms) & kTimeMask) > kTimeMask / 2;
}

}  // namespace

uint64_t waited_ms(uint64_t word) { return (platform::monotonic_ms() - time_of(word)) & kTimeMask; }

void announce_overdue(WaitSet& set, Registry& registry, AgentId me, uint64_t waited_ms) {
  if (waited_ms < kOverdue_ms) return;
  const uint64_t since_ms = (platform::monotonic_ms() - waited_ms) & kTimeMask;
  uint64_t word = set.overdue.load();
  while (!is_overdue(word, me)) {
    const AgentId other = overdue_agent(word, registry);
    if (other != 0 && !is_earlier(since_ms, time_of(word)) && registry.alive(other)) return;
    const uint64_t announced = since_ms << kOverdueIdBits | (me & kOverdueIdMask);
    if (set.overdue.compare_exchange_strong(word, announced)) break;
  }
  KILL_POINT("overdue.announce.word");
}

int64_t longest_wait_ms(WaitSet& set, Registry& registry) {
  const uint64_t word = set.overdue.load();
  const AgentId id = overdue_agent(word, registry);
  if (id == 0 || !registry.alive(id)) return -1;
  const uint64_t so_far_ms = waited_ms(word);
  return so_far_ms <= kTimeMask / 2 ? static_cast<int64_t>(so_far_ms) : -1;
}

bool end_overdue(WaitSet& set, AgentId me) {
  uint64_t word = set.overdue.load(std::memory_order_relaxed);
  // Only the agent itself writes its id there, but another may replace or remove it.
  if (!is_overdue(word, me) || !set.overdue.compare_exchange_strong(word, 0)) return false;
  KILL_POINT("overdue.end.word");
  return true;
}

}  // namespace holdfast::core
