// What tells a JS thread that a descriptor has news for it: its doorbell was woken, or the reader
// of a doorbell that it watches is gone.
//
// There are two. Node has a loop of libuv, which polls descriptors (uv_event_loop.cc). Bun has
// none, and aborts the process when an addon polls. Deno has none either, and imitates some of
// libuv. For both, a thread of ours polls, and calls into the JS thread (listener.cc).
//
// Everything here belongs to the JS thread.
#ifndef HOLDFAST_ADDON_EVENT_LOOP_H
#define HOLDFAST_ADDON_EVENT_LOOP_H

#include <node_api.h>

#include <cstddef>
#include <cstdint>
#include <memory>

#include "platform/platform.h"

namespace holdfast::addon {

// Who is called, in the JS thread.
class EventLoopClient {
 public:
  virtual ~EventLoopClient() = default;
  virtual void on_doorbell() = 0;
  virtual void on_death(size_t place) = 0;
  virtual void on_thread_end() = 0;  // of the JS thread: it is to stop() the loop, if it has not
};

class EventLoop {
 public:
  virtual ~EventLoop() = default;
  // Calls on_doorbell() whenever the doorbell has news; they are taken there. None of this keeps
  // the process alive: a pending wait does, through its slice timer. False: not possible.
  virtual bool start(platform::Doorbell* doorbell) = 0;
  // Calls on_death(place) when the agent that the doorbell watches in that place has died, until
  // unwatch(place), which comes before the watch ends. Where deaths are news of the doorbell itself
  // on_doorbell() is called. False: not possible.
  virtual bool watch(size_t place) = 0;
  virtual void unwatch(size_t place) = 0;
  // No call from here on but on_thread_end(). Comes before the doorbell is closed.
  virtual void stop() = 0;
};

// A tag that wakes the JS thread and stands for nothing: no wait set has it.
constexpr uint64_t kNudge = UINT64_MAX;

std::unique_ptr<EventLoop> make_uv_event_loop(napi_env env, EventLoopClient& client);
std::unique_ptr<EventLoop> make_listener(napi_env env, EventLoopClient& client);

}  // namespace holdfast::addon

#endif
