// A thread that polls for a JS thread.
//
//   listener: wait_for_news() ... the doorbell can be read, or somebody who is watched has died
//             armed = false; call the JS thread; wait until armed
//   JS:       read the doorbell, end the dead watches; armed = true
//
// In between the listener polls nothing: the descriptors stay ready until JS has read them, and it
// would turn in circles. A JS thread that is blocked for long costs nothing either.
//
// The JS thread makes the listener look again (at other watches, or at `stopping`) by a nudge: it
// writes kNudge into its own doorbell.
#include <condition_variable>
#include <mutex>

#include "addon/event_loop.h"

namespace holdfast::addon {

namespace {

class Listener final : public EventLoop {
 public:
  Listener(napi_env env, EventLoopClient& client) : env_(env), client_(client) {}
  ~Listener() override {
    stop();
    if (hooked_) napi_remove_env_cleanup_hook(env_, on_cleanup, this);
  }

  bool start(platform::Doorbell* doorbell) override {
    doorbell_ = doorbell;
    listened_ = *doorbell;
    napi_value name = nullptr;
    napi_create_string_utf8(env_, "holdfast", NAPI_AUTO_LENGTH, &name);
    if (napi_create_threadsafe_function(env_, nullptr, nullptr, name, 0, 1, nullptr, nullptr, this,
                                        on_news, &call_) != napi_ok) {
      return false;
    }
    napi_unref_threadsafe_function(env_, call_);
    started_ = !platform::start_thread([](void* self) { static_cast<Listener*>(self)->listen(); },
                                       this, &thread_);
    if (!started_) {
      napi_release_threadsafe_function(call_, napi_tsfn_abort);
      return false;
    }
    hooked_ = napi_add_env_cleanup_hook(env_, on_cleanup, this) == napi_ok;
    return true;
  }

  bool watch(size_t) override {
    listen_to(*doorbell_);
    return true;
  }
  void unwatch(size_t place) override {
    platform::Doorbell now = *doorbell_;
    now.watches[place] = platform::Doorbell::kFree;
    listen_to(now);
  }

  void stop() override {
    if (!started_) return;
    started_ = false;
    {
      const std::lock_guard<std::mutex> guard(mutex_);
      stopping_ = true;
    }
    changed_.notify_one();
    nudge();
    platform::join_thread(thread_);
    // Calls that are queued come without an env, or not at all.
    napi_release_threadsafe_function(call_, napi_tsfn_abort);
  }

 private:
  void nudge() { platform::write_doorbell(doorbell_->fd, kNudge); }

  void listen_to(const platform::Doorbell& doorbell) {
    {
      const std::lock_guard<std::mutex> guard(mutex_);
      listened_ = doorbell;
      if (!started_ || !armed_) return;
    }
    nudge();
  }

  // ---- the listener's thread

  void listen() {
    constexpr int64_t kHour_ns = 3600 * int64_t{1'000'000'000};
    for (;;) {
      platform::Doorbell listened;
      {
        std::unique_lock<std::mutex> lock(mutex_);
        changed_.wait(lock, [this] { return armed_ || stopping_; });
        if (stopping_) return;
        listened = listened_;
      }
      platform::wait_for_news(listened, platform::monotonic_ns() + kHour_ns);
      const std::lock_guard<std::mutex> guard(mutex_);
      if (stopping_) return;
      armed_ = false;
      napi_call_threadsafe_function(call_, nullptr, napi_tsfn_nonblocking);
    }
  }

  // ---- the JS thread again

  static void on_news(napi_env env, napi_value, void* context, void*) {
    if (env == nullptr) return;  // it ends; the context may be gone
    static_cast<Listener*>(context)->take_news();
  }

  void take_news() {
    if (!started_) return;
    client_.on_doorbell();
    if (!started_) return;  // that ended the thread
    if (const int dead = platform::take_death(doorbell_); dead >= 0) {
      client_.on_death(static_cast<size_t>(dead));
    }
    {
      const std::lock_guard<std::mutex> guard(mutex_);
      armed_ = true;
    }
    changed_.notify_one();
  }

  static void on_cleanup(void* data) {
    auto* self = static_cast<Listener*>(data);
    self->hooked_ = false;
    self->client_.on_thread_end();
  }

  napi_env env_;
  EventLoopClient& client_;
  napi_threadsafe_function call_ = nullptr;
  platform::Thread thread_;
  bool started_ = false;
  bool hooked_ = false;
  platform::Doorbell* doorbell_ = nullptr;  // the JS thread's
  std::mutex mutex_;                        // of what follows
  std::condition_variable changed_;
  bool armed_ = true;
  bool stopping_ = false;
  platform::Doorbell listened_;  // a copy, written by the JS thread
};

}  // namespace

std::unique_ptr<EventLoop> make_listener(napi_env env, EventLoopClient& client) {
  return std::make_unique<Listener>(env, client);
}

}  // namespace holdfast::addon
