// macOS' <time.h>: what Linux' has, and a clock.
#include_next <time.h>
#ifndef HOLDFAST_TEST_DARWIN_TIME_H
#define HOLDFAST_TEST_DARWIN_TIME_H
#include <stdint.h>
#ifdef __cplusplus
extern "C"
#endif
    uint64_t
    clock_gettime_nsec_np(clockid_t clock);
#endif
