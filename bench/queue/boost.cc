// Boost.Interprocess message_queue, the stream of stream.mjs for Buffers: one producer, one consumer,
// forked. Bytes from one buffer to another, with nothing made of them.

#if !__has_include(<boost/interprocess/ipc/message_queue.hpp>)
#error "no Boost.Interprocess (libboost-dev)"
#else

#include <boost/interprocess/ipc/message_queue.hpp>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <string>
#include <vector>

namespace ipc = boost::interprocess;

static constexpr int kBatches = 3;
static constexpr size_t kRoomBytes = 16 << 20;
static constexpr size_t kMostMessages = 10000;

static int64_t now() {
  timespec t;
  clock_gettime(CLOCK_MONOTONIC, &t);
  return t.tv_sec * INT64_C(1000000000) + t.tv_nsec;
}

int main(int argc, char **argv) {
  if (argc < 4) return 2;
  const size_t size = std::string(argv[1]) == "kib64" ? 65536 : 1024;
  const int batches[1 + kBatches] = {atoi(argv[2]), atoi(argv[3]), atoi(argv[3]), atoi(argv[3])};

  const std::string name = "holdfast-bench-" + std::to_string(getpid());
  const size_t room = std::min(kMostMessages, kRoomBytes / size);
  ipc::message_queue queue(ipc::create_only, name.c_str(), room, size);
  // Both sides have it mapped; without a name nothing is left behind, however this ends.
  ipc::message_queue::remove(name.c_str());
  int told[2];
  if (pipe(told) != 0) return 1;

  std::vector<char> item(size, 'x');
  const pid_t peer = fork();
  if (peer < 0) return 1;
  if (peer == 0) {
    ipc::message_queue::size_type received;
    unsigned priority;
    for (int n : batches) {
      for (int i = 0; i < n; i++) queue.receive(item.data(), size, received, priority);
      const int64_t end = now();
      if (write(told[1], &end, sizeof end) != sizeof end) _exit(1);
    }
    _exit(0);
  }

  double perMessage[1 + kBatches];
  for (int batch = 0; batch <= kBatches; batch++) {
    const int64_t start = now();
    for (int i = 0; i < batches[batch]; i++) queue.send(item.data(), size, 0);
    int64_t end;
    if (read(told[0], &end, sizeof end) != sizeof end) return 1;
    perMessage[batch] = double(end - start) / batches[batch];
  }
  waitpid(peer, nullptr, 0);
  printf("{\"perMessage\":[%.1f,%.1f,%.1f]}\n", perMessage[1], perMessage[2], perMessage[3]);
}

#endif
