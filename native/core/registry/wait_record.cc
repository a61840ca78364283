#include "core/registry/wait_record.h"

#include <cstring>

#include "core/hash.h"
#include "core/kill_point.h"

namespace holdfast::core {

namespace {

struct Head {
  uint64_t digest;  // of all that follows
  uint64_t version;
  uint64_t length;
};

// It has to find a text that is half old and half new, and no forger.
uint64_t digest_of(uint64_t version, const std::string& text) {
  const uint64_t numbers[] = {version, text.size()};
  const std::string bytes(reinterpret_cast<const char*>(numbers), sizeof numbers);
  return fnv1a(text, fnv1a(bytes));
}

}  // namespace

bool write_wait_record(int fd, uint64_t version, const std::string& text) {
  if (text.size() > kWaitRecordMax) return false;
  const Head head{digest_of(version, text), version, text.size()};
  std::string bytes(sizeof head + text.size(), '\0');
  memcpy(bytes.data(), &head, sizeof head);
  memcpy(bytes.data() + sizeof head, text.data(), text.size());
  const bool is_whole = platform::write_at(fd, 0, bytes.data(), bytes.size());
  KILL_POINT("wait_record.write.bytes");
  return is_whole;
}

bool read_wait_record(int fd, WaitRecord* record) {
  Head head;
  if (!platform::read_at(fd, 0, &head, sizeof head) || head.length > kWaitRecordMax) return false;
  std::string& text = record->text;
  text.assign(head.length, '\0');
  record->version = head.version;
  return platform::read_at(fd, sizeof head, text.data(), text.size()) && !text.empty() &&
         digest_of(head.version, text) == head.digest;
}

}  // namespace holdfast::core
