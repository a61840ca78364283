// What the store needs to know about a kind of object. Each primitive supplies its own KindOps;
// core/primitives/kinds.cc lists them all. The store itself knows no kind by name.
#ifndef HOLDFAST_CORE_STORE_KIND_OPS_H
#define HOLDFAST_CORE_STORE_KIND_OPS_H

#include <string>

#include "core/layout.h"
#include "core/status.h"
#include "core/store/object.h"
#include "core/store/observation.h"
#include "core/store/open_request.h"

namespace holdfast::core {

// Reads a body that nobody changes, from the mapping if there is one, otherwise from the file.
class BodyReader {
 public:
  explicit BodyReader(int fd) : fd_(fd) {}
  explicit BodyReader(const void* base) : base_(static_cast<const char*>(base)) {}

  // `offset` counts from the start of the file. False if the bytes cannot be read.
  bool read(uint64_t offset, void* bytes, size_t length) const;

 private:
  const char* base_ = nullptr;
  int fd_ = -1;
};

// The words of Header::owners_offset, owners_stride and owners_count.
struct OwnerWords {
  uint32_t offset = 0;
  uint32_t stride = 0;
  uint32_t count = 0;
};

// The file of an object, for those who look at it without opening it.
struct ObservedFile {
  BodyReader reader;
  Registry& registry;
  uint32_t initial;
  uint32_t table_offset;
};

// A function that is nullptr has nothing to do for its kind.
struct KindOps {
  const char* name;                    // as users write it
  const char* article = "a";           // goes before the name in a sentence
  bool has_semaphore = false;          // a named semaphore of the system belongs to each object
  const char* initial = nullptr;       // what Header::initial means to a user
  uint32_t initial_max = UINT32_MAX;   // a header with a larger one is corrupt
  size_t body_length = kObjectLength;  // header and body
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
  // Removes from the body what dead users left there. Nobody uses the object. The words that tell
  // an unreported death stay.
  void (*forget_users)(Object& object) = nullptr;
  // The words by which the next holder is told that one died. nullptr: there are none.
  OwnerWords (*owner_words)(uint32_t initial, uint32_t table_offset) = nullptr;
  // Says who holds it and who waits for it. Its agents may be changing it meanwhile.
  void (*observe)(const ObservedFile& file, Observation* seen) = nullptr;
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

// nullptr if there is no such kind.
const KindOps* ops_of(Kind kind);

// Where what follows the body begins, in an object with a name of so many bytes.
uint32_t table_offset_of(const KindOps& ops, size_t name_length);
uint32_t name_offset_of(const KindOps& ops, size_t name_length);  // see Header::name_offset
OwnerWords owner_words_of(const KindOps& ops, uint32_t initial, uint32_t table_offset);

// The agent that died holding an object that nobody uses, if the next holder must be told;
// otherwise 0. `flags` are those of its header: nobody can open an anonymous object again.
AgentId unreported_death(uint32_t flags, const OwnerWords& words, const BodyReader& reader);

// The status of an object that was made with another value than the one asked for.
Status made_with_another(const char* what, uint64_t has, uint64_t wanted);

}  // namespace holdfast::core

#endif
