// uv_poll_t as libuv has it on macOS (kqueue.c), for the add-on. Since 1.49 it refuses a FIFO that
// has a name; before that it takes one, and never tells of a reader that has gone. The variable
// HOLDFAST_STAND_IN_LIBUV is `1.46` for the older of the two.
#include <uv.h>

#include <cstdlib>
#include <cstring>

#include "../stand_in.h"

extern "C" {
int __real_uv_poll_init(uv_loop_t* loop, uv_poll_t* handle, int fd);
int __real_uv_poll_start(uv_poll_t* handle, int events, uv_poll_cb callback);

int __wrap_uv_poll_init(uv_loop_t* loop, uv_poll_t* handle, int fd) {
  const char* version = getenv("HOLDFAST_STAND_IN_LIBUV");
  const bool is_old = version != nullptr && strcmp(version, "1.46") == 0;
  if (!is_old && holdfast::test::darwin::is_named_fifo(fd)) return UV_EINVAL;
  return __real_uv_poll_init(loop, handle, fd);
}

int __wrap_uv_poll_start(uv_poll_t* handle, int events, uv_poll_cb callback) {
  const int told = events & ~UV_DISCONNECT;
  return told == 0 ? 0 : __real_uv_poll_start(handle, told, callback);
}

}  // extern "C"
