#include <uv.h>

#include <utility>

#include "addon/event_loop.h"

namespace holdfast::addon {

namespace {

// A poll of libuv. Lives until libuv has closed it, which may be after the event loop's end.
struct Poll : uv_poll_t {
  EventLoopClient* client = nullptr;
  size_t place = 0;
  napi_async_cleanup_hook_handle hook = nullptr;  // of the doorbell's, once the thread ends
};

void close_poll(Poll* poll) {
  uv_close(reinterpret_cast<uv_handle_t*>(poll), [](uv_handle_t* handle) {
    auto* closed = static_cast<Poll*>(reinterpret_cast<uv_poll_t*>(handle));
    if (closed->hook != nullptr) napi_remove_async_cleanup_hook(closed->hook);
    delete closed;
  });
}

class UvEventLoop final : public EventLoop {
 public:
  UvEventLoop(napi_env env, EventLoopClient& client) : env_(env), client_(client) {}

  // If it does not last as long as its thread.
  ~UvEventLoop() override {
    if (main_poll_ == nullptr) return;
    napi_remove_async_cleanup_hook(hook_);
    close_poll(main_poll_);
  }

  bool start(platform::Doorbell* doorbell) override {
    doorbell_ = doorbell;
    const int fd = platform::pollable_of(*doorbell);
    main_poll_ = poll(fd, UV_READABLE, 0, [](uv_poll_t* ready, int, int) {
      static_cast<Poll*>(ready)->client->on_doorbell();
    });
    if (main_poll_ == nullptr) return false;
    napi_add_async_cleanup_hook(env_, on_cleanup, this, &hook_);
    return true;
  }

  bool watch(size_t place) override {
    const int fd = platform::pollable_of(*doorbell_, place);
    if (fd < 0) return true;  // the doorbell itself tells of deaths
    // libuv reports the lost reader as an error, or as a disconnection. If it cannot be polled, the
    // slice will have to do.
    watches_[place] = poll(fd, UV_DISCONNECT, place, [](uv_poll_t* ready, int, int) {
      auto* dead = static_cast<Poll*>(ready);
      dead->client->on_death(dead->place);
    });
    return watches_[place] != nullptr;
  }

  void unwatch(size_t place) override {
    Poll* poll = std::exchange(watches_[place], nullptr);
    if (poll == nullptr) return;
    uv_poll_stop(poll);
    close_poll(poll);
  }

  void stop() override {
    if (main_poll_ != nullptr) uv_poll_stop(main_poll_);
  }

 private:
  // nullptr: libuv cannot poll it.
  Poll* poll(int fd, int events, size_t place, uv_poll_cb call) {
    uv_loop_t* loop = nullptr;
    if (napi_get_uv_event_loop(env_, &loop) != napi_ok) return nullptr;
    auto* poll = new Poll();
    if (uv_poll_init(loop, poll, fd) != 0) {
      delete poll;
      return nullptr;
    }
    poll->client = &client_;
    poll->place = place;
    uv_unref(reinterpret_cast<uv_handle_t*>(poll));
    if (uv_poll_start(poll, events, call) == 0) return poll;
    close_poll(poll);
    return nullptr;
  }

  // The thread ends. Node waits until the hook is removed, so libuv gets the time to close it.
  static void on_cleanup(napi_async_cleanup_hook_handle hook, void* data) {
    auto* self = static_cast<UvEventLoop*>(data);
    self->client_.on_thread_end();
    self->main_poll_->hook = hook;
    close_poll(std::exchange(self->main_poll_, nullptr));
  }

  napi_env env_;
  EventLoopClient& client_;
  napi_async_cleanup_hook_handle hook_ = nullptr;
  platform::Doorbell* doorbell_ = nullptr;
  Poll* main_poll_ = nullptr;
  Poll* watches_[platform::kWatchesMax] = {};
};

}  // namespace

std::unique_ptr<EventLoop> make_uv_event_loop(napi_env env, EventLoopClient& client) {
  return std::make_unique<UvEventLoop>(env, client);
}

}  // namespace holdfast::addon
