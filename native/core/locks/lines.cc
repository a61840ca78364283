#include "core/locks/lines.h"

#include <cstring>

#include "core/kill_point.h"

namespace holdfast::core {

namespace {

constexpr uint32_t kFirstBuckets = 8;
constexpr uint32_t kBucketsAtOnce = 1024;  // that get storage

// Linear hashing: a bucket that is added takes names from one other, whose number is the same
// without its first bit.
uint32_t bucket_of(uint64_t hash, uint32_t buckets) {
  const uint32_t mask = ~0u >> __builtin_clz(buckets - 1);
  const uint32_t place = static_cast<uint32_t>(hash) & mask;
  return place < buckets ? place : place & (mask >> 1);
}

}  // namespace

uint32_t& Lines::bucket(uint64_t hash) {
  const uint32_t buckets = body_.buckets.load();
  if (buckets < kFirstBuckets || buckets > cells_.shape().buckets) {
    cells_.set_damaged(true);
    return no_bucket_ = 0;
  }
  return all_buckets()[bucket_of(hash, buckets)];
}

bool Lines::add_buckets() {
  const uint32_t buckets = body_.buckets.load();
  if (buckets % kBucketsAtOnce == 0) {
    const uint64_t offset = object_.table_offset() + cells_.shape().buckets_offset;
    if (platform::reserve_space(object_.descriptor(), offset + buckets * sizeof(uint32_t),
                                kBucketsAtOnce * sizeof(uint32_t))) {
      return false;
    }
    KILL_POINT("lines.add_buckets.reserved");
  }
  body_.buckets.store(buckets == 0 ? kFirstBuckets : buckets + 1);
  KILL_POINT("lines.add_buckets.buckets");
  if (buckets != 0) move_names_to(buckets);
  return true;
}

void Lines::move_names_to(uint32_t added) {
  uint32_t& there = all_buckets()[added];
  there = 0;
  uint32_t* link = &all_buckets()[bucket_of(added, added)];
  for (uint32_t steps = cells_.used(); *link != 0; steps--) {
    if (steps == 0) {
      cells_.set_damaged(true);
      return;
    }
    const uint32_t index = *link;
    RequestCell& leader = cells_.at(index);
    if (bucket_of(leader.name_hash, added + 1) != added) {
      link = &leader.bucket_next;
      continue;
    }
    *link = leader.bucket_next;
    KILL_POINT("lines.move_names_to.link");
    leader.bucket_next = there;
    there = index;
  }
  KILL_POINT("lines.move_names_to.there");
}

uint32_t Lines::find(const LockName& name) {
  if (body_.buckets.load() == 0) return 0;
  uint32_t index = bucket(name.hash);
  // No list is longer than there are cells, unless it leads back into itself.
  for (uint32_t steps = cells_.used(); index != 0; steps--) {
    if (steps == 0) {
      cells_.set_damaged(true);
      return 0;
    }
    if (cells_.has_name(index, name)) return index;
    index = cells_.at(index).bucket_next;
  }
  return 0;
}

void Lines::add_leader(uint32_t index) {
  uint32_t& first = bucket(cells_.at(index).name_hash);
  cells_.at(index).bucket_next = first;
  first = index;
}

void Lines::replace_leader(uint32_t leader, uint32_t other) {
  uint32_t* link = &bucket(cells_.at(leader).name_hash);
  for (uint32_t steps = cells_.used(); *link != leader; steps--) {
    if (steps == 0 || *link == 0) {
      cells_.set_damaged(true);
      return;
    }
    link = &cells_.at(*link).bucket_next;
  }
  const uint32_t next = cells_.at(leader).bucket_next;
  *link = other == 0 ? next : other;
  if (other != 0) cells_.at(other).bucket_next = next;
  KILL_POINT("lines.replace_leader.link");
}

uint32_t Lines::append(uint32_t leader, uint32_t index) {
  RequestCell& added = cells_.at(index);
  added.next = 0;
  body_.requests++;
  if (leader == 0) {
    added.previous = index;
    added.first_pending = is(added, RequestState::pending) ? index : 0;
    body_.names++;
    add_leader(index);
    KILL_POINT("lines.append.leader");
    const uint32_t buckets = body_.buckets.load();
    if (body_.names > buckets && buckets < cells_.shape().buckets) add_buckets();
    return index;
  }
  RequestCell& first = cells_.at(leader);
  added.previous = first.previous;
  cells_.at(first.previous).next = index;
  KILL_POINT("lines.append.next");
  first.previous = index;
  if (first.first_pending == 0 && is(added, RequestState::pending)) first.first_pending = index;
  KILL_POINT("lines.append.last");
  return leader;
}

uint32_t Lines::prepend(uint32_t leader, uint32_t index) {
  if (leader == 0) return append(0, index);
  RequestCell& added = cells_.at(index);
  RequestCell& second = cells_.at(leader);
  body_.requests++;
  added.next = leader;
  added.previous = second.previous;
  added.first_pending = second.first_pending;
  replace_leader(leader, index);
  second.previous = index;
  KILL_POINT("lines.prepend.second");
  return index;
}

uint32_t Lines::remove(uint32_t leader, uint32_t index) {
  RequestCell& gone = cells_.at(index);
  const uint32_t next = gone.next;
  body_.requests--;
  if (index == leader) {
    replace_leader(leader, next);
    if (next == 0) {
      body_.names--;
      return 0;
    }
    RequestCell& first = cells_.at(next);
    first.previous = gone.previous;
    first.first_pending = gone.first_pending == index ? next : gone.first_pending;
    KILL_POINT("lines.remove.leader");
    return next;
  }
  RequestCell& first = cells_.at(leader);
  cells_.at(gone.previous).next = next;
  KILL_POINT("lines.remove.next");
  if (next == 0) {
    first.previous = gone.previous;
  } else {
    cells_.at(next).previous = gone.previous;
  }
  if (first.first_pending == index) first.first_pending = next;
  KILL_POINT("lines.remove.last");
  return leader;
}

uint32_t Lines::first_holder(uint32_t leader) {
  if (leader == 0) return 0;
  const RequestCell& first = cells_.at(leader);
  const uint32_t index = is(first, RequestState::abandoned) ? first.next : leader;
  return index == first.first_pending ? 0 : index;
}

void Lines::add_to_agent(uint32_t index) {
  RequestCell& added = cells_.at(index);
  added.slot = static_cast<uint32_t>(added.owner.load() & (kSlotCount - 1));
  uint32_t& first = agent_head(added.slot);
  added.agent_next = 0;
  if (first == 0) {
    added.agent_previous = index;
    first = index;
  } else {
    const uint32_t last = cells_.at(first).agent_previous;
    added.agent_previous = last;
    cells_.at(last).agent_next = index;
    cells_.at(first).agent_previous = index;
  }
  KILL_POINT("lines.add_to_agent.last");
}

void Lines::remove_from_agent(uint32_t index) {
  const RequestCell& gone = cells_.at(index);
  uint32_t& first = agent_head(gone.slot);
  const uint32_t next = gone.agent_next, previous = gone.agent_previous;
  if (next != 0) {
    cells_.at(next).agent_previous = previous;
  } else if (first != index) {
    cells_.at(first).agent_previous = previous;
  }
  if (first == index) {
    first = next;
  } else {
    cells_.at(previous).agent_next = next;
  }
  KILL_POINT("lines.remove_from_agent.next");
}

void Lines::put_first(uint32_t index) {
  remove_from_agent(index);
  RequestCell& request = cells_.at(index);
  uint32_t& first = agent_head(request.slot);
  request.agent_next = first;
  request.agent_previous = first == 0 ? index : cells_.at(first).agent_previous;
  if (first != 0) cells_.at(first).agent_previous = index;
  first = index;
  KILL_POINT("lines.put_first.first");
}

void Lines::clear() {
  memset(object_.table(), 0, TableShape::kAgentsLength);
  if (const uint32_t buckets = body_.buckets.load(); buckets != 0) {
    memset(all_buckets(), 0, uint64_t{buckets} * sizeof(uint32_t));
  }
  body_.requests = body_.names = body_.exclusive_holders = 0;
  KILL_POINT("lines.clear.buckets");
}

}  // namespace holdfast::core
