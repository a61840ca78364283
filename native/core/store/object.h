// An object that this process has open. Its agents share it.
#ifndef HOLDFAST_CORE_STORE_OBJECT_H
#define HOLDFAST_CORE_STORE_OBJECT_H

#include <atomic>
#include <string>
#include <utility>
#include <vector>

#include "core/layout.h"

namespace holdfast::core {

class Object {
 public:
  Header* header() const { return static_cast<Header*>(base_); }
  // What never changes is kept here, because every program of the user can write to the file.
  Kind kind() const { return kind_; }
  const std::string& name() const { return name_; }
  const std::string& posix_name() const { return posix_name_; }
  uint32_t initial() const { return initial_; }
  template <class Body>
  Body* body() const {
    return reinterpret_cast<Body*>(static_cast<char*>(base_) + sizeof(Header));
  }
  // What follows the body: a ring, a table, or bytes.
  char* table() const { return static_cast<char*>(base_) + table_offset_; }
  uint32_t table_offset() const { return table_offset_; }
  uint64_t table_length() const { return length_ - table_offset_; }
  template <class Entry>
  Entry& entry(uint64_t index) const {
    return reinterpret_cast<Entry*>(table())[index];
  }
  int descriptor() const { return fd_; }
  platform::NamedSemaphore semaphore() const { return {semaphore_.load()}; }
  uint64_t tag() const { return tag_; }

  // Did the last look find its file removed, or the directory (removal.cc)?
  bool is_removed() const { return removed_.load(std::memory_order_relaxed); }
  // Once a slice, for as long as the object is used, or so much later.
  bool look_is_due(int64_t late_ns = 0) const {
    return platform::coarse_ns() >= next_look_ns_.load(std::memory_order_relaxed) + late_ns;
  }

 private:
  friend class Store;
  bool has_unreported_death() const;
  void remember(Kind kind, uint32_t table_offset, uint32_t initial, uint64_t tag,
                std::string name) {
    kind_ = kind;
    table_offset_ = table_offset;
    initial_ = initial;
    tag_ = tag;
    name_ = std::move(name);
  }
  void* base_ = nullptr;
  size_t length_ = 0;
  int fd_ = -1;
  uint64_t device_ = 0, inode_ = 0;  // of the file
  std::atomic<void*> semaphore_{nullptr};
  std::atomic<uint64_t> semaphore_inode_{0};
  std::vector<platform::NamedSemaphore> old_semaphores_;  // see Store::renew_semaphore
  std::atomic<bool> removed_{false};
  std::atomic<int64_t> next_look_ns_{0};
  std::string file_name_;
  Kind kind_ = Kind::registry;
  uint32_t table_offset_ = kObjectLength;
  uint32_t initial_ = 0;
  uint64_t tag_ = 0;
  std::string name_;
  std::string posix_name_;
  uint32_t users_ = 0;
};

}  // namespace holdfast::core

#endif
