// The directory in which the C library keeps the semaphores of everybody, /dev/shm.
//
// If the directory of a store is removed by hand, nobody who enters another one can see whose its
// semaphores were. So their names begin with a prefix that stands for the store's directory, and
// each process that uses it has a mark (platform.h) on /dev/shm at the prefix's place. What has a
// prefix without marks has no users, and the next process that enters any directory takes it away:
//
//   - the semaphore of a Lock is only a permit to try. The next that opens the Lock makes another.
//   - that of a Semaphore which is persistent counts permits that must outlast their users. It is
//     kept (keep_semaphore), and stays until the machine is restarted.
//
// A newcomer and a sweeper never overlook each other: each has a mark before it looks for the
// other's. The newcomer waits for the sweeper, the sweeper leaves what it wanted.
//
//   newcomer   mark the prefix as used    is it being swept? wait    open, make
//   sweeper    mark it as being swept     is it used? leave it       remove, take the mark away
//
// Two containers may share the store's directory, and each have a /dev/shm of its own. Then neither
// sees the semaphores of the other, but may see one that it has left there itself and that had the
// same name. So a name also stands for the /dev/shm in which its semaphore was made: no process
// takes a semaphore for another one (Store::open_semaphore).
#ifndef HOLDFAST_CORE_STORE_SEMAPHORE_HOME_H
#define HOLDFAST_CORE_STORE_SEMAPHORE_HOME_H

#include <cstdint>
#include <string>

namespace holdfast::core {

class SemaphoreHome {
 public:
  SemaphoreHome() = default;
  ~SemaphoreHome();
  SemaphoreHome(const SemaphoreHome&) = delete;
  SemaphoreHome& operator=(const SemaphoreHome&) = delete;

  // `identity` is that of the store's directory. False if the prefix is being swept for longer than
  // an open may wait.
  bool enter(const std::string& identity, int64_t deadline_ns);
  // Removes the semaphores of directories that nobody uses.
  void sweep();
  // The same of this directory, if nobody else uses it. Only while it has no objects: then they are
  // those of a directory that was removed, or emptied, and whose number this one has now.
  void sweep_own();
  const std::string& prefix() const { return prefix_; }
  // What follows "/hf-" in the name of a new semaphore of the object that has that file key: the
  // prefix, and digits that stand for the object and for this /dev/shm.
  std::string key(const std::string& file_key) const;

 private:
  void sweep(const std::string& prefix);
  int fd_ = -1;
  std::string prefix_;
  uint64_t space_ = 0;  // stands for this /dev/shm
};

}  // namespace holdfast::core

#endif
