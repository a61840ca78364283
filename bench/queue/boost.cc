// Boost.Interprocess message_queue: bytes from one buffer to another, with nothing made of them.

#if !__has_include(<boost/interprocess/ipc/message_queue.hpp>)
#error "no Boost.Interprocess (libboost-dev)"
#else

#include "crowd.h"

#include <boost/interprocess/ipc/message_queue.hpp>

namespace ipc = boost::interprocess;

static constexpr size_t kRoomBytes = 16 << 20;
static constexpr size_t kMostMessages = 10000;

int main(int argc, char** argv) {
  const Crowd crowd = Crowd::of(argc, argv);
  const std::string name = "holdfast-bench-" + std::to_string(getpid());
  const size_t room = std::min(kMostMessages, kRoomBytes / crowd.size);
  ipc::message_queue queue(ipc::create_only, name.c_str(), room, crowd.size);
  // All sides have it mapped. Without a name nothing is left behind, however this program ends.
  ipc::message_queue::remove(name.c_str());

  ipc::message_queue::size_type received;
  unsigned priority;
  crowd.play([&](const char* item) { queue.send(item, crowd.size, 0); },
             [&](char* item) { queue.receive(item, crowd.size, received, priority); });
}

#endif
