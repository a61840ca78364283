// The operating system as holdfast needs it, and nothing more.
//
// posix/ implements it by what every POSIX system has. linux/ and darwin/ replace single files of
// it where that system can do better, or does not keep to the standard. scripts/sources.mjs picks
// the files, the include path picks traits.h. Nothing above this directory contains an #ifdef.
//
// No function here blocks unless its comment says so. None throws. Failures come back as OsError.
#ifndef HOLDFAST_PLATFORM_PLATFORM_H
#define HOLDFAST_PLATFORM_PLATFORM_H

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

#include "traits.h"

namespace holdfast::platform {

// errnum == 0 means success; otherwise `call` names the system call that failed.
struct OsError {
  int errnum = 0;
  const char* call = nullptr;
  explicit operator bool() const { return errnum != 0; }
};

// ---------------------------------------------------------------- time

constexpr int64_t kNanosPerMilli = 1'000'000;
constexpr int64_t kForever = INT64_MAX;

int64_t monotonic_ns();  // CLOCK_MONOTONIC: setting the wall clock does not touch a wait
inline uint64_t monotonic_ms() { return static_cast<uint64_t>(monotonic_ns() / kNanosPerMilli); }
int64_t coarse_ns();     // the same to some milliseconds, at a tenth of the price
uint64_t realtime_us();  // wall clock, only to seed identifiers and to show creation times
void sleep_ns(int64_t ns);

// ---------------------------------------------------------------- identity

struct Identity {
  uint32_t pid = 0;
  uint32_t tid = 0;            // of the calling thread
  uint64_t start_time = 0;     // of the process, in the unit of the system; 0 if it cannot be known
  uint32_t pid_namespace = 0;  // pids compare only within one; 0 where there are no namespaces
};

Identity current_identity();
uint32_t current_pid();  // much cheaper

uint32_t
processor_count();  // of the machine: this thread may be tied to one, and others to another

// Is the process that had this identity still there? A pid that was used again has another start
// time. "true" when it cannot be told (another pid namespace), because exclusion errs towards
// alive.
bool process_exists(const Identity& identity);

void random_bytes(void* into, size_t length);

// Which boot of the machine this is, of those that files in the default directory outlive. Zero
// where none outlives the next, or where the system does not tell.
struct Boot {
  uint64_t words[2] = {0, 0};
};
Boot current_boot();

// ---------------------------------------------------------------- the directory and its files

// Where objects live when HOLDFAST_DIR is not set. Empty if the user has no home to put it in.
std::string default_directory();

enum class DirectoryFault { none, not_a_directory, foreign_owner, open_permissions, system };

// Opens `path`, creating it (mode 0700) if `create`. Never follows a symlink in its last component.
// Refuses a directory that another user owns or that group or others may enter.
DirectoryFault open_directory(const char* path, bool create, int* fd, OsError* error);
// Does `path` still lead to that directory? Also true if it cannot be told.
bool is_same_directory(const char* path, uint64_t device, uint64_t inode);
void remove_empty_directory(const char* path);
std::vector<std::string> list_directory(int directory_fd, OsError* error);

struct FileFacts {
  bool regular = false;
  bool owned = false;  // by the effective user
  uint64_t names = 0;  // hard links
  uint64_t length = 0;
  uint64_t device = 0;  // with the inode it tells the file from every other that exists now
  uint64_t inode = 0;
};

OsError open_file(int directory_fd, const char* name,
                  int* fd);  // existing; never through a symlink
OsError create_file(int directory_fd, const char* name, int* fd,
                    FileFacts* facts);  // O_EXCL, mode 0600 whatever the umask
OsError unlink_file(int directory_fd, const char* name);
OsError add_name(int directory_fd, const char* name, const char* another);  // a hard link
OsError rename_file(int directory_fd, const char* from, const char* to);    // over what is there
OsError file_facts(int fd, FileFacts* facts);
uint64_t inode_of(int directory_fd, const char* name);  // 0 if there is none
// Does the name still lead to that file? Also true if it cannot be told.
bool is_same_file(int directory_fd, const char* name, uint64_t inode);
// Gives the file `length` bytes without storage behind them; only what is reserved may be touched.
OsError set_length(int fd, uint64_t length);
// Puts storage behind a range that holds nothing yet: ENOSPC now rather than SIGBUS at a later
// store.
OsError reserve_space(int fd, uint64_t offset, uint64_t length);
OsError read_at_start(int fd, void* into, size_t length, size_t* got);
bool read_at(int fd, uint64_t offset, void* into,
             size_t length);  // false unless all of it was read
bool write_at(int fd, uint64_t offset, const void* from,
              size_t length);  // false unless all of it was written
// The mapping has an open file description of its own if the system gives it one (on Linux where
// /proc is mounted). So a flock on `fd` ends with the process, even while somebody keeps its
// memory: a reader of its entry in /proc does so for a moment, and a child of vfork(2) until it
// executes.
OsError map_file(int fd, size_t length, void** base);
void unmap_file(void* base, size_t length);
// Gives the file back, but not the addresses: code that still reads or writes there finds zeros.
// They are unmap_file's to give back.
void let_go_of_file(void* base, size_t length);
void close_descriptor(int fd);

// The descriptor is closed in every child that is forked from here on, until it is closed here.
// What it stands for must end with this process, and not with the last child that has a copy of it.
void keep_from_forks(int fd);

// A copy of the descriptor that those children do not close. It is a high number, which shells and
// scripts leave alone; -1 if there is none.
int copy_for_child(int fd);

// Did the call fail because this process, or the machine, has no descriptor to spare?
bool is_out_of_descriptors(int errnum);

// flock(2) belongs to the open file description: it ends with the last descriptor, so with the
// process. All three return at once; lock_* say EWOULDBLOCK when somebody else is in the way.
OsError lock_shared(int fd);
OsError lock_exclusive(int fd);
void unlock_file(int fd);

// ---------------------------------------------------------------- marks

// A mark says that a process is there: at one of kMarkPlaces places of an open file or directory,
// for as long as the descriptor is open. It is a lock on one byte (F_OFD_SETLK), so it ends with
// the process. Every process that can open the same file sees it, in any namespace, and nobody
// can take it away. All of it is in vain where the system has no such locks.
constexpr uint64_t kMarkPlaces = uint64_t{1} << 40;
OsError open_for_marks(const char* path, int* fd);
OsError place_mark(int fd, uint64_t place);
void remove_mark(int fd, uint64_t place);
// The processes that have a mark there, those of this descriptor not counted. Each pid is that of
// its own PID namespace.
std::vector<uint32_t> marks_of_others(int fd, uint64_t place);
// Tells it from every other that exists now. 0 where the system has none.
uint64_t mount_namespace();

// ---------------------------------------------------------------- doorbells

// A doorbell is a FIFO that only its agent has open for reading, so "has it a reader" is "is it
// alive", answered by the kernel. It is opened O_RDWR: it never reads end-of-file.
//
// At its doorbell an agent also hears of the deaths of the agents that it watches. It has a place
// for each of them, 0..kWatchesMax-1.
constexpr size_t kWatchesMax = 64;

struct Doorbell {
  static constexpr int kFree = -1;

  int fd = -1;         // of the FIFO
  int queue_fd = -1;   // macOS: of the kqueue that tells of wake-ups and of deaths. Elsewhere -1
  size_t watched = 0;  // places in use, and below
  int watches[kWatchesMax];  // by place: kFree, or what the platform watches

  Doorbell() {
    for (int& watch : watches) watch = kFree;
  }
};

OsError create_doorbell(const char* directory, int directory_fd, const char* name,
                        Doorbell* doorbell);
void close_doorbell(Doorbell* doorbell);  // its watches end too
// The tags that wait in the doorbell, at most `capacity`; 0 when it is empty.
size_t read_doorbell(const Doorbell& doorbell, uint64_t* tags, size_t capacity);
// The descriptor that an event loop polls: it can be read while the doorbell has tags in it and,
// if it is the kqueue, while take_death() would return a place.
int pollable_of(const Doorbell& doorbell);
// Blocks until the doorbell has been woken, the deadline (monotonic) has passed, a signal came, or
// an agent that is watched has died: then its place is returned, otherwise -1.
int wait_doorbell(Doorbell* doorbell, int64_t deadline_ns);
// The same in a thread that is not the agent's, on a copy: it takes nothing and changes nothing.
void wait_for_news(const Doorbell& doorbell, int64_t deadline_ns);

// ---- the doorbells of others

enum class Reader {
  present,
  absent,
  unknown,        // no such path
  no_descriptor,  // to open it with: see is_out_of_descriptors
};
Reader open_doorbell(int directory_fd, const char* name, int* writer_fd);
// The same of one that is open for writing, which must be the doorbell of that name.
Reader reader_of(int writer_fd, int directory_fd, const char* name);

enum class WakeResult {
  woken,
  full,  // the agent has hundreds of wakes to wake it already; or the kernel has no room for more
  no_reader
};
WakeResult write_doorbell(int writer_fd, uint64_t tag);

// ---- news of death

struct Watched {
  int directory_fd;
  const char* name;  // of its doorbell
  uint32_t pid;      // of its process
};
// Begins a watch in a free place. It is there only if the answer is `present`. It tells of the
// death of the process; elsewhere than on macOS, also of the end of an agent in a living process.
Reader watch_death(Doorbell* doorbell, size_t place, const Watched& who);
void end_watch(Doorbell* doorbell, size_t place);
// The place of a watched agent that has died and whose watch has not ended; -1 if there is none.
int take_death(Doorbell* doorbell);
// What an event loop polls for disconnection, for news of that death. -1: pollable_of() tells.
int pollable_of(const Doorbell& doorbell, size_t place);

// ---------------------------------------------------------------- named semaphores

// sem_open(3). `handle` is a sem_t*, which this header need not know.
struct NamedSemaphore {
  void* handle = nullptr;
};

constexpr size_t kSemaphoreNameMax = 31;  // with the slash and the final NUL: macOS' PSEMNAMLEN
constexpr uint32_t kSemaphoreValueMax = 32767;  // the largest value that every system allows

OsError create_semaphore(const char* name, uint32_t value, NamedSemaphore* semaphore);  // O_EXCL
// EACCES also if another user has made it, whatever its mode.
OsError open_semaphore(const char* name, NamedSemaphore* semaphore);
void close_semaphore(NamedSemaphore semaphore);
OsError unlink_semaphore(const char* name);
// Tells one semaphore of that name from another that came after it; 0 if there is none, or the
// system cannot tell.
uint64_t semaphore_inode(const char* name);

// Tells the names of semaphores that this process sees from those that a process in another
// container may see. "" where the whole machine has the same.
std::string semaphore_space();

// The directory in which the C library keeps semaphores; nullptr where they are no files.
const char* semaphore_directory();
// Marks a semaphore as one that may have no user for a while, so that is_kept_semaphore().
void keep_semaphore(const char* name);
// True also of a semaphore of another user, which nobody else may remove.
bool is_kept_semaphore(const char* name);
// The semaphores whose names begin so, of all users.
std::vector<std::string> list_semaphores(const char* prefix);

bool try_wait(NamedSemaphore semaphore);
OsError post(NamedSemaphore semaphore);
// Only where traits::kTimedWaits. Blocks until a token came (true) or the deadline passed.
bool wait_until(NamedSemaphore semaphore, int64_t deadline_ns);
// -1 where the system cannot tell (macOS has no sem_getvalue).
int32_t value_of(NamedSemaphore semaphore);

// ---------------------------------------------------------------- sleeping at a word

// Only where traits::kTimedWaits. Blocks while the word has this value, until wake_sleepers() names
// one of the caller's groups, or a signal came, or the deadline (monotonic) passed: then false.
bool sleep_while(const std::atomic<uint32_t>& word, uint32_t value, uint32_t groups,
                 int64_t deadline_ns);
// Wakes at most `count` of those who sleep at the word and are in one of the groups: first come,
// first woken. True if it woke anybody.
bool wake_sleepers(std::atomic<uint32_t>& word, uint32_t groups, int32_t count);

// ---------------------------------------------------------------- the robust mutex

// A mutex in shared memory that survives its owner. linux/: a pthread mutex (process-shared,
// robust, error-checking), whose owner is the calling thread. posix/, and linux/ under an emulator
// that has no robust mutexes: an owner word, with the caller's word for who is alive.
struct MutexParty {
  uint64_t id = 0;                                      // of the agent that asks
  bool (*alive)(uint64_t id, void* context) = nullptr;  // asked about another owner
  void* context = nullptr;
};

enum class MutexResult {
  locked,
  owner_died,  // locked, and its last holder died inside
  busy,
  mistaken_identity,  // the kernel's id of the owner is this thread's own, in another pid namespace
};

// True: it is a pthread mutex, and the kernel marks it when the thread that holds it ends. False:
// it is an owner word.
bool kernel_marks_mutexes();

void init_mutex(traits::MutexStorage* storage);
MutexResult try_lock_mutex(traits::MutexStorage* storage, const MutexParty& party);
// Blocks until locked or the deadline passed. Where kernel_marks_mutexes() the thread sleeps in the
// kernel and the death of the owner wakes it at once; elsewhere it yields and polls, which is right
// for short critical sections only.
MutexResult lock_mutex_until(traits::MutexStorage* storage, const MutexParty& party,
                             int64_t deadline_ns);
void unlock_mutex(traits::MutexStorage* storage, const MutexParty& party);

// ---------------------------------------------------------------- threads

// A thread of our own. No signal is handled in it.
struct Thread {
  void* handle = nullptr;
};

OsError start_thread(void (*run)(void*), void* context, Thread* thread);
void join_thread(Thread thread);  // blocks until run() has returned

// Tells the processor that this thread spins, so that it lets others have what it does not use.
inline void pause() {
#if defined(__x86_64__) || defined(__i386__)
  __builtin_ia32_pause();
#elif defined(__aarch64__)
  __asm__ __volatile__("yield");
#endif
}

// ---------------------------------------------------------------- memory order

// Orders an earlier atomic read-modify-write before later loads (the store-load order on which
// every "publish, then look" pair rests). A locked instruction is such a fence already on x86.
inline void fence_after_rmw() {
#if defined(__x86_64__) || defined(__i386__)
  __asm__ __volatile__("" ::: "memory");
#else
  __atomic_thread_fence(__ATOMIC_SEQ_CST);
#endif
}

}  // namespace holdfast::platform

#endif
