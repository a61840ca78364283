// Boost.Interprocess message_queue: bytes from one buffer to another, with nothing made of them.
//
//   queue-boost <form> <payload> <producers> <consumers> <warm-up> <messages>
//
// The form `one-buffer` receives every message into the same buffer. The form `kept` gives each
// message memory of its own, and frees it when 32 MiB have come together, as V8 does with Buffers:
// what a program must do that hands each message to somebody.

#if !__has_include(<boost/interprocess/ipc/message_queue.hpp>)
#error "no Boost.Interprocess (libboost-dev)"
#else

#include "crowd.h"

#ifdef __GLIBC__
#include <malloc.h>
#endif

#include <boost/interprocess/ipc/message_queue.hpp>
#include <memory>

namespace ipc = boost::interprocess;

static constexpr size_t kRoomBytes = 16 << 20;
static constexpr size_t kMostMessages = 10000;
static constexpr size_t kKeptBytes = 32 << 20;

// Messages that somebody may still read.
class Kept {
 public:
  explicit Kept(size_t size) : size_(size) {
    // As holdfast does for large items: the heap keeps the memory that is freed at once.
#ifdef __GLIBC__
    mallopt(M_MMAP_THRESHOLD, int{kKeptBytes});
    mallopt(M_TRIM_THRESHOLD, int{2 * kKeptBytes});
#endif
  }

  char* next() {
    if (messages_.size() * size_ >= kKeptBytes) messages_.clear();
    messages_.emplace_back(new char[size_]);
    return messages_.back().get();
  }

 private:
  const size_t size_;
  std::vector<std::unique_ptr<char[]> > messages_;
};

int main(int argc, char** argv) {
  const std::string form = argc > 1 ? argv[1] : "";
  if (form != "one-buffer" && form != "kept") Crowd::fail("forms: one-buffer, kept");
  const Crowd crowd = Crowd::of(argc - 1, argv + 1);
  const std::string name = "holdfast-bench-" + std::to_string(getpid());
  const size_t room = std::min(kMostMessages, kRoomBytes / crowd.size);
  ipc::message_queue queue(ipc::create_only, name.c_str(), room, crowd.size);
  // All sides have it mapped. Without a name nothing is left behind, however this program ends.
  ipc::message_queue::remove(name.c_str());

  ipc::message_queue::size_type received;
  unsigned priority;
  Kept kept(crowd.size);
  const bool is_kept = form == "kept";
  crowd.play([&](const char* item) { queue.send(item, crowd.size, 0); },
             [&](char* item) {
               queue.receive(is_kept ? kept.next() : item, crowd.size, received, priority);
             });
}

#endif
