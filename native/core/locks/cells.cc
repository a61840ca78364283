#include "core/locks/cells.h"

#include <algorithm>
#include <cstring>
#include <new>

#include "core/hash.h"
#include "core/kill_point.h"

namespace holdfast::core {

namespace {

constexpr size_t kPartLength = sizeof(NameCell::bytes);
constexpr uint32_t kCellsAtOnce = 512;  // that get storage

uint64_t hash_of(const std::string& bytes, bool is_latin1) {
  const uint64_t hash = is_latin1 ? fnv1a(bytes) : ~fnv1a(bytes);
  return hash ^ (hash >> 32);
}

}  // namespace

LockName::LockName(const char16_t* text, size_t length) {
  is_latin1 = std::all_of(text, text + length, [](char16_t unit) { return unit < 256; });
  bytes.reserve(is_latin1 ? length : 2 * length);
  for (size_t i = 0; i < length; i++) {
    bytes.push_back(static_cast<char>(text[i] & 255));
    if (!is_latin1) bytes.push_back(static_cast<char>(text[i] >> 8));
  }
  hash = hash_of(bytes, is_latin1);
}

bool Cells::are_plausible() const {
  return body_.used.load() < shape_.cells && body_.reserved.load() <= shape_.cells &&
         body_.buckets.load() <= shape_.buckets;
}

RequestCell& Cells::at(uint32_t index) {
  if (index != 0 && index <= body_.used.load()) return cell(index);
  is_damaged_ = true;
  new (&nowhere_) RequestCell{};
  return nowhere_;
}

uint32_t Cells::parts_of(size_t length) {
  if (length <= kShortLockName) return 0;
  return static_cast<uint32_t>((length - kShortLockName + kPartLength - 1) / kPartLength);
}

uint32_t Cells::allocate() {
  if (const uint32_t index = body_.free_first; index != 0) {
    body_.free_first = at(index).bucket_next;
    body_.free_count--;
    return index;
  }
  const uint32_t index = body_.used.load() + 1;
  if (index >= shape_.cells) return 0;
  const uint32_t reserved = body_.reserved.load();
  if (index >= reserved) {
    const uint32_t more = std::min(kCellsAtOnce, shape_.cells - reserved);
    const uint64_t offset =
        object_.table_offset() + shape_.cells_offset + uint64_t{reserved} * sizeof(RequestCell);
    if (platform::reserve_space(object_.descriptor(), offset,
                                uint64_t{more} * sizeof(RequestCell))) {
      return 0;
    }
    body_.reserved.store(reserved + more);
    KILL_POINT("cells.allocate.reserved");
  }
  body_.used.store(index);
  KILL_POINT("cells.allocate.used");
  return index;
}

uint32_t Cells::make(const LockName& name) {
  const uint32_t index = allocate();
  if (index == 0) return 0;
  RequestCell& made = at(index);
  new (&made) RequestCell{};
  if (name.is_latin1) made.flags = kLatin1;
  made.name_hash = name.hash;
  made.name_length = static_cast<uint32_t>(name.bytes.size());
  memcpy(made.name, name.bytes.data(), std::min<size_t>(name.bytes.size(), kShortLockName));
  uint32_t* link = &made.name_next;
  for (size_t at_byte = kShortLockName; at_byte < name.bytes.size(); at_byte += kPartLength) {
    const uint32_t next = allocate();
    *link = next;
    if (next == 0) {
      free(index);
      return 0;
    }
    NameCell& added = part(next);
    added.owner.store(0);
    added.name_next = 0;
    memcpy(added.bytes, name.bytes.data() + at_byte,
           std::min(name.bytes.size() - at_byte, kPartLength));
    link = &added.name_next;
    KILL_POINT("cells.make.part");
  }
  KILL_POINT("cells.make.name");
  return index;
}

bool Cells::has_name(uint32_t index, const LockName& name) {
  const RequestCell& request = at(index);
  if (request.name_hash != name.hash || request.name_length != name.bytes.size() ||
      ((request.flags & kLatin1) != 0) != name.is_latin1) {
    return false;
  }
  const size_t length = name.bytes.size();
  if (memcmp(request.name, name.bytes.data(), std::min<size_t>(length, kShortLockName)) != 0) {
    return false;
  }
  uint32_t next_part = request.name_next;
  for (size_t at_byte = kShortLockName; at_byte < length; at_byte += kPartLength) {
    const NameCell& next = part(next_part);
    if (memcmp(next.bytes, name.bytes.data() + at_byte, std::min(length - at_byte, kPartLength)) !=
        0) {
      return false;
    }
    next_part = next.name_next;
  }
  return true;
}

LockName Cells::name_of(uint32_t index) {
  const RequestCell& request = at(index);
  const size_t length = std::min(request.name_length, kLockNameMax);
  LockName name;
  name.is_latin1 = (request.flags & kLatin1) != 0;
  name.hash = request.name_hash;
  name.bytes.assign(request.name, std::min<size_t>(length, kShortLockName));
  uint32_t next_part = request.name_next;
  while (name.bytes.size() < length) {
    const NameCell& next = part(next_part);
    name.bytes.append(next.bytes, std::min(length - name.bytes.size(), kPartLength));
    next_part = next.name_next;
  }
  return name;
}

void Cells::push_free(uint32_t index) {
  at(index).bucket_next = body_.free_first;
  body_.free_first = index;
  body_.free_count++;
}

void Cells::free(uint32_t index) {
  uint32_t next_part = at(index).name_next;
  push_free(index);
  for (uint32_t i = parts_of(at(index).name_length); i > 0 && next_part != 0; i--) {
    const uint32_t next = part(next_part).name_next;
    push_free(next_part);
    next_part = next;
  }
  KILL_POINT("cells.free.name");
}

bool Cells::mark(uint32_t index, std::vector<bool>* marked) {
  const RequestCell& request = cell(index);
  if (request.name_length > kLockNameMax || (*marked)[index]) return false;
  std::vector<uint32_t> all = {index};
  uint32_t next_part = request.name_next;
  for (uint32_t i = parts_of(request.name_length); i > 0; i--) {
    if (next_part == 0 || next_part > used() || (*marked)[next_part] ||
        cell(next_part).owner.load() != 0) {
      return false;
    }
    all.push_back(next_part);
    next_part = part(next_part).name_next;
  }
  // A list that leads back into itself.
  std::sort(all.begin(), all.end());
  if (std::adjacent_find(all.begin(), all.end()) != all.end()) return false;
  const LockName name = name_of(index);
  if (hash_of(name.bytes, name.is_latin1) != request.name_hash) return false;
  for (const uint32_t one : all) (*marked)[one] = true;
  return true;
}

void Cells::free_unmarked(const std::vector<bool>& marked) {
  body_.free_first = 0;
  body_.free_count = 0;
  for (uint32_t index = used(); index > 0; index--) {
    if (!marked[index]) push_free(index);
  }
  KILL_POINT("cells.free_unmarked.all");
}

}  // namespace holdfast::core
