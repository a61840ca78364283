/*
 * A named semaphore whose asynchronous wait is a helper thread: the rival design of `handover`.
 *
 * One thread for each object lives as long as the object, so no wait pays for a pthread_create. A
 * wait that finds a token takes it on the JS thread and wakes no thread. The methods are plain
 * functions whose data pointer is their object, which is the fastest that Node-API has. So the
 * comparison is of designs, and not of styles of Node-API. At most one wait of an object may be
 * pending, because the bench needs no more.
 */

#include <errno.h>
#include <fcntl.h>
#include <node_api.h>
#include <pthread.h>
#include <semaphore.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

typedef struct {
  sem_t* tokens;        /* shared between processes */
  sem_t requests;       /* JS thread -> helper thread: wait for a token, or stop */
  atomic_bool stopping; /* written before the post to `requests` that tells of it */
  pthread_t thread;
  napi_threadsafe_function resolve_on_js_thread;
  napi_deferred pending; /* JS thread only */
  char name[64];
} semaphore_t;

#define CHECK(call)                                                                               \
  do {                                                                                            \
    if ((call) != napi_ok) napi_fatal_error(#call, NAPI_AUTO_LENGTH, "not ok", NAPI_AUTO_LENGTH); \
  } while (0)

static napi_value throw_errno(napi_env env, const char* syscall) {
  char message[128];
  snprintf(message, sizeof message, "%s: %s", syscall, strerror(errno));
  napi_throw_error(env, NULL, message);
  return NULL;
}

static void wait_uninterrupted(sem_t* sem) {
  while (sem_wait(sem) != 0 && errno == EINTR) {
  }
}

static void* helper(void* data) {
  semaphore_t* self = data;
  for (;;) {
    wait_uninterrupted(&self->requests);
    if (atomic_load(&self->stopping)) return NULL;
    wait_uninterrupted(self->tokens);
    napi_call_threadsafe_function(self->resolve_on_js_thread, NULL, napi_tsfn_nonblocking);
  }
}

static void resolve(napi_env env, napi_value callback, void* context, void* data) {
  (void)callback;
  (void)data;
  semaphore_t* self = context;
  if (env == NULL) return;
  napi_value undefined;
  CHECK(napi_get_undefined(env, &undefined));
  CHECK(napi_resolve_deferred(env, self->pending, undefined));
}

static semaphore_t* self_of(napi_env env, napi_callback_info info) {
  void* data;
  CHECK(napi_get_cb_info(env, info, NULL, NULL, NULL, &data));
  return data;
}

static napi_value wait_async(napi_env env, napi_callback_info info) {
  semaphore_t* self = self_of(env, info);
  napi_value promise;
  CHECK(napi_create_promise(env, &self->pending, &promise));
  if (sem_trywait(self->tokens) == 0) {
    resolve(env, NULL, self, NULL);
  } else {
    sem_post(&self->requests);
  }
  return promise;
}

static napi_value post(napi_env env, napi_callback_info info) {
  if (sem_post(self_of(env, info)->tokens) != 0) return throw_errno(env, "sem_post");
  return NULL;
}

static napi_value unlink_name(napi_env env, napi_callback_info info) {
  if (sem_unlink(self_of(env, info)->name) != 0) return throw_errno(env, "sem_unlink");
  return NULL;
}

static napi_value close_semaphore(napi_env env, napi_callback_info info) {
  semaphore_t* self = self_of(env, info);
  atomic_store(&self->stopping, true);
  sem_post(&self->requests);
  pthread_join(self->thread, NULL);
  CHECK(napi_release_threadsafe_function(self->resolve_on_js_thread, napi_tsfn_release));
  sem_close(self->tokens);
  self->tokens = NULL;
  return NULL;
}

/* open(name, value): the object is never freed, because its methods may outlive close(). */
static napi_value open_semaphore(napi_env env, napi_callback_info info) {
  size_t argc = 2;
  napi_value argv[2], object, label;
  CHECK(napi_get_cb_info(env, info, &argc, argv, NULL, NULL));
  semaphore_t* self = calloc(1, sizeof *self);
  if (self == NULL) return throw_errno(env, "calloc");
  uint32_t value;
  CHECK(napi_get_value_string_utf8(env, argv[0], self->name, sizeof self->name, NULL));
  CHECK(napi_get_value_uint32(env, argv[1], &value));

  self->tokens = sem_open(self->name, O_CREAT, 0600, value);
  if (self->tokens == SEM_FAILED) return throw_errno(env, "sem_open");
  if (sem_init(&self->requests, 0, 0) != 0) return throw_errno(env, "sem_init");

  CHECK(napi_create_string_utf8(env, "helper-thread", NAPI_AUTO_LENGTH, &label));
  CHECK(napi_create_threadsafe_function(env, NULL, NULL, label, 0, 1, NULL, NULL, self, resolve,
                                        &self->resolve_on_js_thread));
  if ((errno = pthread_create(&self->thread, NULL, helper, self)) != 0) {
    return throw_errno(env, "pthread_create");
  }

  const napi_property_descriptor methods[] = {
      {"wait", NULL, wait_async, NULL, NULL, NULL, napi_enumerable, self},
      {"post", NULL, post, NULL, NULL, NULL, napi_enumerable, self},
      {"unlink", NULL, unlink_name, NULL, NULL, NULL, napi_enumerable, self},
      {"close", NULL, close_semaphore, NULL, NULL, NULL, napi_enumerable, self},
  };
  CHECK(napi_create_object(env, &object));
  CHECK(napi_define_properties(env, object, sizeof methods / sizeof *methods, methods));
  return object;
}

NAPI_MODULE_INIT() {
  const napi_property_descriptor open = {"open", NULL, open_semaphore,  NULL,
                                         NULL,   NULL, napi_enumerable, NULL};
  CHECK(napi_define_properties(env, exports, 1, &open));
  return exports;
}
