#include "core/store/store.h"

#include <algorithm>

#include <cerrno>
#include <cstdio>
#include <cstring>
#include <utility>

#include "core/kill_point.h"
#include "core/store/kinds.h"
#include "core/agents/wait_set.h"

namespace holdfast::core {

namespace {

constexpr const char* kRegistryName = "registry";
constexpr const char* kObjectPrefix = "object.";
constexpr uint64_t kQueueBytes = uint64_t{1}
                                 << 26;  // a new queue's maxBytes, if none was asked for
constexpr int64_t kOpenPatience_ns = 10'000 * platform::kNanosPerMilli;
constexpr int64_t kClosePatience_ns = 2'000 * platform::kNanosPerMilli;

bool starts_with(const std::string& text, const char* prefix) {
  return text.compare(0, strlen(prefix), prefix) == 0;
}

bool is_owned_kind(Kind kind) { return kind == Kind::lock || kind == Kind::rlock; }

// Only a semaphore that holdfast can have made is ever opened or taken away for what a file says.
bool is_semaphore_name(const char* name) {
  return strnlen(name, sizeof Header::posix_name) < sizeof Header::posix_name &&
         strncmp(name, "/hf-", 4) == 0 && name[4] != '\0' &&
         name[4 + strspn(name + 4, "0123456789abcdef")] == '\0';
}

bool has_semaphore(Kind kind) { return facts_of(kind).has_semaphore; }

// A ring never reaches further than a power of two, and so that it stays below what was asked for
// it stops at the last one.
uint64_t largest_ring(uint64_t max_bytes) {
  uint64_t ring = kQueueBytesMin;
  while (ring * 2 <= max_bytes) ring *= 2;
  return ring;
}

uint64_t length_of(const OpenRequest& request) {
  if (has_ring(request.kind)) {
    const uint64_t max_bytes = request.queue.max_bytes != 0 ? request.queue.max_bytes : kQueueBytes;
    return body_length(request.kind) + largest_ring(max_bytes);
  }
  if (request.kind == Kind::shared_memory) return body_length(request.kind) + request.bytes;
  return body_length(request.kind) + table_length(request.kind, request.initial);
}

// Of a file that is not mapped: has an agent died in one of the words of its table?
bool has_owner_in_table(int fd, const Header& header) {
  const uint64_t first = body_length(header.kind) + offsetof(Permit, owner);
  for (uint32_t i = 0; i < header.initial; i++) {
    AgentId owner = 0;
    if (!platform::read_at(fd, first + i * sizeof(Permit), &owner, sizeof owner)) return false;
    if (owner != 0) return true;
  }
  return false;
}

Status differ(const char* what, uint64_t has, uint64_t wanted) {
  return Status::of(Code::incompatible, std::string("it was made with ") + what + " " +
                                            std::to_string(has) + ", not " +
                                            std::to_string(wanted));
}

std::string random_hex() {
  unsigned char bytes[13];
  platform::random_bytes(bytes, sizeof bytes);
  char text[2 * sizeof bytes + 1];
  for (size_t i = 0; i < sizeof bytes; i++) snprintf(text + 2 * i, 3, "%02x", bytes[i]);
  return text;
}

}  // namespace

// The directory's lock, and the process's own beside it (all threads share one file description). A
// peer that was stopped inside must not stop us for ever, so it is asked for again and again up to
// a limit; flock(2) has no timed form.
class Store::Locked {
 public:
  Locked(Store& store, int64_t patience_ns)
      : guard_(store.mutex_), fd_(store.directory_fd_), acquired_(lock(fd_, patience_ns)) {}
  ~Locked() {
    // By word, not by close: a child that was forked this instant may share the file description.
    if (acquired_) platform::unlock_file(fd_);
  }
  bool acquired() const { return acquired_; }
  static Status busy() {
    return Status::of(Code::busy, "the directory is locked by another process");
  }

 private:
  static bool lock(int fd, int64_t patience_ns) {
    const int64_t deadline = platform::monotonic_ns() + patience_ns;
    for (int64_t pause_ns = 20'000;; pause_ns = std::min(pause_ns * 2, platform::kNanosPerMilli)) {
      if (!platform::lock_exclusive(fd)) return true;
      if (platform::monotonic_ns() >= deadline) return false;
      platform::sleep_ns(pause_ns);
    }
  }

  std::lock_guard<std::mutex> guard_;
  int fd_;
  bool acquired_;
};

// What stands under a file name. Owns the descriptor until it is taken out of `fd`.
struct Store::Found {
  // half_made: or half removed; then it may be in use.
  enum class What { nothing, half_made, object } what = What::nothing;
  Header header;        // a private copy, of what == object, or of half_made with a semaphore name
  bool in_use = false;  // by anyone, this process included
  int fd = -1;          // if not in use, locked exclusively
  ~Found() {
    if (fd < 0) return;
    // By word: a child between fork and exec may share the file description, and the lock with it.
    platform::unlock_file(fd);
    platform::close_descriptor(fd);
  }

  bool persistent() const { return (header.flags.load() & kPersistent) != 0; }
};

// An object whose users are all dead.
bool Store::is_leftover(const Found& found) {
  return found.what == Found::What::object && !found.in_use && !found.persistent();
}

// Has an object that nobody uses still to tell its next holder that the last one died holding it?
bool Store::has_news(const Found& found) {
  if ((found.header.flags.load() & kAnonymous) != 0) return false;
  const Kind kind = found.header.kind;
  if (kind == Kind::bounded_semaphore) return has_owner_in_table(found.fd, found.header);
  if (!is_owned_kind(kind) && kind != Kind::read_write_lock) return false;
  const uint64_t word =
      kind == Kind::read_write_lock ? offsetof(ReadWriteBody, writing) : offsetof(OwnedBody, owner);
  AgentId owner = 0;
  return platform::read_at(found.fd, sizeof(Header) + word, &owner, sizeof owner) && owner != 0;
}

void Object::remember(Kind kind, uint32_t initial, uint64_t tag, std::string name) {
  kind_ = kind;
  initial_ = initial;
  tag_ = tag;
  name_ = std::move(name);
}

bool Object::has_news() const {
  if ((header()->flags.load() & kAnonymous) != 0) return false;
  switch (kind()) {
    case Kind::lock:
    case Kind::rlock:
      return body<OwnedBody>()->owner.load() != 0;
    case Kind::read_write_lock:
      return body<ReadWriteBody>()->writing.load() != 0;
    case Kind::bounded_semaphore:
      for (uint32_t i = 0; i < initial_; i++) {
        if (entry<Permit>(i).owner.load() != 0) return true;
      }
      return false;
    default:
      return false;
  }
}

void Object::forget_users() {
  switch (kind()) {
    case Kind::rlock:
      // No kernel has marked a mutex in a file that outlived a restart of the machine.
      platform::init_mutex(&body<OwnedBody>()->mutex);
      KILL_POINT("store.forget_users.mutex");
      return reset(body<OwnedBody>()->waiters);
    case Kind::lock:
      return reset(body<OwnedBody>()->waiters);
    case Kind::semaphore:
      return reset(body<SemaphoreBody>()->waiters);
    case Kind::joinable_queue:
      reset(body<JoinableQueueBody>()->joiners);
      // Leases of the dead are found by whoever looks for something to take. Somebody may have died
      // under the guard, which is made anew here and forgets it.
      body<JoinableQueueBody>()->must_recount.store(1);
      KILL_POINT("store.forget_users.must_recount");
      [[fallthrough]];
    case Kind::queue:
      platform::init_mutex(&body<QueueBody>()->guard);
      KILL_POINT("store.forget_users.guard");
      reset(body<QueueBody>()->getters);
      return reset(body<QueueBody>()->putters);
    case Kind::bounded_semaphore:
      return reset(body<BoundedBody>()->waiters);
    case Kind::read_write_lock:
      for (uint32_t i = 0; i < kReadersMax; i++) entry<Permit>(i).owner.store(0);
      KILL_POINT("store.forget_users.readers");
      body<ReadWriteBody>()->turn.store(0);
      KILL_POINT("store.forget_users.turn");
      reset(body<ReadWriteBody>()->readers);
      return reset(body<ReadWriteBody>()->writers);
    case Kind::event:
      return reset(body<EventBody>()->waiters);
    case Kind::condition:
      for (uint32_t i = 0; i < kConditionWaitsMax; i++) entry<Waiting>(i).owner.store(0);
      KILL_POINT("store.forget_users.waiting");
      body<ConditionBody>()->lock_tag.store(0);
      KILL_POINT("store.forget_users.lock_tag");
      return;
    case Kind::barrier: {
      BarrierBody* barrier = body<BarrierBody>();
      platform::init_mutex(&barrier->guard);
      KILL_POINT("store.forget_users.barrier_guard");
      // Those who had arrived are dead, and that is told as if somebody had seen it.
      Round round = Round::of(barrier->state.load());
      if (round.phase != Phase::broken && (round.arrived != 0 || round.phase == Phase::acting)) {
        round.phase = Phase::broken;
        barrier->state.store(round.state());
        KILL_POINT("store.forget_users.round");
      }
      reset(barrier->waiters);
      return reset(barrier->arrivals);
    }
    case Kind::shared_memory:
    case Kind::registry:
      return;
  }
}

// ---------------------------------------------------------------- entering and leaving

Status Store::enter(const std::string& directory, std::shared_ptr<Store>* result) {
  std::shared_ptr<Store> store(new Store());
  store->is_default_ = directory.empty();
  store->directory_ = store->is_default_ ? platform::default_directory() : directory;
  if (store->directory_.empty()) {
    return Status::of(Code::not_found, "this user has no home directory; set HOLDFAST_DIR");
  }
  const char* path = store->directory_.c_str();
  const std::string quoted = "the directory " + store->directory_;
  const int64_t deadline = platform::monotonic_ns() + kOpenPatience_ns;
  for (;;) {
    platform::OsError error;
    switch (platform::open_directory(path, true, &store->directory_fd_, &error)) {
      case platform::DirectoryFault::none:
        break;
      case platform::DirectoryFault::not_a_directory:
        return {Code::permission, error.errnum, error.call,
                quoted + " is a symbolic link or not a directory"};
      case platform::DirectoryFault::foreign_owner:
        return Status::of(Code::permission, quoted + " belongs to another user");
      case platform::DirectoryFault::open_permissions:
        return Status::of(Code::permission,
                          quoted + " can be entered by other users; its mode must be 0700");
      case platform::DirectoryFault::system:
        return Status::from(error, "cannot use " + quoted);
    }
    platform::keep_from_forks(store->directory_fd_);  // its lock must end with us
    {
      Locked locked(*store, kOpenPatience_ns);
      if (!locked.acquired()) {
        platform::close_descriptor(store->directory_fd_);
        store->directory_fd_ = -1;
        return Locked::busy();
      }
      // The last one out may have removed it between our open and our lock.
      if (platform::is_same_directory(path, store->directory_fd_)) {
        Status status = store->open_registry();
        if (status.ok()) *result = std::move(store);
        return status;
      }
    }
    platform::close_descriptor(store->directory_fd_);
    store->directory_fd_ = -1;
    if (platform::monotonic_ns() >= deadline) return Locked::busy();
  }
}

Status Store::open_registry() {
  const std::string where = "the registry in " + directory_;
  Found found;
  if (Status status = inspect_file(kRegistryName, &found); !status.ok()) return status;
  if (found.what == Found::What::object && found.header.kind != Kind::registry) {
    return Status::of(Code::corrupt, where + " is not a registry");
  }
  if (found.what == Found::What::half_made) platform::unlink_file(directory_fd_, kRegistryName);
  KILL_POINT("store.open_registry.unlinked");

  const bool fresh = found.what != Found::What::object;
  platform::OsError error;
  if (fresh && has_objects_in_use()) {
    return Status::of(Code::incompatible,
                      where +
                          " was removed while other processes were using objects there; they would "
                          "count as dead here. Restart them, or use another HOLDFAST_DIR");
  }
  if (fresh) {
    error = platform::create_file(directory_fd_, kRegistryName, &registry_fd_);
    KILL_POINT("store.open_registry.created");
    if (!error) error = platform::reserve_space(registry_fd_, 0, kRegistryLength);
    KILL_POINT("store.open_registry.reserved");
  } else {
    registry_fd_ = std::exchange(found.fd, -1);
  }
  if (!error) error = platform::lock_shared(registry_fd_);
  KILL_POINT("store.open_registry.flock");
  if (!error) error = platform::map_file(registry_fd_, kRegistryLength, &registry_base_);
  if (error) {
    if (fresh) platform::unlink_file(directory_fd_, kRegistryName);
    if (registry_fd_ >= 0) platform::close_descriptor(std::exchange(registry_fd_, -1));
    return Status::from(error, "cannot open " + where);
  }
  Header* header = static_cast<Header*>(registry_base_);
  if (fresh) {
    header->version = kFormatVersion;
    header->kind = Kind::registry;
    header->signature = layout_signature();
    header->byte_length = kRegistryLength;
    KILL_POINT("store.open_registry.header");
    header->created_us = platform::realtime_us();
    header->state.store(State::ready);
    KILL_POINT("store.open_registry.state");
    header->magic.store(kMagic);
    KILL_POINT("store.open_registry.magic");
  }
  registry_.attach(reinterpret_cast<RegistryBody*>(header + 1), directory_, directory_fd_);
  registry_.vacate_dead();
  sweep();
  return Status::success();
}

bool Store::has_objects_in_use() {
  platform::OsError error;
  for (const std::string& file_name : platform::list_directory(directory_fd_, &error)) {
    Found found;
    if (!starts_with(file_name, kObjectPrefix)) continue;
    inspect_file(file_name, &found);
    if (found.in_use) return true;
  }
  return false;
}

Store::~Store() {
  if (registry_base_ != nullptr) {
    Locked locked(*this, kClosePatience_ns);
    // Last one out of the directory, and nothing persistent in it: leave no trace.
    if (locked.acquired() && check_surroundings().ok() && !platform::lock_exclusive(registry_fd_)) {
      platform::OsError error;
      bool empty = true;
      const std::vector<std::string> names = platform::list_directory(directory_fd_, &error);
      for (const std::string& name : names) empty &= !starts_with(name, kObjectPrefix);
      if (empty && !error) {
        for (const std::string& name : names) {
          if (starts_with(name, kBellPrefix)) platform::unlink_file(directory_fd_, name.c_str());
          KILL_POINT("store.leave.bell");
        }
        platform::unlink_file(directory_fd_, kRegistryName);
        KILL_POINT("store.leave.registry");
        if (is_default_) platform::remove_empty_directory(directory_.c_str());
      }
    }
    platform::unmap_file(registry_base_, kRegistryLength);
    platform::unlock_file(registry_fd_);
    platform::close_descriptor(registry_fd_);
    KILL_POINT("store.leave.flock");
  }
  if (directory_fd_ >= 0) platform::close_descriptor(directory_fd_);
}

Status Store::claim_agent(uint32_t thread_id, const std::string& process_name, AgentId* id,
                          int* bell_fd, bool* lone_number) {
  Locked locked(*this, kOpenPatience_ns);
  if (!locked.acquired()) return Locked::busy();
  if (Status status = check_surroundings(); !status.ok()) return status;
  return registry_.claim(thread_id, process_name, id, bell_fd, lone_number);
}

void Store::vacate_agent(AgentId id, int bell_fd) {
  Locked locked(*this, kClosePatience_ns);
  if (locked.acquired()) {
    registry_.vacate(id, bell_fd);
  } else {
    platform::close_descriptor(bell_fd);  // dead all the same; a sweep takes the rest away
  }
}

// ---------------------------------------------------------------- one file

// Looks at a file without changing it. Everything that is not ours, or not whole, is told apart
// here.
Status Store::inspect_file(const std::string& file_name, Found* found) {
  const std::string path = directory_ + "/" + file_name;
  if (platform::OsError error = platform::open_file(directory_fd_, file_name.c_str(), &found->fd)) {
    if (error.errnum == ENOENT) return Status::success();
    if (error.errnum == ELOOP) return Status::of(Code::corrupt, path + " is a symbolic link");
    if (error.errnum == EISDIR || error.errnum == ENXIO) {  // ENXIO: a socket
      return {Code::corrupt, error.errnum, error.call, path + " is not a regular file"};
    }
    return Status::from(error, "cannot open " + path);
  }
  platform::FileFacts facts;
  if (platform::OsError error = platform::file_facts(found->fd, &facts)) {
    return Status::from(error, "cannot look at " + path);
  }
  if (!facts.regular) return Status::of(Code::corrupt, path + " is not a regular file");
  if (!facts.owned) return Status::of(Code::permission, path + " belongs to another user");

  platform::OsError error = platform::lock_exclusive(found->fd);
  if (error && error.errnum != EWOULDBLOCK) return Status::from(error, "cannot lock " + path);
  found->in_use = static_cast<bool>(error);

  size_t got = 0;
  memset(static_cast<void*>(&found->header), 0, sizeof found->header);
  if (platform::OsError failed =
          platform::read_at_start(found->fd, &found->header, sizeof found->header, &got)) {
    return Status::from(failed, "cannot read " + path);
  }
  const Header& header = found->header;
  const uint64_t magic = header.magic.load();
  if (facts.length == 0 || (magic == 0 && got == sizeof header)) {
    // The creator writes the magic number last. While it lives it holds the directory's lock, and
    // so do we: it is dead.
    if (found->in_use) return Status::of(Code::corrupt, path + " has lost its header");
    found->what = Found::What::half_made;
    return Status::success();
  }
  if (magic != kMagic) return Status::of(Code::corrupt, path + " is not a file of holdfast");
  if (got < sizeof header) return Status::of(Code::corrupt, path + " is truncated");
  if (header.version != kFormatVersion) {
    return Status::of(Code::incompatible, path + " has format " + std::to_string(header.version) +
                                              "; this version of holdfast has format " +
                                              std::to_string(kFormatVersion));
  }
  if (header.signature != layout_signature()) {
    return Status::of(Code::incompatible,
                      path + " was made by a program with another word size or C library");
  }
  const bool plausible_length = header.kind == Kind::registry
                                    ? header.byte_length == kRegistryLength
                                    : plausible(header.kind, header.initial, header.byte_length);
  if (facts.length != header.byte_length || !plausible_length) {
    return Status::of(Code::corrupt,
                      path + " has the wrong length: " + std::to_string(facts.length) +
                          " bytes, and its header says " + std::to_string(header.byte_length));
  }
  const bool text_ends = memchr(header.posix_name, 0, sizeof header.posix_name) != nullptr &&
                         header.name_length <= kNameMax;
  const bool known_kind = facts_of(header.kind).name != nullptr;
  const bool named = text_ends && (has_semaphore(header.kind) ? is_semaphore_name(header.posix_name)
                                                              : header.posix_name[0] == '\0');
  const bool countable =
      header.kind != Kind::semaphore || header.initial <= platform::kSemaphoreValueMax;
  const State state = header.state.load();
  if (!text_ends || !known_kind || !named || !countable || state < State::making ||
      state > State::removed) {
    return Status::of(Code::corrupt, path + " has a header that makes no sense");
  }
  if (state == State::making && found->in_use) {
    return Status::of(Code::corrupt, path + " is in use but was never finished");
  }
  found->what = state == State::ready ? Found::What::object : Found::What::half_made;
  return Status::success();
}

void Store::destroy(const char* posix_name, const std::string& file_name) {
  // INV-10: the semaphore first. Dying in between leaves a file that nobody uses, and a sweep or
  // the next open comes by here again.
  if (is_semaphore_name(posix_name)) platform::unlink_semaphore(posix_name);
  KILL_POINT("store.destroy.semaphore");
  platform::unlink_file(directory_fd_, file_name.c_str());
  KILL_POINT("store.destroy.file");
}

// Dying between the semaphore and the file would leave those who use the object alone with a name
// that nobody else can open any more. So the file says first that it is no longer what the name
// means.
Status Store::take_name_away(int fd, const char* posix_name, const std::string& file_name) {
  void* base = nullptr;
  if (platform::OsError error = platform::map_file(fd, kObjectLength, &base)) {
    return Status::from(error, "cannot unlink " + directory_ + "/" + file_name);
  }
  Header* header = static_cast<Header*>(base);
  header->state.store(State::removed);
  KILL_POINT("store.unlink.removed");
  destroy(posix_name, file_name);
  platform::unmap_file(base, kObjectLength);
  return Status::success();
}

// ---------------------------------------------------------------- opening

Status Store::open(const OpenRequest& request, Object** result) {
  const std::string file_name = kObjectPrefix + request.file_key;
  Locked locked(*this, kOpenPatience_ns);
  if (!locked.acquired()) return Locked::busy();
  if (Status status = check_surroundings(); !status.ok()) return status;
  sweep_if_due();

  Found found;
  if (Status status = inspect_file(file_name, &found); !status.ok()) return status;

  const bool leftover = is_leftover(found);
  if (request.must_exist && (found.what != Found::What::object || leftover)) {
    return Status::of(Code::not_found, "there is no such object");
  }
  if (found.what == Found::What::object &&
      (!leftover || (found.header.kind == request.kind && has_news(found)))) {
    return adopt(request, found, result);
  }
  if (found.what != Found::What::nothing) destroy(found.header.posix_name, file_name);
  return make(request, file_name, result);
}

// Somebody may have emptied or replaced the directory under us. What is open goes on working, but a
// newcomer there begins another registry, in which we are nobody: sharing a new object with it
// would mean that it takes us for dead.
Status Store::check_surroundings() {
  platform::FileFacts ours;
  if (!platform::is_same_directory(directory_.c_str(), directory_fd_) ||
      platform::file_facts(registry_fd_, &ours) ||
      platform::inode_of(directory_fd_, kRegistryName) != ours.inode) {
    return Status::of(Code::incompatible, "the directory " + directory_ +
                                              " was emptied or replaced while this process was "
                                              "using it; restart the process");
  }
  return Status::success();
}

Status Store::make(const OpenRequest& request, const std::string& file_name, Object** result) {
  auto object = std::make_unique<Object>();
  object->file_name_ = file_name;
  platform::OsError error = platform::create_file(directory_fd_, file_name.c_str(), &object->fd_);
  if (error) return Status::from(error, "cannot make " + directory_ + "/" + file_name);

  KILL_POINT("store.make.created");
  const bool is_queue = has_ring(request.kind);
  object->length_ = length_of(request);
  error = platform::lock_shared(object->fd_);
  KILL_POINT("store.make.flock");
  if (!error) {
    // A ring is reserved as it grows.
    error = platform::reserve_space(
        object->fd_, 0, is_queue ? body_length(request.kind) + kQueueBytesMin : object->length_);
  }
  if (!error) error = platform::set_length(object->fd_, object->length_);
  KILL_POINT("store.make.length");
  if (!error) error = platform::map_file(object->fd_, object->length_, &object->base_);
  if (error) {
    platform::unlink_file(directory_fd_, file_name.c_str());
    platform::close_descriptor(object->fd_);
    return Status::from(error, "cannot make " + directory_ + "/" + file_name);
  }

  Header* header = object->header();
  header->version = kFormatVersion;
  header->kind = request.kind;
  header->signature = layout_signature();
  header->byte_length = object->length_;
  header->flags.store((request.persistent ? kPersistent : 0u) |
                      (request.anonymous ? kAnonymous : 0u));
  const uint64_t tag = registry_.next_serial();
  header->tag = tag;
  for (uint64_t i = 1; i < kTags; i++) registry_.next_serial();
  KILL_POINT("store.make.tag");
  header->created_us = platform::realtime_us();
  header->creator_pid = platform::current_identity().pid;
  header->initial = request.initial;
  header->name_length = static_cast<uint32_t>(request.name.size());
  memcpy(header->name, request.name.data(), request.name.size());
  KILL_POINT("store.make.header");
  header->state.store(State::making);
  KILL_POINT("store.make.making");
  if (request.kind == Kind::rlock) platform::init_mutex(&object->body<OwnedBody>()->mutex);
  KILL_POINT("store.make.body");
  if (is_queue) {
    QueueBody* body = object->body<QueueBody>();
    platform::init_mutex(&body->guard);
    KILL_POINT("store.make.guard");
    body->capacity.store(kQueueBytesMin);
    KILL_POINT("store.make.capacity");
    body->max_items = request.queue.max_items != 0 ? request.queue.max_items : kQueueItemsMax;
    body->max_bytes = request.queue.max_bytes != 0 ? request.queue.max_bytes : kQueueBytes;
    body->codec = request.queue.codec != 0 ? request.queue.codec : 1;
    KILL_POINT("store.make.limits");
  }
  if (request.kind == Kind::barrier) {
    platform::init_mutex(&object->body<BarrierBody>()->guard);
    KILL_POINT("store.make.barrier_guard");
  }
  if (request.kind == Kind::condition) {
    ConditionBody* body = object->body<ConditionBody>();
    body->lock_kind = request.lock_kind;
    const size_t length = std::min(request.lock_name.size(), kNameMax);
    body->lock_name_length = static_cast<uint32_t>(length);
    memcpy(body->lock_name, request.lock_name.data(), length);
    KILL_POINT("store.make.lock_name");
  }

  // Not from the file: others can write there by now.
  object->remember(request.kind, request.initial, tag, request.name);
  if (has_semaphore(request.kind)) error = make_semaphore(request.semaphore_key, object.get());
  if (error) {
    platform::unlink_file(directory_fd_, file_name.c_str());
    platform::unmap_file(object->base_, object->length_);
    platform::close_descriptor(object->fd_);
    return Status::from(error, "cannot make the semaphore " + object->posix_name_);
  }
  header->magic.store(kMagic);
  KILL_POINT("store.make.magic");
  header->state.store(State::ready);
  KILL_POINT("store.make.ready");

  object->users_ = 1;
  *result = object.get();
  objects_[file_name] = object.release();
  return Status::success();
}

// Of an object that nobody else uses.
platform::OsError Store::make_semaphore(const std::string& key, Object* object) {
  Header* header = object->header();
  uint32_t value = 1;
  if (object->kind() == Kind::semaphore) {
    value = object->initial();
    object->body<SemaphoreBody>()->value.store(static_cast<int32_t>(value));
    KILL_POINT("store.make.value");
  }
  std::string posix_name = "/hf-" + key;
  for (int attempt = 0;; attempt++) {
    memcpy(header->posix_name, posix_name.c_str(), posix_name.size() + 1);
    KILL_POINT("store.make.posix_name");
    header->magic.store(kMagic);  // INV-10: from here on, whoever cleans up after us knows the name
    KILL_POINT("store.make.named");
    const platform::OsError error =
        platform::create_semaphore(posix_name.c_str(), value, &object->semaphore_);
    KILL_POINT("store.make.semaphore");
    object->posix_name_ = posix_name;
    if (error.errnum != EEXIST || attempt == 8) return error;
    // No file names it, so it is left from a directory that was emptied: take it away. If another
    // user planted it we may not, and step aside.
    if (platform::unlink_semaphore(posix_name.c_str())) posix_name = "/hf-" + random_hex();
  }
}

// Limits and codec belong to the queue, not to a handle: all its users must mean the same.
Status Store::compare_limits(const QueueLimits& wanted, int fd) {
  QueueLimits has;
  const uint64_t body = sizeof(Header);
  if (!platform::read_at(fd, body + offsetof(QueueBody, max_items), &has.max_items, 8) ||
      !platform::read_at(fd, body + offsetof(QueueBody, max_bytes), &has.max_bytes, 8) ||
      !platform::read_at(fd, body + offsetof(QueueBody, codec), &has.codec, 4)) {
    return Status::of(Code::corrupt, "its limits cannot be read");
  }
  if (wanted.max_items != 0 && wanted.max_items != has.max_items) {
    return differ("maxSize", has.max_items, wanted.max_items);
  }
  if (wanted.max_bytes != 0 && wanted.max_bytes != has.max_bytes) {
    return differ("maxBytes", has.max_bytes, wanted.max_bytes);
  }
  if (wanted.codec != 0 && wanted.codec != has.codec) {
    return Status::of(Code::incompatible, "it was made with another codec");
  }
  return Status::success();
}

Status Store::compare_lock(const OpenRequest& request, int fd) {
  Kind kind;
  uint32_t length = 0;
  char name[kNameMax + 1] = {};
  const uint64_t body = sizeof(Header);
  if (!platform::read_at(fd, body + offsetof(ConditionBody, lock_kind), &kind, sizeof kind) ||
      !platform::read_at(fd, body + offsetof(ConditionBody, lock_name_length), &length, 4) ||
      !platform::read_at(fd, body + offsetof(ConditionBody, lock_name), name, sizeof name) ||
      length > kNameMax || !is_owned_kind(kind)) {
    return Status::of(Code::corrupt, "the name of its lock cannot be read");
  }
  const std::string has(name, length);
  if (request.lock_given && (kind != request.lock_kind || has != request.lock_name)) {
    return Status::of(Code::incompatible, std::string("it was made with the ") +
                                              facts_of(kind).name + " \"" + has + "\", not the " +
                                              facts_of(request.lock_kind).name + " \"" +
                                              request.lock_name + "\"");
  }
  return Status::success();
}

Status Store::compare(const OpenRequest& request, const Found& found) {
  const Header& seen = found.header;
  if (request.initial_given && seen.initial != request.initial) {
    return differ(facts_of(seen.kind).initial, seen.initial, request.initial);
  }
  const uint64_t bytes = seen.byte_length - body_length(seen.kind);
  if (request.kind == Kind::shared_memory && request.bytes != 0 && request.bytes != bytes) {
    return differ("a size of", bytes, request.bytes);
  }
  if (request.kind == Kind::condition) return compare_lock(request, found.fd);
  return has_ring(request.kind) ? compare_limits(request.queue, found.fd) : Status::success();
}

// Opens what is there: in use by others, persistent, or left by a holder that died.
Status Store::adopt(const OpenRequest& request, Found& found, Object** result) {
  const Header& seen = found.header;
  const std::string file_name = kObjectPrefix + request.file_key;
  if (seen.kind != request.kind) {
    return Status::of(Code::incompatible,
                      std::string(seen.kind == Kind::event ? "the name belongs to an "
                                                           : "the name belongs to a ") +
                          facts_of(seen.kind).name);
  }
  if (std::string(seen.name, seen.name_length) != request.name) {
    return Status::of(Code::incompatible, "its file belongs to another name: " +
                                              std::string(seen.name, seen.name_length));
  }
  if (request.exclusive && (found.in_use || found.persistent())) {
    return Status::of(Code::exists, "it exists already");
  }
  if (Status status = compare(request, found); !status.ok()) return status;

  // This process may have it already. Not if the name was taken away meanwhile and given anew.
  const auto known = objects_.find(file_name);
  if (known != objects_.end()) {
    platform::FileFacts ours, theirs;
    if (!platform::file_facts(known->second->fd_, &ours) &&
        !platform::file_facts(found.fd, &theirs) && ours.inode == theirs.inode) {
      known->second->users_++;
      if (request.persistent) known->second->header()->flags.fetch_or(kPersistent);
      KILL_POINT("store.adopt.persistent_again");
      *result = known->second;
      return Status::success();
    }
    objects_.erase(known);
  }

  auto object = std::make_unique<Object>();
  object->file_name_ = file_name;
  object->fd_ = std::exchange(found.fd, -1);
  object->length_ = seen.byte_length;
  object->remember(seen.kind, seen.initial, seen.tag, std::string(seen.name, seen.name_length));
  platform::OsError error = platform::lock_shared(object->fd_);
  KILL_POINT("store.adopt.flock");
  if (!error) error = platform::map_file(object->fd_, object->length_, &object->base_);
  if (!error && has_semaphore(request.kind)) {
    object->posix_name_ = seen.posix_name;
    error = platform::open_semaphore(seen.posix_name, &object->semaphore_);
    const bool is_gone = error.errnum == ENOENT || error.errnum == EACCES;
    if (is_gone && !found.in_use) {
      // Its remover died half-way (INV-10), or the machine was restarted, and by now another user
      // may have put one there. Not by the name in the file: if that was written over, nobody would
      // take it away.
      error = make_semaphore(request.semaphore_key, object.get());
      KILL_POINT("store.adopt.semaphore");
    } else if (is_gone) {
      platform::unmap_file(object->base_, object->length_);
      platform::close_descriptor(object->fd_);
      return {Code::incompatible, error.errnum, error.call,
              std::string("its semaphore ") + seen.posix_name + " cannot be seen from here"};
    }
  }
  if (error) {
    if (object->base_ != nullptr) platform::unmap_file(object->base_, object->length_);
    platform::close_descriptor(object->fd_);
    return Status::from(error, "cannot open " + directory_ + "/" + file_name);
  }
  if (!found.in_use) {
    // The owner word stays: it is the news.
    object->forget_users();
    KILL_POINT("store.adopt.forgotten");
    // A token that died with somebody is replaced now rather than after two slices (INV-3).
    if (seen.kind == Kind::lock && object->body<OwnedBody>()->owner.load() == 0) {
      platform::try_wait(object->semaphore_);
      KILL_POINT("store.adopt.token_taken");
      platform::post(object->semaphore_);
      KILL_POINT("store.adopt.token");
    }
  }
  if (request.persistent) object->header()->flags.fetch_or(kPersistent);
  KILL_POINT("store.adopt.persistent");
  object->users_ = 1;
  *result = object.get();
  objects_[file_name] = object.release();
  return Status::success();
}

// ---------------------------------------------------------------- closing

void Store::close(Object* object) {
  Locked locked(*this, kClosePatience_ns);
  if (--object->users_ != 0) return;
  const auto known = objects_.find(object->file_name_);
  if (known != objects_.end() && known->second == object) objects_.erase(known);

  Header* header = object->header();
  platform::FileFacts facts;
  // Not if the name was taken away: the file of that name, if there is one, is somebody else's.
  if (locked.acquired() && !platform::file_facts(object->fd_, &facts) &&
      platform::inode_of(directory_fd_, object->file_name_.c_str()) == facts.inode &&
      (header->flags.load() & kPersistent) == 0 &&
      // In this order: until we are the only user, somebody can still acquire it and die.
      !platform::lock_exclusive(object->fd_) && !object->has_news()) {
    destroy(object->posix_name_.c_str(), object->file_name_);
  }
  KILL_POINT("store.close.name");
  if (object->semaphore_.handle != nullptr) platform::close_semaphore(object->semaphore_);
  platform::unmap_file(object->base_, object->length_);
  platform::unlock_file(
      object->fd_);  // by word: a child that was forked has the file description, too
  platform::close_descriptor(object->fd_);
  KILL_POINT("store.close.flock");
  delete object;
}

Status Store::unlink(Kind kind, const std::string& name, const std::string& file_key) {
  const std::string file_name = kObjectPrefix + file_key;
  Locked locked(*this, kOpenPatience_ns);
  if (!locked.acquired()) return Locked::busy();
  Found found;
  if (Status status = inspect_file(file_name, &found); !status.ok()) return status;
  if (found.what != Found::What::object || found.header.kind != kind ||
      std::string(found.header.name, found.header.name_length) != name) {
    return Status::of(Code::not_found, "there is no such object");
  }
  return take_name_away(found.fd, found.header.posix_name, file_name);
}

Status Store::unlink(Object* object) {
  Locked locked(*this, kOpenPatience_ns);
  if (!locked.acquired()) return Locked::busy();
  platform::FileFacts facts;
  if (platform::OsError error = platform::file_facts(object->fd_, &facts)) {
    return Status::from(error, "cannot look at " + object->file_name_);
  }
  if (platform::inode_of(directory_fd_, object->file_name_.c_str()) != facts.inode) {
    return Status::of(Code::not_found, "its name was taken away before");
  }
  return take_name_away(object->fd_, object->posix_name_.c_str(), object->file_name_);
}

// ---------------------------------------------------------------- looking around

Status Store::list(std::vector<Listing>* listings) {
  Locked locked(*this, kOpenPatience_ns);
  if (!locked.acquired()) return Locked::busy();
  platform::OsError error;
  for (const std::string& file_name : platform::list_directory(directory_fd_, &error)) {
    Found found;
    if (!starts_with(file_name, kObjectPrefix) || !inspect_file(file_name, &found).ok() ||
        found.what != Found::What::object) {
      continue;
    }
    listings->push_back({found.header.kind,
                         std::string(found.header.name, found.header.name_length),
                         found.persistent(), found.in_use});
  }
  return error ? Status::from(error, "cannot list " + directory_) : Status::success();
}

// Takes away what killed processes left. What is not ours stays: it gets its error from open().
void Store::sweep() {
  const int64_t started = platform::monotonic_ns();
  platform::OsError error;
  for (const std::string& file_name : platform::list_directory(directory_fd_, &error)) {
    if (registry_.is_stale_bell(file_name)) platform::unlink_file(directory_fd_, file_name.c_str());
    KILL_POINT("store.sweep.bell");
    Found found;
    if (!starts_with(file_name, kObjectPrefix) || !inspect_file(file_name, &found).ok() ||
        found.in_use) {
      continue;
    }
    if (found.what == Found::What::half_made || (is_leftover(found) && !has_news(found))) {
      destroy(found.header.posix_name, file_name);
    }
  }
  // At most one part in a hundred of a process's time, however many objects there are.
  const int64_t ended = platform::monotonic_ns();
  next_sweep_ns_ = ended + std::max(1000 * platform::kNanosPerMilli, 100 * (ended - started));
}

void Store::sweep_if_due() {
  if (platform::monotonic_ns() >= next_sweep_ns_) sweep();
}

}  // namespace holdfast::core
