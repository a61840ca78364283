#include "core/waiting/giving_way.h"

#include <algorithm>

#include "core/agreed.h"
#include "core/kill_point.h"
#include "core/waiting/patience.h"

namespace holdfast::core {

namespace {

constexpr uint64_t kShareOfWait = 64;

}  // namespace

bool GivingWay::has_lapsed(bool is_free, uint64_t acquisitions) {
  uint64_t word = set_.overdue.load();
  if (word == 0 || is_overdue(word, agent_.id())) return true;
  const AgentId other = overdue_agent(word, agent_.registry());
  const uint64_t limit_ms = std::min<uint64_t>(kSlice_ms, waited_ms(word) / kShareOfWait);
  const bool may_come = other != 0 && agent_.registry().alive(other);
  if (may_come && (!is_free || !Patience(set_.given_way).exhausted(acquisitions, limit_ms))) {
    return false;
  }
  // By now it may be another agent's: then that one is given way to.
  if (!set_.overdue.compare_exchange_strong(word, 0)) return false;
  KILL_POINT("giving_way.has_lapsed.word");
  return true;
}

void GivingWay::announce(int64_t since_ns) {
  const int64_t waited_ns = platform::monotonic_ns() - since_ns;
  announce_overdue(set_, agent_.registry(), agent_.id(),
                   static_cast<uint64_t>(waited_ns / platform::kNanosPerMilli));
}

void GivingWay::watch() {
  const AgentId other = overdue_agent(set_.overdue.load(), agent_.registry());
  if (other != 0 && other != agent_.id()) agent_.watch(other);
}

}  // namespace holdfast::core
