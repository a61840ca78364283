// What the store needs to know about a kind of object. Each primitive supplies its own KindOps;
// core/primitives/kinds.cc lists them all. The store itself knows no kind by name.
#ifndef HOLDFAST_CORE_STORE_KIND_OPS_H
#define HOLDFAST_CORE_STORE_KIND_OPS_H

#include <string>

#include "core/layout.h"
#include "core/status.h"
#include "core/store/object.h"
#include "core/store/open_request.h"

namespace holdfast::core {

// Reads a body that nobody changes, from the mapping if there is one, otherwise from the file.
class BodyReader {
 public:
  BodyReader(int fd, uint32_t initial) : fd_(fd), initial_(initial) {}
  BodyReader(const void* base, uint32_t initial)
      : base_(static_cast<const char*>(base)), initial_(initial) {}

  // `offset` counts from the start of the file. False if the bytes cannot be read.
  bool read(uint64_t offset, void* bytes, size_t length) const;
  // Is there an id in the word at `offset`?
  bool has_owner_at(uint64_t offset) const;
  uint32_t initial() const { return initial_; }

 private:
  const char* base_ = nullptr;
  int fd_ = -1;
  uint32_t initial_;
};

// A function that is nullptr has nothing to do for its kind.
struct KindOps {
  const char* name;                    // as users write it
  const char* article = "a";           // goes before the name in a sentence
  bool has_semaphore = false;          // a named semaphore of the system belongs to each object
  const char* initial = nullptr;       // what Header::initial means to a user
  uint32_t initial_max = UINT32_MAX;   // a header with a larger one is corrupt
  size_t body_length = kObjectLength;  // header and body; what follows them begins here
  // Bytes behind the body that are reserved when the file is made, if there are more.
  uint64_t table_reserved = UINT64_MAX;

  // Bytes behind the body, of a new object.
  uint64_t (*table_length)(const OpenRequest& request) = nullptr;
  // Can an object made with `initial` have `length` bytes behind its body? nullptr: only none.
  bool (*is_plausible)(uint32_t initial, uint64_t length) = nullptr;
  // Writes a new body, which is all zeros. Nobody else can have the object open.
  void (*initialise)(Object& object, const OpenRequest& request) = nullptr;
  // Prepares the body for a new semaphore and returns the value that it begins with. nullptr: 1.
  uint32_t (*prepare_semaphore)(Object& object) = nullptr;
  // Removes from the body what dead users left there. Nobody uses the object. What an unreported
  // death is told by stays.
  void (*forget_users)(Object& object) = nullptr;
  // Did the last holder die holding an object that nobody uses, so that the next must be told?
  bool (*has_unreported_death)(const BodyReader& reader) = nullptr;
  // Is the object what the request asks for? `length` is that of the bytes behind the body.
  Status (*compare)(const OpenRequest& request, const BodyReader& reader,
                    uint64_t length) = nullptr;
};

// table_length and is_plausible of a kind with `kCount` entries behind its body, always.
template <class Entry, uint32_t kCount>
struct FixedTable {
  static constexpr uint64_t kLength = uint64_t{kCount} * sizeof(Entry);
  static uint64_t length(const OpenRequest&) { return kLength; }
  static bool is_plausible(uint32_t, uint64_t length) { return length == kLength; }
};

// The same of a kind with as many entries as Header::initial says: 1 to `kMax`.
template <class Entry, uint32_t kMax>
struct InitialTable {
  static constexpr uint64_t length_of(uint32_t initial) {
    return uint64_t{initial} * sizeof(Entry);
  }
  static uint64_t length(const OpenRequest& request) { return length_of(request.initial); }
  static bool is_plausible(uint32_t initial, uint64_t length) {
    return initial >= 1 && initial <= kMax && length == length_of(initial);
  }
};

// nullptr: there is no such kind.
const KindOps* ops_of(Kind kind);

// Must the next holder of an object that nobody uses be told that the last one died holding it?
// `flags` are those of its header. Nobody can come back for an anonymous object.
bool has_unreported_death(Kind kind, uint32_t flags, const BodyReader& reader);

// The status of an object that was made with another value than the one asked for.
Status made_with_another(const char* what, uint64_t has, uint64_t wanted);

}  // namespace holdfast::core

#endif
