// Of macOS' <sys/sysctl.h>, what holdfast asks of a process and of the system.
#ifndef HOLDFAST_TEST_DARWIN_SYSCTL_H
#define HOLDFAST_TEST_DARWIN_SYSCTL_H
#include <stddef.h>
#include <sys/time.h>

#define CTL_KERN 1
#define KERN_PROC 14
#define KERN_PROC_PID 1

struct kinfo_proc {
  struct {
    struct timeval p_starttime;
  } kp_proc;
};

#ifdef __cplusplus
extern "C" {
#endif
int sysctl(int* name, unsigned length, void* old, size_t* old_length, void* now, size_t now_length);
int sysctlbyname(const char* name, void* old, size_t* old_length, void* now, size_t now_length);
#ifdef __cplusplus
}
#endif
#endif
