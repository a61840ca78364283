#include "core/locks/section.h"

#include "core/kill_point.h"

namespace holdfast::core {

LockManager::Section::Section(LockManager& manager)
    : manager_(manager), wakes_{manager}, section_(manager.agent_, manager.body_.mutex) {
  if (!section_.entered()) return;
  manager.alive_.clear();
  manager.last_alive_ = 0;
  manager.cells_.set_damaged(!manager.cells_.are_plausible());
  if (manager.cells_.is_damaged()) return;
  if (section_.abandoned() || manager.body_.changing.load() != 0) manager.rebuild();
  manager.body_.changing.store(1);
  KILL_POINT("section.entered.changing");
}

LockManager::Section::~Section() {
  if (entered()) manager_.body_.changing.store(manager_.cells_.is_damaged() ? 1 : 0);
  KILL_POINT("section.left.changing");
}

}  // namespace holdfast::core
