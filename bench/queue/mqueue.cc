// POSIX message queues: bytes through the kernel. They have the size that Linux gives an ordinary
// user, ten messages of at most 8 KiB (/proc/sys/fs/mqueue).

#include "crowd.h"

#include <fcntl.h>
#include <mqueue.h>

int main(int argc, char** argv) {
  const Crowd crowd = Crowd::of(argc, argv);
  const std::string name = "/holdfast-bench-" + std::to_string(getpid());
  mq_attr attributes = {};
  attributes.mq_maxmsg = 10;
  attributes.mq_msgsize = static_cast<long>(crowd.size);
  const mqd_t queue = mq_open(name.c_str(), O_CREAT | O_EXCL | O_RDWR, 0600, &attributes);
  if (queue == static_cast<mqd_t>(-1)) Crowd::fail("mq_open");
  // All sides inherit it. Without a name nothing is left behind, however this program ends.
  mq_unlink(name.c_str());

  crowd.play(
      [&](const char* item) {
        if (mq_send(queue, item, crowd.size, 0) != 0) Crowd::fail("mq_send");
      },
      [&](char* item) {
        if (mq_receive(queue, item, crowd.size, nullptr) < 0) Crowd::fail("mq_receive");
      });
}
