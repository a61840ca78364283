// The file format: what another build, another version or another language may rely on.
#include <cstring>

#include "core/primitives/queue_layout.h"
#include "support.h"

namespace holdfast::test {

namespace {

using namespace core;

template <class Value>
Value at(const std::string& bytes, size_t offset) {
  Value value{};
  CHECK(bytes.size() >= offset + sizeof value);
  memcpy(&value, bytes.data() + offset, sizeof value);
  return value;
}

}  // namespace

TEST(header) {
  CHECK_EQUAL(sizeof(Header), 512u);
  CHECK_EQUAL(offsetof(Header, magic), 0u);
  CHECK_EQUAL(offsetof(Header, version), 8u);
  CHECK_EQUAL(offsetof(Header, kind), 12u);
  CHECK_EQUAL(offsetof(Header, signature), 16u);
  CHECK_EQUAL(offsetof(Header, byte_length), 24u);
  CHECK_EQUAL(offsetof(Header, state), 32u);
  CHECK_EQUAL(offsetof(Header, flags), 36u);
  CHECK_EQUAL(offsetof(Header, tag), 40u);
  CHECK_EQUAL(offsetof(Header, created_us), 48u);
  CHECK_EQUAL(offsetof(Header, creator_pid), 56u);
  CHECK_EQUAL(offsetof(Header, initial), 60u);
  CHECK_EQUAL(offsetof(Header, posix_name), 64u);
  CHECK_EQUAL(offsetof(Header, name_length), 96u);
  CHECK_EQUAL(offsetof(Header, name), 100u);
  CHECK(sizeof(Header::posix_name) == 32 && sizeof(Header::name) == kShortNameMax + 1);
  CHECK_EQUAL(offsetof(Header, name_offset), 356u);
  CHECK_EQUAL(offsetof(Header, owners_offset), 360u);
  CHECK_EQUAL(offsetof(Header, owners_stride), 364u);
  CHECK_EQUAL(offsetof(Header, owners_count), 368u);
  CHECK_EQUAL(offsetof(Header, home_device), 376u);
  CHECK_EQUAL(offsetof(Header, home_inode), 384u);
}

TEST(bodies) {
  CHECK_EQUAL(offsetof(WaitSet, wake_bits), 0u);
  CHECK_EQUAL(offsetof(WaitSet, entry) % 8, 0u);
  CHECK_EQUAL(sizeof(WaitSet::entry), size_t{kWaitSetSize} * 8);
  CHECK_EQUAL(sizeof(WaitSet::waiting), size_t{kWaitSetSize} * 4);
  CHECK_EQUAL(kWaitSetSize % 64, 0u);  // one bit an entry, in whole words

  CHECK_EQUAL(offsetof(OwnedBody, owner), 0u);
  CHECK_EQUAL(offsetof(OwnedBody, acquisitions), 8u);
  CHECK_EQUAL(offsetof(OwnedBody, waiters) % 64, 0u);
  CHECK_EQUAL(offsetof(SemaphoreBody, acquisitions), 0u);
  CHECK_EQUAL(offsetof(SemaphoreBody, waiters) % 64, 0u);
  CHECK_EQUAL(kObjectLength, 4096u);
  CHECK(sizeof(Header) + sizeof(OwnedBody) <= kObjectLength);
  CHECK(sizeof(Header) + sizeof(SemaphoreBody) <= kObjectLength);
  CHECK_EQUAL(offsetof(BoundedBody, waiters) % 64, 0u);
  CHECK_EQUAL(offsetof(ReadWriteBody, writer), 0u);
  CHECK_EQUAL(offsetof(ReadWriteBody, writing), 8u);
  CHECK_EQUAL(offsetof(JoinableQueueBody, queue), 0u);
  // scripts/fuzz.mjs knows them.
  CHECK_EQUAL(sizeof(Header) + offsetof(OwnedBody, mutex), 560u);
  CHECK_EQUAL(sizeof(Header) + offsetof(QueueBody, mutex), 704u);
  CHECK_EQUAL(sizeof(Header) + offsetof(BarrierBody, mutex), 576u);
  CHECK_EQUAL(sizeof(Permit), 16u);
  CHECK_EQUAL(sizeof(Waiting), 24u);
}

TEST(registry) {
  CHECK_EQUAL(sizeof(Slot), 64u);
  CHECK_EQUAL(offsetof(Slot, id), 0u);
  CHECK_EQUAL(offsetof(RegistryBody, slots), 64u);
  CHECK_EQUAL(kSlotCount, uint32_t{1} << kSlotBits);
  CHECK_EQUAL(kRegistryLength, 512u + 64 + 64 * size_t{kSlotCount});
}

// Two builds that lay out the mutex differently must not take each other's files for their own.
TEST(signature) {
  const uint64_t signature = layout_signature();
  CHECK_EQUAL(signature >> 56, sizeof(void*));
  CHECK_EQUAL((signature >> 48) & 0xFF, platform::traits::kLibraryId);
  CHECK_EQUAL((signature >> 24) & 0xFF'FFFF, platform::traits::kSemaphoreSize);
  const bool is_of_library = platform::kernel_marks_mutexes();
  CHECK_EQUAL(signature & 0xFF'FFFF, is_of_library ? platform::traits::kMutexSize : 8);
}

TEST(a_file_holds_what_its_header_says) {
  User<Lock> lock("Grüße/über alles");
  const std::string bytes = read_file(file_of("Grüße/über alles"));
  CHECK_EQUAL(bytes.size(), kObjectLength);
  CHECK_EQUAL(bytes.substr(0, 8), "HLDFAST1");
  CHECK_EQUAL(at<uint32_t>(bytes, 8), kFormatVersion);
  CHECK_EQUAL(at<uint32_t>(bytes, 12), static_cast<uint32_t>(Kind::lock));
  CHECK_EQUAL(at<uint64_t>(bytes, 16), layout_signature());
  CHECK_EQUAL(at<uint64_t>(bytes, 24), kObjectLength);
  CHECK_EQUAL(at<uint32_t>(bytes, 32), static_cast<uint32_t>(State::ready));
  CHECK_EQUAL(at<uint32_t>(bytes, 36), 0u);
  const uint64_t tag = at<uint64_t>(bytes, 40);
  CHECK(tag > 0 && tag < uint64_t{1} << 53);  // exact as a JavaScript number
  CHECK_EQUAL(tag, lock.object.tag());
  CHECK_EQUAL(at<uint32_t>(bytes, 56), static_cast<uint32_t>(getpid()));
  CHECK_EQUAL(std::string(bytes.data() + 64), posix_name_of("Grüße/über alles"));
  CHECK(strlen(bytes.data() + 64) < platform::kSemaphoreNameMax);
  const auto name_length = at<uint32_t>(bytes, 96);
  CHECK_EQUAL(bytes.substr(100, name_length), "Grüße/über alles");
  CHECK_EQUAL(at<uint64_t>(bytes, 512), 0u);

  CHECK(bool(lock->try_acquire_or_rescue()));
  CHECK_EQUAL(at<uint64_t>(read_file(file_of("Grüße/über alles")), 512), lock.id());
  CHECK_EQUAL(lock->release(), Code::ok);
}

TEST(names_of_every_length) {
  for (const size_t length : {size_t{1}, kShortNameMax, kShortNameMax + 1, kNameMax}) {
    const std::string name(length, 'n');
    User<RLock> lock(name);
    const Header& header = *lock.object.header();
    const std::string bytes = read_file(file_of(name));
    CHECK_EQUAL(header.name_length, length);
    CHECK_EQUAL(std::string(header.posix_name), "");
    const bool fits = length <= kShortNameMax;
    CHECK_EQUAL(header.name_offset, fits ? 0u : kObjectLength);
    CHECK_EQUAL(bytes.size(), kObjectLength + (fits ? 0 : kLongNameLength));
    CHECK_EQUAL(bytes.substr(fits ? offsetof(Header, name) : kObjectLength, length), name);
    User<RLock> again(name);
    CHECK_EQUAL(again.object.tag(), lock.object.tag());
    CHECK_EQUAL(again.object.name(), name);
  }
}

TEST(what_follows_the_body_is_not_where_a_long_name_is) {
  const std::string name(kNameMax, 'n');
  OpenRequest request = request_for(Kind::bounded_semaphore, name);
  request.initial = 3;
  {
    User<BoundedSemaphore> semaphore(request);
    CHECK_EQUAL(semaphore.object.table_offset(), kObjectLength + kLongNameLength);
    CHECK_EQUAL(semaphore.object.table_length(), 3 * sizeof(Permit));
    const Outcome held = semaphore->try_acquire_or_rescue();
    CHECK(bool(held));
    const std::string bytes = read_file(file_of(name));
    CHECK_EQUAL(bytes.substr(kObjectLength, kNameMax), name);
    const Header& header = *semaphore.object.header();
    CHECK_EQUAL(header.owners_offset, semaphore.object.table_offset());
    CHECK_EQUAL(header.owners_count, 3u);
    CHECK_EQUAL(at<uint64_t>(bytes, header.owners_offset), semaphore.id());
    CHECK_EQUAL(semaphore->release_hold(held.hold), Code::ok);
  }
}

TEST(the_header_tells_where_the_owners_are) {
  User<Lock> lock("lock");
  User<Event> event("event");
  User<ReadWriteLock> both("both");
  CHECK_EQUAL(lock.object.header()->owners_offset, sizeof(Header));
  CHECK_EQUAL(lock.object.header()->owners_count, 1u);
  CHECK_EQUAL(event.object.header()->owners_count, 0u);
  CHECK_EQUAL(both.object.header()->owners_offset,
              sizeof(Header) + offsetof(ReadWriteBody, writing));
  CHECK_EQUAL(both.object.header()->owners_count, 1u);
}

}  // namespace holdfast::test
