#include <pthread.h>
#include <signal.h>

#include "platform/platform.h"

namespace holdfast::platform {

namespace {

struct Start {
  void (*run)(void*);
  void* context;
};

}  // namespace

OsError start_thread(void (*run)(void*), void* context, Thread* thread) {
  // It inherits the mask, and so never gets a signal that is the program's.
  sigset_t all, before;
  sigfillset(&all);
  pthread_sigmask(SIG_SETMASK, &all, &before);
  auto* start = new Start{run, context};
  auto* handle = new pthread_t;
  const int errnum = pthread_create(
      handle, nullptr,
      [](void* data) -> void* {
        const Start given = *static_cast<Start*>(data);
        delete static_cast<Start*>(data);
        given.run(given.context);
        return nullptr;
      },
      start);
  pthread_sigmask(SIG_SETMASK, &before, nullptr);
  if (errnum != 0) {
    delete start;
    delete handle;
    return {errnum, "pthread_create"};
  }
  thread->handle = handle;
  return {};
}

void join_thread(Thread thread) {
  auto* handle = static_cast<pthread_t*>(thread.handle);
  pthread_join(*handle, nullptr);
  delete handle;
}

}  // namespace holdfast::platform
