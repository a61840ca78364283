// macOS' <pthread.h>: what Linux' has, and the number of a thread.
#include_next <pthread.h>
#ifndef HOLDFAST_TEST_DARWIN_PTHREAD_H
#define HOLDFAST_TEST_DARWIN_PTHREAD_H
#include <stdint.h>
#ifdef __cplusplus
extern "C"
#endif
    int
    pthread_threadid_np(pthread_t thread, uint64_t* id);
#endif
