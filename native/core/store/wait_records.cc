// The files in which agents tell of their long waits (core/registry/wait_record.h).
#include "core/kill_point.h"
#include "core/store/directory_lock.h"

namespace holdfast::core {

namespace {

// False if its agent tells nothing.
bool read_again(int directory_fd, WaitRecord* record) {
  int fd = -1;
  const AgentFileName name(kWaitRecordPrefix, record->agent);
  if (platform::open_file(directory_fd, name.text, &fd)) return false;
  const bool is_whole = read_wait_record(fd, record);
  platform::close_descriptor(fd);
  return is_whole;
}

}  // namespace

Status Store::open_wait_record(AgentId agent, int* fd) {
  Locked locked(*this, Locked::kForSweeping);  // INV-8
  if (!locked.acquired()) return Locked::busy();
  const AgentFileName name(kWaitRecordPrefix, agent);
  if (!platform::open_file(directory_fd_, name.text, fd)) return Status::success();
  platform::FileFacts facts;
  if (platform::OsError error = platform::create_file(directory_fd_, name.text, fd, &facts)) {
    return Status::from(error, "cannot make a record of waits in " + directory_);
  }
  KILL_POINT("store.open_wait_record.created");
  return Status::success();
}

std::vector<WaitRecord> Store::wait_records() {
  std::vector<WaitRecord> records;
  for (const AgentId agent : registry_.agents()) {
    WaitRecord record{agent, 0, {}};
    if (!read_again(directory_fd_, &record) || !registry_.alive(agent)) continue;
    records.push_back(std::move(record));
  }
  return records;
}

// INV-27: whoever ends a wait has the lock, and sees what others told before they had it.
bool Store::exchange_wait_record(int fd, uint64_t version, const std::string& text,
                                 const std::vector<WaitRecord>& seen) {
  Locked locked(*this, Locked::kForSweeping);
  if (!locked.acquired()) return false;
  for (const WaitRecord& record : seen) {
    WaitRecord now{record.agent, 0, {}};
    if (!read_again(directory_fd_, &now) || now.text != record.text) return false;
    if (!registry_.alive(record.agent)) return false;
  }
  KILL_POINT("store.exchange_wait_record.seen");
  return write_wait_record(fd, version, text);
}

}  // namespace holdfast::core
