// What a caller asks for when it opens an object.
#ifndef HOLDFAST_CORE_STORE_OPEN_REQUEST_H
#define HOLDFAST_CORE_STORE_OPEN_REQUEST_H

#include <string>

#include "core/layout.h"

namespace holdfast::core {

// 0 in a field: not asked for. A new queue then takes the default, an existing one stays as it is.
struct QueueLimits {
  uint64_t max_items = 0;
  uint64_t max_bytes = 0;
  uint32_t codec = 0;
};

// "/hf-" with it fits the 30 characters of macOS.
constexpr size_t kSemaphoreKeyLength = 26;

struct OpenRequest {
  Kind kind = Kind::lock;
  std::string name;           // 1..kNameMax bytes of UTF-8, no NUL: checked by the caller
  std::string file_key;       // digest of the name: [0-9a-f]{26}
  std::string semaphore_key;  // see Store::semaphore_key
  bool exclusive = false;
  bool must_exist = false;
  bool persistent = false;
  bool anonymous = false;
  uint32_t initial = 1;
  bool initial_given = false;
  QueueLimits queue;
  uint64_t bytes = 0;  // SharedMemory; 0: as it is
  // Condition: the lock that it goes with. Not given: a new one goes with this, an old one with its
  // own.
  Kind lock_kind = Kind::rlock;
  std::string lock_name;  // as name
  bool lock_given = false;
};

}  // namespace holdfast::core

#endif
