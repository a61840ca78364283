#include "core/agents/told_waits.h"

namespace holdfast::core {

ToldWaits::~ToldWaits() {
  if (fd_ >= 0) platform::close_descriptor(fd_);
}

bool ToldWaits::tell(const std::string& text) {
  if (fd_ < 0 && text.empty()) return true;
  if (fd_ < 0 && !agent_.store().open_wait_record(agent_.id(), &fd_).ok()) return false;
  // A version that could not be written must not count: two versions are two texts.
  if (!write_wait_record(fd_, version_ + 1, text)) return false;
  version_++;
  return true;
}

bool ToldWaits::take_back(const std::string& text) {
  return fd_ < 0 || write_wait_record(fd_, version_, text);
}

bool ToldWaits::tell_if_unchanged(const std::vector<WaitRecord>& seen, const std::string& text) {
  return fd_ >= 0 && agent_.store().exchange_wait_record(fd_, version_, text, seen);
}

}  // namespace holdfast::core
