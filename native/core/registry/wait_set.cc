#include "core/registry/wait_set.h"

#include "core/kill_point.h"
#include "core/registry/dozing.h"
#include "core/registry/overdue.h"

namespace holdfast::core {

namespace {

uint64_t bit_of(uint32_t index) { return uint64_t{1} << (index % 64); }

std::atomic<uint64_t>& word_of(WaitSet& set, uint32_t index) { return set.wake_bits[index / 64]; }

int take_free_entry(WaitSet& set, AgentId id, uint32_t waiting) {
  const uint32_t start = set.next_enrol.fetch_add(1, std::memory_order_relaxed);
  KILL_POINT("wait_set.enrol.hint");
  for (uint32_t step = 0; step < kWaitSetSize; step++) {
    const uint32_t index = (start + step) % kWaitSetSize;
    uint64_t expected = 0;
    if (set.entry[index].load(std::memory_order_relaxed) == 0 &&
        set.entry[index].compare_exchange_strong(expected, id)) {
      KILL_POINT("wait_set.enrol.entry");
      set.waiting[index].store(waiting, std::memory_order_relaxed);
      KILL_POINT("wait_set.enrol.waiting");
      return static_cast<int>(index);
    }
  }
  return -1;
}

bool remove_dead(WaitSet& set, Registry& registry) {
  bool removed = false;
  for (std::atomic<uint64_t>& entry : set.entry) {
    uint64_t id = entry.load();
    if (id != 0 && !registry.alive(id)) removed |= entry.compare_exchange_strong(id, 0);
    KILL_POINT("wait_set.remove_dead.entry");
  }
  return removed;
}

void ask_to_be_woken(WaitSet& set, uint32_t index) {
  word_of(set, index).fetch_or(bit_of(index));
  KILL_POINT("wait_set.ask_to_be_woken.bit");
  platform::fence_after_rmw();  // INV-4: pairs with the fence in wake_one
}

void ask_not_to_be_woken(WaitSet& set, uint32_t index) {
  word_of(set, index).fetch_and(~bit_of(index));
  KILL_POINT("wait_set.ask_not_to_be_woken.bit");
}

// Takes out what stands in the entry, if that asks to be woken. 0: it does not.
AgentId take_out(WaitSet& set, uint32_t index) {
  if ((word_of(set, index).fetch_and(~bit_of(index)) & bit_of(index)) == 0) return 0;
  KILL_POINT("wait_set.take_out.bit");
  const AgentId id = set.entry[index].exchange(0);
  KILL_POINT("wait_set.take_out.entry");
  return id;
}

// The others would give way to the overdue agent, so it is the one to wake. False if nobody is
// overdue, or if that one waits in the kernel or looks at this moment.
bool wake_overdue(WaitSet& set, Registry& registry, uint64_t tag) {
  const AgentId overdue = overdue_agent(set.overdue.load(std::memory_order_relaxed), registry);
  if (overdue == 0) return false;
  for (uint32_t index = 0; index < kWaitSetSize; index++) {
    if (set.entry[index].load() != overdue) continue;
    // Somebody else may be in the entry by now, and be woken instead: once too often is harmless.
    const AgentId id = take_out(set, index);
    if (id != 0 && registry.wake(id, tag)) return true;
  }
  return false;
}

}  // namespace

int enrol(WaitSet& set, Registry& registry, AgentId id, uint32_t waiting, WaitHow how) {
  int index = take_free_entry(set, id, waiting);
  if (index < 0 && remove_dead(set, registry)) index = take_free_entry(set, id, waiting);
  // The entry before the bit: a waker that took the bit first would find nobody and leave the entry
  // without one.
  if (index >= 0) {
    if (how == WaitHow::at_doorbell) {
      ask_to_be_woken(set, static_cast<uint32_t>(index));
    } else {
      // Somebody may have died and left the bit: a wake-up for us would be lost to those who want
      // one.
      ask_not_to_be_woken(set, static_cast<uint32_t>(index));
    }
  }
  return index;
}

int enrol_again(WaitSet& set, Registry& registry, AgentId id, uint32_t waiting, int index) {
  if (index >= 0 && set.entry[index].load() == id) {
    set.waiting[index].store(waiting, std::memory_order_relaxed);
    KILL_POINT("wait_set.enrol_again.waiting");
    ask_to_be_woken(set, static_cast<uint32_t>(index));
    return index;
  }
  return enrol(set, registry, id, waiting, WaitHow::at_doorbell);
}

bool is_enrolled(const WaitSet& set, AgentId id, int index) {
  if (index < 0 || set.entry[index].load() != id) return false;
  const auto at = static_cast<uint32_t>(index);
  return (set.wake_bits[at / 64].load() & bit_of(at)) != 0;
}

bool cancel(WaitSet& set, AgentId id, int index) {
  if (index < 0) return true;
  // The bit stays: by now it may be another's, who is in this entry since a waker took us out. If
  // it is ours, the next waker takes it and finds nobody.
  const bool cancelled = set.entry[index].compare_exchange_strong(id, 0);
  KILL_POINT("wait_set.cancel.entry");
  return cancelled;
}

bool wake_one(WaitSet& set, Registry& registry, uint64_t tag) {
  // INV-4: pairs with the fences in ask_to_be_woken and begin_to_doze
  platform::fence_after_rmw();
  if (is_anybody_dozing(set) && wake_dozers(set, registry, tag)) return true;
  constexpr uint32_t kWords = kWaitSetSize / 64;
  bool anybody = false;
  for (const std::atomic<uint64_t>& word : set.wake_bits) {
    anybody |= word.load(std::memory_order_relaxed) != 0;
  }
  if (!anybody) return false;
  if (wake_overdue(set, registry, tag)) return true;

  const uint32_t start = set.next_wake.load(std::memory_order_relaxed) % kWaitSetSize;
  // One round over the words, beginning and ending in the one that `start` is in.
  for (uint32_t step = 0; step <= kWords; step++) {
    const uint32_t base = ((start / 64 + step) % kWords) * 64;
    const uint64_t at_or_after = ~uint64_t{0} << (start % 64);
    const uint64_t mask = step == 0 ? at_or_after : step == kWords ? ~at_or_after : ~uint64_t{0};
    std::atomic<uint64_t>& word = word_of(set, base);
    for (uint64_t bits = word.load() & mask; bits != 0; bits &= bits - 1) {
      const uint32_t index = base + static_cast<uint32_t>(__builtin_ctzll(bits));
      const AgentId id = take_out(set, index);
      if (id == 0) continue;  // another waker has it
      set.next_wake.store(index + 1, std::memory_order_relaxed);
      KILL_POINT("wait_set.wake_one.hint");
      if (registry.wake(id, tag)) return true;
    }
  }
  return false;
}

void wake_all(WaitSet& set, Registry& registry, uint64_t tag) {
  // Bounded: who is woken may come back and ask again.
  for (uint32_t i = 0; i < kWaitSetSize && wake_one(set, registry, tag); i++) {
  }
}

bool ring_all(WaitSet& set, Registry& registry, uint64_t tag) {
  // First who is there: whoever is rung may come back in an entry that is still to come.
  struct Seen {
    uint32_t index;
    AgentId id;
  };
  Seen seen[kWaitSetSize];
  uint32_t count = 0;
  for (uint32_t index = 0; index < kWaitSetSize; index++) {
    const AgentId id = set.entry[index].load();
    if (id != 0) seen[count++] = {index, id};
  }
  bool anybody = false;
  for (uint32_t i = 0; i < count; i++) {
    const auto [index, id] = seen[i];
    if (set.entry[index].load() != id) continue;  // it is awake, or another one wakes it
    // Before the wake-up: who is awake sets it again.
    ask_not_to_be_woken(set, index);
    anybody |= registry.wake(id, tag);
  }
  return anybody;
}

uint32_t count_waiting(WaitSet& set, Registry& registry) {
  uint32_t count = 0;
  for (uint32_t index = 0; index < kWaitSetSize; index++) {
    const AgentId id = set.entry[index].load();
    if (id != 0 && registry.alive(id)) count += set.waiting[index].load(std::memory_order_relaxed);
  }
  return count;
}

void reset(WaitSet& set) {
  for (std::atomic<uint64_t>& word : set.wake_bits) word.store(0);
  KILL_POINT("wait_set.reset.wake_bits");
  for (std::atomic<uint64_t>& entry : set.entry) entry.store(0);
  KILL_POINT("wait_set.reset.entries");
  set.overdue.store(0);
  KILL_POINT("wait_set.reset.overdue");
  set.given_way.store(0);
  KILL_POINT("wait_set.reset.given_way");
  set.dozing.store(0);
  KILL_POINT("wait_set.reset.dozing");
}

}  // namespace holdfast::core
