#include <cerrno>
#include <cstring>

#include "core/store/found.h"
#include "core/store/kind_ops.h"

namespace holdfast::core {

namespace {

Status open_to_inspect(int directory_fd, const std::string& file_name, const std::string& path,
                       int* fd) {
  if (platform::OsError error = platform::open_file(directory_fd, file_name.c_str(), fd)) {
    if (error.errnum == ENOENT) return Status::success();
    if (error.errnum == ELOOP) return Status::of(Code::corrupt, path + " is a symbolic link");
    // A socket: ENXIO, on macOS EOPNOTSUPP.
    if (error.errnum == EISDIR || error.errnum == ENXIO || error.errnum == EOPNOTSUPP) {
      return {Code::corrupt, error.errnum, error.call, path + " is not a regular file"};
    }
    return Status::from(error, "cannot open " + path);
  }
  return Status::success();
}

// What a process has does not end at one instant when it dies: the directory's lock may be free
// before the locks of files. So much later all is.
constexpr int64_t kDying_ns = 100 * platform::kNanosPerMilli;

// Who makes a file or takes it away holds the directory's lock meanwhile, and so do we: it is dead.
bool stays_in_use(int fd, int64_t deadline_ns) {
  while (platform::lock_exclusive(fd)) {
    if (platform::monotonic_ns() >= deadline_ns) return true;
    platform::sleep_ns(platform::kNanosPerMilli);
  }
  return false;
}

// Locks the file exclusively if nobody uses it, and shared if somebody does.
platform::OsError lock_to_inspect(int fd, int64_t deadline_ns, bool* in_use) {
  for (;;) {
    platform::OsError error = platform::lock_exclusive(fd);
    *in_use = error.errnum == EWOULDBLOCK;
    if (*in_use) error = platform::lock_shared(fd);
    // Only who takes a file away locks it exclusively.
    if (error.errnum != EWOULDBLOCK || platform::monotonic_ns() >= deadline_ns) return error;
    platform::sleep_ns(platform::kNanosPerMilli / 10);
  }
}

bool is_plausible_length(const KindOps& ops, const Header& header) {
  const uint64_t table_offset = table_offset_of(ops, header.name_length);
  if (header.byte_length < table_offset) return false;
  const uint64_t length = header.byte_length - table_offset;
  return ops.is_plausible != nullptr ? ops.is_plausible(header.initial, length) : length == 0;
}

// Are the places that the header tells of where this version puts them?
bool has_right_places(const KindOps& ops, const Header& header) {
  const OwnerWords words =
      owner_words_of(ops, header.initial, table_offset_of(ops, header.name_length));
  return header.name_offset == name_offset_of(ops, header.name_length) &&
         header.owners_offset == words.offset && header.owners_stride == words.stride &&
         header.owners_count == words.count;
}

bool read_name(int fd, const Header& header, std::string* name) {
  if (header.name_offset == 0) {
    name->assign(header.name, header.name_length);
    return true;
  }
  name->resize(header.name_length);
  return platform::read_at(fd, header.name_offset, name->data(), name->size());
}

// Can any version of holdfast have written this header, into a file of this length?
bool makes_sense(const Header& header, uint64_t length) {
  const State state = header.state.load();
  const bool has_name = header.name_offset == 0
                            ? header.name_length <= kShortNameMax
                            : header.name_length <= kNameMax &&
                                  header.name_offset >= sizeof(Header) &&
                                  uint64_t{header.name_offset} + header.name_length <= length;
  const bool has_semaphore = header.posix_name[0] != '\0';
  return has_name && header.owners_count <= kOwnersMax && state >= State::making &&
         state <= State::removed && (!has_semaphore || is_semaphore_name(header.posix_name));
}

// The same of a header in this program's own format.
bool is_one_of_ours(const Header& header) {
  const KindOps* ops = ops_of(header.kind);
  return ops != nullptr && is_plausible_length(*ops, header) &&
         header.initial <= ops->initial_max && has_right_places(*ops, header) &&
         ops->has_semaphore == (header.posix_name[0] != '\0');
}

Status check_header(const Header& header, uint64_t length, bool is_foreign,
                    const std::string& path) {
  if (length != header.byte_length) {
    return Status::of(Code::corrupt, path + " has the wrong length: " + std::to_string(length) +
                                         " bytes, and its header says " +
                                         std::to_string(header.byte_length));
  }
  if (!makes_sense(header, length) || (!is_foreign && !is_one_of_ours(header))) {
    return Status::of(Code::corrupt, path + " has a header that makes no sense");
  }
  return Status::success();
}

}  // namespace

bool is_semaphore_name(const char* name) {
  return strnlen(name, sizeof Header::posix_name) < sizeof Header::posix_name &&
         strncmp(name, "/hf-", 4) == 0 && name[4] != '\0' &&
         name[4 + strspn(name + 4, "0123456789abcdef-")] == '\0';
}

AgentId Store::Found::unreported_death() const {
  OwnerWords words{header.owners_offset, header.owners_stride, header.owners_count};
  // Formats below 4 have the words where format 4 has them, and do not tell.
  const KindOps* ops = ops_of(header.kind);
  if (header.version < 4 && ops != nullptr && header.initial <= kOwnersMax) {
    words = owner_words_of(*ops, header.initial, table_offset_of(*ops, header.name_length));
  }
  return core::unreported_death(header.flags.load(), words, BodyReader(fd));
}

Status Store::Found::foreign_status() const {
  std::string detail = "its file has " + to_text(format_of(header)) + ", and this program has " +
                       to_text(own_format(header.kind)) + ". ";
  detail += in_use ? "A program with that format has it open: use one version of holdfast in all "
                     "programs that share it, or another name"
                   : "Nobody has it open: unlink() it, which loses what is in it, or open it with "
                     "the version of holdfast that made it";
  return Status::of(Code::incompatible, detail);
}

// Is there a whole object that nobody has open, in any process?
bool Store::is_unused_object(const std::string& file_name) {
  Found found;
  return inspect_file(file_name, &found).ok() && found.what == Found::What::object && !found.in_use;
}

// Those who died before we had the directory's lock are gone by then. Who looks at many files waits
// for all of them together.
int64_t Store::dying_until_ns() {
  if (dying_until_ns_ == 0) dying_until_ns_ = platform::monotonic_ns() + kDying_ns;
  return dying_until_ns_;
}

// Looks at a file without changing it. Everything that is not ours, or not whole, is told apart
// here.
Status Store::inspect_file(const std::string& file_name, Found* found) {
  const std::string path = directory_ + "/" + file_name;
  Status status = open_to_inspect(directory_fd_, file_name, path, &found->fd);
  if (!status.ok() || found->fd < 0) return status;
  platform::FileFacts& facts = found->facts;
  if (platform::OsError error = platform::file_facts(found->fd, &facts)) {
    return Status::from(error, "cannot look at " + path);
  }
  if (!facts.regular) return Status::of(Code::corrupt, path + " is not a regular file");
  if (!facts.owned) return Status::of(Code::permission, path + " belongs to another user");

  if (platform::OsError error = lock_to_inspect(found->fd, dying_until_ns(), &found->in_use)) {
    if (error.errnum != EWOULDBLOCK) return Status::from(error, "cannot lock " + path);
    return Status::of(Code::busy, path + " is locked by a program that is not holdfast");
  }

  size_t got = 0;
  memset(static_cast<void*>(&found->header), 0, sizeof found->header);
  if (platform::OsError failed =
          platform::read_at_start(found->fd, &found->header, sizeof found->header, &got)) {
    return Status::from(failed, "cannot read " + path);
  }
  const Header& header = found->header;
  const uint64_t magic = header.magic.load();
  if (facts.length == 0 || (magic == 0 && got == sizeof header)) {
    // The creator writes the magic number last.
    if (found->in_use && stays_in_use(found->fd, dying_until_ns())) {
      return Status::of(Code::corrupt, path + " has lost its header");
    }
    found->in_use = false;
    found->what = Found::What::half_made;
    return Status::success();
  }
  if (magic != kMagic) return Status::of(Code::corrupt, path + " is not a file of holdfast");
  if (got < sizeof header) return Status::of(Code::corrupt, path + " is truncated");
  found->is_foreign = !(format_of(header) == own_format(header.kind));
  status = check_header(header, facts.length, found->is_foreign, path);
  if (!status.ok()) return status;
  if (!read_name(found->fd, header, &found->name)) {
    return Status::of(Code::corrupt, path + " is truncated");
  }
  const State state = header.state.load();
  if (state == State::making && found->in_use) {
    if (stays_in_use(found->fd, dying_until_ns())) {
      return Status::of(Code::corrupt, path + " is in use but was never finished");
    }
    found->in_use = false;
  }
  found->what = state == State::ready ? Found::What::object : Found::What::half_made;
  return Status::success();
}

}  // namespace holdfast::core
