#include "core/registry/census.h"

#include <algorithm>
#include <utility>

namespace holdfast::core {

bool Census::is_outdated(Registry& registry, AgentId self) {
  const uint64_t newest = registry.newest();
  const auto lives = [&](AgentId id) { return registry.alive(id); };
  if (newest == last_.newest && std::all_of(last_.living.begin(), last_.living.end(), lives)) {
    return false;
  }
  next_ = {newest, {}};
  for (const AgentId id : registry.agents()) {
    if (id != self && lives(id)) next_.living.push_back(id);
  }
  return true;
}

void Census::complete() {
  if (is_taken()) last_ = std::exchange(next_, {});
}

}  // namespace holdfast::core
