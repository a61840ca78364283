// All requests at one instant, without keeping others out of the table for long:
//
//   names     some hundred cells at a time, in a critical section each. Most of the work is here.
//             The dead leave the table.
//   instant   one pass over all cells in one critical section. It reads numbers only, so it takes
//             1.6 to 1.7 ms for 100,000 requests. A request that came since its cell was read is
//             named here.
#include <algorithm>

#include "core/locks/section.h"

namespace holdfast::core {

// The requests whose names have been read, and the names. In two lists, because the first is looked
// through while others wait.
struct LockManager::ReadNames {
  std::vector<RequestId> ids;
  std::vector<LockName> names;

  void add(const RequestId& id, LockName name) {
    ids.push_back(id);
    names.push_back(std::move(name));
  }
  // Not in the critical section, because all that is there may be moved.
  void make_room(size_t more) {
    if (names.size() + more <= names.capacity()) return;
    ids.reserve(2 * (names.size() + more));
    names.reserve(2 * (names.size() + more));
  }
};

// All else that query() shows of a request.
struct LockManager::RequestNumbers {
  uint64_t order;
  AgentId owner;
  uint32_t name;  // its place in ReadNames
  bool exclusive;
  bool held;
};

namespace {

constexpr uint32_t kCellsToRead = 256;
constexpr size_t kNameBytesAtOnce = 1u << 16;
// How often the table may be busy. Its holder may have been stopped.
constexpr int kBusyMax = 5;

bool has_line(const RequestCell& request) {
  return request.owner.load() != 0 &&
         (is(request, RequestState::held) || is(request, RequestState::pending));
}

}  // namespace

uint32_t LockManager::read_names(uint32_t first, ReadNames* read) {
  const uint32_t end = std::min(cells_.used(), first + kCellsToRead - 1) + 1;
  size_t bytes = 0;
  uint32_t index = first;
  for (; index < end && bytes < kNameBytesAtOnce; index++) {
    const RequestCell& request = cells_.at(index);
    if (request.owner.load() == 0 || is(request, RequestState::abandoned)) continue;
    if (!alive(request.owner.load())) {
      bury(index);
    } else if (has_line(request)) {
      read->add({index, request.ticket}, cells_.name_of(index));
      bytes += request.name_length;
    }
  }
  return index;
}

void LockManager::read_numbers(std::vector<RequestNumbers>* numbers, ReadNames* read) {
  const size_t known = read->ids.size();
  size_t next = 0;
  for (uint32_t index = 1; index <= cells_.used(); index++) {
    const RequestCell& request = cells_.at(index);
    if (!has_line(request)) continue;
    while (next < known && read->ids[next].cell < index) next++;
    size_t name = next;
    if (next == known || read->ids[next].cell != index ||
        read->ids[next].ticket != request.ticket) {
      name = read->ids.size();
      read->add({index, request.ticket}, cells_.name_of(index));
    }
    const bool held = is(request, RequestState::held);
    numbers->push_back({held ? request.token : request.ticket, request.owner.load(),
                        static_cast<uint32_t>(name), (request.flags & kExclusive) != 0, held});
  }
}

bool LockManager::query(std::vector<RequestFacts>* all) {
  ReadNames read;
  int busy = 0;
  for (uint32_t next = 1; next != 0;) {
    read.make_room(kCellsToRead);
    Section section(*this);
    if (section.entered()) {
      next = next <= cells_.used() ? read_names(next, &read) : 0;
    } else if (section.status() != RequestStatus::busy || ++busy == kBusyMax) {
      return false;
    }
  }
  read.make_room(kCellsToRead);
  std::vector<RequestNumbers> numbers(read.names.size() + kCellsToRead);
  numbers.clear();  // it has room, and memory that has been written to is written faster
  {
    Section section(*this);
    if (!section.entered()) return false;
    read_numbers(&numbers, &read);
  }
  std::sort(numbers.begin(), numbers.end(),
            [](const auto& one, const auto& other) { return one.order < other.order; });
  all->reserve(numbers.size());
  for (const RequestNumbers& one : numbers) {
    all->push_back(
        {std::move(read.names[one.name]), one.owner, one.exclusive, one.held, one.order});
  }
  return true;
}

}  // namespace holdfast::core
