// The core of holdfast without Node: `core <variant> <pairs>` runs so many uncontended
// acquire/release pairs and prints nothing. instructions/count.mjs counts what they cost.

#include <unistd.h>

#include <cstdio>
#include <cstdlib>
#include <memory>
#include <string>

#include "core/agents/agent.h"
#include "core/primitives/lock.h"
#include "core/primitives/rlock.h"
#include "core/store/store.h"

using namespace holdfast;

static void check(const core::Status& status, const char* what) {
  if (status.ok()) return;
  fprintf(stderr, "%s: %s\n", what, status.detail.c_str());
  exit(1);
}

template <class Primitive>
static void pairs(Primitive& lock, long n) {
  for (long i = 0; i < n; i++) {
    if (!lock.try_acquire() || lock.release() != core::Code::ok) exit(1);
  }
}

int main(int argc, char** argv) {
  const char* directory = getenv("HOLDFAST_DIR");
  if (argc != 3 || directory == nullptr) return 2;
  const std::string variant = argv[1];
  const long n = atol(argv[2]);

  std::shared_ptr<core::Store> store;
  check(core::Store::enter(directory, &store), "enter");
  std::unique_ptr<core::Agent> agent;
  check(core::Agent::begin(store, 0, "bench", &agent), "agent");

  core::OpenRequest request;
  request.kind = variant == "lock" ? core::Kind::lock : core::Kind::rlock;
  request.name = "bench";
  // src/ makes a digest of a name. Here any text of that length will do. Each process has its own.
  char digest[27];
  snprintf(digest, sizeof digest, "%026lx", static_cast<long>(getpid()));
  request.file_key = digest;
  request.semaphore_key = digest;
  core::Object* object = nullptr;
  check(store->open(request, &object), "open");

  if (variant == "lock") {
    core::Lock lock(*agent, *object);
    pairs(lock, n);
  } else {
    core::RLock lock(*agent, *object);
    if (variant == "rlock-nested" && !lock.try_acquire()) return 1;
    pairs(lock, n);
    if (variant == "rlock-nested" && lock.release() != core::Code::ok) return 1;
  }
  store->close(object);
}
