#include "core/registry/registry.h"

#include <cstdlib>
#include <cstring>
#include <iterator>

#include "core/invariant.h"
#include "core/kill_point.h"
#include "core/registry/wait_record.h"

namespace holdfast::core {

AgentFileName::AgentFileName(const char* prefix, AgentId id) {
  constexpr size_t kDigits = 2 * sizeof id;
  const size_t length = strlen(prefix);
  memcpy(text, prefix, length);
  for (size_t i = 0; i < kDigits; i++) {
    text[length + i] = "0123456789abcdef"[(id >> (4 * (kDigits - 1 - i))) & 0xf];
  }
}

namespace {

struct DoorbellName : AgentFileName {
  explicit DoorbellName(AgentId id) : AgentFileName(kDoorbellPrefix, id) {}
};

}  // namespace

Registry::~Registry() { close_writers(); }

void Registry::attach(RegistryBody* body, std::string directory, int directory_fd) {
  body_ = body;
  directory_ = std::move(directory);
  directory_fd_ = directory_fd;
}

uint64_t Registry::next_serial() {
  // Begins with the time. So a new registry, after the old one was deleted, does not use numbers
  // that are still in an owner word. The mask is one bit shorter than the space, so that no id is
  // kDone.
  constexpr uint64_t kSerialMask = (uint64_t{1} << (63 - kSlotBits)) - 1;
  uint64_t serial = body_->next_generation.load();
  if (serial == 0) serial = platform::realtime_us();
  serial = (serial + 1) & kSerialMask;
  if (serial == 0) serial = 1;
  body_->next_generation.store(serial);
  KILL_POINT("registry.next_serial.generation");
  return serial;
}

bool Registry::is_lone(const platform::Identity& me) {
  for (const Slot& slot : body_->slots) {
    const AgentId id = slot.id.load();
    if (id != 0 && slot.tid == me.tid && slot.pid_namespace != me.pid_namespace && alive(id)) {
      return false;
    }
  }
  return true;
}

Status Registry::claim(uint32_t thread_id, const std::string& process_name, AgentId* id,
                       platform::Doorbell* doorbell, bool* lone_number) {
  uint32_t free = kSlotCount;
  for (int round = 0; round < 2 && free == kSlotCount; round++) {
    if (round == 1) vacate_dead();
    for (uint32_t index = 0; index < kSlotCount && free == kSlotCount; index++) {
      if (body_->slots[index].id.load() == 0) free = index;
    }
  }
  if (free == kSlotCount) {
    return Status::of(Code::no_space, "all " + std::to_string(kSlotCount) +
                                          " agents (JS threads of this user) are taken");
  }
  const AgentId claimed = (next_serial() << kSlotBits) | free;
  const DoorbellName name(claimed);
  if (platform::OsError error =
          platform::create_doorbell(directory_.c_str(), directory_fd_, name.text, doorbell)) {
    return Status::from(error, "cannot make a doorbell in " + directory_);
  }
  const platform::Identity me = platform::current_identity();
  KILL_POINT("registry.claim.doorbell");
  *lone_number = is_lone(me);
  Slot& slot = body_->slots[free];
  slot.pid = me.pid;
  slot.tid = me.tid;
  slot.start_time = me.start_time;
  slot.pid_namespace = me.pid_namespace;
  slot.thread_id = thread_id;
  uint64_t words[(kProcessNameMax + 1) / 8] = {};
  memcpy(words, process_name.data(), std::min(process_name.size(), kProcessNameMax));
  for (size_t i = 0; i < std::size(words); i++) slot.process_name[i] = words[i];
  KILL_POINT("registry.claim.slot");
  HOLDFAST_INVARIANT(INV_7, doorbell->fd >= 0 && slot.id.load() == 0);
  slot.id.store(claimed);  // INV-7: last
  KILL_POINT("registry.claim.id");
  next_serial();  // for a census that has not seen it: see census.h
  *id = claimed;
  return Status::success();
}

// There are two signs of death: a doorbell without a reader, then a slot without the id. A doorbell
// without a name is no sign (see alive()), so the name is removed after both. Then an agent that
// has seen the death never sees the dead one alive again.
void Registry::vacate(AgentId id) {
  const DoorbellName name(id);
  slot_of(id).id.compare_exchange_strong(id, 0);
  KILL_POINT("registry.vacate.id");
  platform::unlink_file(directory_fd_, name.text);
  KILL_POINT("registry.vacate.unlinked");
  platform::unlink_file(directory_fd_, AgentFileName(kWaitRecordPrefix, id).text);
  KILL_POINT("registry.vacate.waits");
}

std::vector<AgentId> Registry::agents() {
  std::vector<AgentId> found;
  for (Slot& slot : body_->slots) {
    if (const AgentId id = slot.id.load(); id != 0) found.push_back(id);
  }
  return found;
}

bool Registry::vacate_dead() {
  bool were_any = false;
  for (Slot& slot : body_->slots) {
    AgentId id = slot.id.load();
    if (id == 0 || alive(id)) continue;
    vacate(id);
    were_any = true;
  }
  return were_any;
}

bool Registry::is_of_ended_agent(const std::string& file_name) {
  for (const char* prefix : {kDoorbellPrefix, kWaitRecordPrefix}) {
    if (file_name.rfind(prefix, 0) != 0) continue;
    const AgentId id = strtoull(file_name.c_str() + strlen(prefix), nullptr, 16);
    return slot_of(id).id.load() != id;
  }
  return false;
}

// A descriptor to write to the agent's doorbell; -1 if it cannot be opened.
int Registry::writer_of(AgentId id, platform::Reader* reader) {
  OpenDoorbell& waker = place_of(id);
  *reader = platform::Reader::present;
  if (waker.id == id) return waker.fd;
  int fd = -1;
  *reader = open_writer(id, &fd);
  if (fd < 0) return -1;
  forget_writer(waker);
  waker = OpenDoorbell{id, fd};
  return fd;
}

// The open doorbells are kept only because that is fast. If descriptors are short, they are closed.
platform::Reader Registry::open_writer(AgentId id, int* fd) {
  const DoorbellName name(id);
  const platform::Reader reader = platform::open_doorbell(directory_fd_, name.text, fd);
  if (reader != platform::Reader::no_descriptor) return reader;
  for (OpenDoorbell& waker : doorbells_) forget_writer(waker);
  return platform::open_doorbell(directory_fd_, name.text, fd);
}

platform::Reader Registry::reader_of(const OpenDoorbell& writer) {
  return platform::reader_of(writer.fd, directory_fd_, DoorbellName(writer.id).text);
}

void Registry::forget_writer(OpenDoorbell& waker) {
  if (waker.fd >= 0) platform::close_descriptor(waker.fd);
  waker = OpenDoorbell{};
}

bool Registry::close_writers() {
  const std::lock_guard<std::mutex> guard(doorbells_mutex_);
  bool any = false;
  for (OpenDoorbell& waker : doorbells_) {
    any |= waker.fd >= 0;
    forget_writer(waker);
  }
  return any;
}

void Registry::close_dead_writers() {
  const std::lock_guard<std::mutex> guard(doorbells_mutex_);
  for (OpenDoorbell& waker : doorbells_) {
    if (waker.fd >= 0 && reader_of(waker) == platform::Reader::absent) forget_writer(waker);
  }
}

bool Registry::alive(AgentId id) {
  // Nobody is 0. A slot that is free has it.
  Slot& slot = slot_of(id);
  if (id == 0 || slot.id.load() != id) return false;
  {
    const std::lock_guard<std::mutex> guard(doorbells_mutex_);
    platform::Reader reader;
    const int fd = writer_of(id, &reader);
    if (fd >= 0) reader = reader_of(place_of(id));
    if (reader == platform::Reader::present) return true;
    if (reader == platform::Reader::absent) {
      if (fd >= 0) forget_writer(place_of(id));
      return false;
    }
  }
  // The directory was emptied, or this process has no descriptor left. Neither is a death.
  const platform::Identity identity{slot.pid, 0, slot.start_time, slot.pid_namespace};
  return slot.id.load() == id && platform::process_exists(identity);
}

bool Registry::watch(AgentId id, platform::Doorbell* doorbell, size_t place) {
  const DoorbellName name(id);
  const platform::Watched who{directory_fd_, name.text, slot_of(id).pid};
  platform::Reader reader = platform::watch_death(doorbell, place, who);
  if (reader == platform::Reader::no_descriptor && close_writers()) {
    reader = platform::watch_death(doorbell, place, who);
  }
  return reader == platform::Reader::present;
}

bool Registry::wake(AgentId id, uint64_t tag) {
  if (slot_of(id).id.load() != id) return false;
  const std::lock_guard<std::mutex> guard(doorbells_mutex_);
  platform::Reader reader;
  const int fd = writer_of(id, &reader);
  if (fd < 0) {
    // No descriptor or no doorbell. If the agent is alive, its next slice does instead.
    return reader != platform::Reader::absent && slot_of(id).id.load() == id;
  }
  const platform::WakeResult result = platform::write_doorbell(fd, tag);
  KILL_POINT("registry.wake.written");
  if (result != platform::WakeResult::no_reader) return true;
  forget_writer(place_of(id));
  return false;
}

bool Registry::describe(AgentId id, AgentFacts* facts) {
  Slot& slot = slot_of(id);
  if (id == 0 || slot.id.load() != id) return false;
  facts->pid = slot.pid;
  facts->thread_id = slot.thread_id;
  char name[kProcessNameMax + 1];
  for (size_t i = 0; i < sizeof name / 8; i++) {
    const uint64_t word = slot.process_name[i];
    memcpy(name + 8 * i, &word, sizeof word);
  }
  facts->process_name.assign(name, strnlen(name, kProcessNameMax));
  return slot.id.load() == id;  // else the slot changed hands while we read
}

}  // namespace holdfast::core
