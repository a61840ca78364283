// SharedMemory: bytes, and nothing else. What they mean, and in which order they are written, is
// their users' business.
#ifndef HOLDFAST_CORE_PRIMITIVES_SHARED_MEMORY_H
#define HOLDFAST_CORE_PRIMITIVES_SHARED_MEMORY_H

#include "core/agents/agent.h"

namespace holdfast::core {

class SharedMemory {
 public:
  SharedMemory(Agent&, Object& object) : object_(object) {}

  uint64_t size() const { return object_.table_length(); }

  // A mapping of its own, which stays when the object is closed. The caller ends it.
  struct Mapping {
    void* base = nullptr;
    size_t length = 0;
    char* bytes = nullptr;
  };
  platform::OsError map(Mapping* mapping) const {
    const size_t offset = object_.table_offset();
    mapping->length = offset + static_cast<size_t>(size());
    platform::OsError error =
        platform::map_file(object_.descriptor(), mapping->length, &mapping->base);
    mapping->bytes = static_cast<char*>(mapping->base) + offset;
    return error;
  }
  static void unmap(const Mapping& mapping) { platform::unmap_file(mapping.base, mapping.length); }
  // Nobody needs these bytes any more, but some code may still read or write there.
  static void let_go(const Mapping& mapping) {
    platform::let_go_of_file(mapping.base, mapping.length);
  }

 private:
  Object& object_;
};

}  // namespace holdfast::core

#endif
